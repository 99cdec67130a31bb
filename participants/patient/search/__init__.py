"""Searching: a patient's filters go out as far as the network has words for them, and the answers flow back, merged.

Start reading at `searches`. Above: `routes`; below: `uhi.booking`, the tables of this package.
"""
