"""How much memory this process takes at the most while something happens."""

from __future__ import annotations

import gc
import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MIB = 2**20


def zeros(size: int) -> bytes:
    """So many zeros, by gzip: members of 1 MiB, one after the other."""
    return gzip.compress(bytes(MIB)) * (size // MIB)


@contextmanager
def not_growing(most: int) -> Iterator[None]:
    """At no time has this process so many bytes more in memory than before."""
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    before = _bytes_of("VmRSS")
    yield
    assert _bytes_of("VmHWM") - before < most


def _bytes_of(name: str) -> int:
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(f"{name}:"))
    return int(line.split()[1]) * 1024
