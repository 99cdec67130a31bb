"""When doctors see patients: weekly rules and what changes them, the slots that follow, and the hospital's port over
them.

Slots are derived, never kept. Above: the hospital's program; below: its directory, the library's claims of slots.
"""
