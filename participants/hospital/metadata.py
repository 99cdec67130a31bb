"""What all tables of the hospital are put down in; the modules beside it have them, each its own part.

Above: the `…_tables` modules; below: SQLAlchemy.
"""

from __future__ import annotations

from sqlalchemy import MetaData

metadata = MetaData()
