"""Files: where they are kept, who looks for viruses in them, and links to them that end.

Adapters below `uhi.keeping`. The store on S3 needs the extra `s3`, and is made by `open_store` alone.
"""

from uhi.files.clamd import Clamd
from uhi.files.local import LocalFolder
from uhi.files.opening import open_store
from uhi.files.scanning import NoScanner, Scanner, Verdict
from uhi.files.signed_urls import SignedLink, SignedUrls
from uhi.files.store import ObjectStore

__all__ = [
    "Clamd",
    "LocalFolder",
    "NoScanner",
    "ObjectStore",
    "Scanner",
    "SignedLink",
    "SignedUrls",
    "Verdict",
    "open_store",
]
