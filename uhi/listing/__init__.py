"""What a participant is made of that answers searches from a list it keeps: a data file, or tables of a database.

Blood banks, ambulances, Jan Aushadhi and PM-JAY hospitals speak in values of their own modules here, which a consumer
reads with too. Above: participants; below: `uhi.booking`, whose matching, quotes and terms are used.
"""

from uhi.listing.answering import ListingProvider, demand_domain
from uhi.listing.areas import Area, read_area
from uhi.listing.data_file import DataFile, read_data
from uhi.listing.entries import Entry, Table
from uhi.listing.origin import Origin, file_origin, origin_of
from uhi.listing.settings import ListingSettings
from uhi.listing.sources import Fixed, Refreshed, Source, SqlRows
from uhi.listing.subjects import Listing, Subject

__all__ = [
    "Area",
    "DataFile",
    "Entry",
    "Fixed",
    "Listing",
    "ListingProvider",
    "ListingSettings",
    "Origin",
    "Refreshed",
    "Source",
    "SqlRows",
    "Subject",
    "Table",
    "demand_domain",
    "file_origin",
    "origin_of",
    "read_area",
    "read_data",
]
