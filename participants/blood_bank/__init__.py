"""Blood banks of one network member: what is in stock, by group and component."""
