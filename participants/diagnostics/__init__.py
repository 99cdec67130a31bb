"""A laboratory on the network: tests and packages, with samples taken at home or at the lab."""
