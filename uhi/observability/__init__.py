"""What an operator sees: logs by allow-list, call log lines."""
