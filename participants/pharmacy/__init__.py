"""Jan Aushadhi Kendras of one network member: where they are, and which medicines they have."""
