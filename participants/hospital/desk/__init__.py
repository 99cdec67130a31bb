"""The appointment desk: what the staff of a hospital see of appointments, and do with them."""
