"""`python -m tests.bench.instructions`: processor instructions per message of a gateway hop, counted by Valgrind.

Slow, and the same to a part in a thousand whatever else the machine does: states of the sources are compared with it
where times say nothing. Waiting costs no instructions, and neither does a cache that is missed.
"""

from __future__ import annotations

import asyncio
import re
import shutil
import sys
import tempfile
from pathlib import Path

from tests.bench.hop import running, searches

_FEW, _MANY = 100, 400
_SENDERS = 8
_SETTLE = 600.0


async def count_instructions(kind: str) -> float:
    """Instructions per message of a measured program of this kind; what its start and end cost is taken out.

    Raises: FileNotFoundError without Valgrind.
    """
    few, many = await _whole_run(kind, _FEW), await _whole_run(kind, _MANY)
    return (many - few) / (_MANY - _FEW)


async def _whole_run(kind: str, count: int) -> int:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "counts"
        counting = ("valgrind", "--tool=cachegrind", "--cache-sim=no", f"--cachegrind-out-file={out}")
        quiet = f"--log-file={folder}/log"
        async with running(kind, 1, under=(*counting, quiet)) as bench:
            weighed = await bench.push(searches(bench, range(count)), senders=_SENDERS, settle=_SETTLE)
        assert not weighed.sent.refused
        summary = re.search(r"^summary: *(\d+)", out.read_text(), re.MULTILINE)
    assert summary is not None
    return int(summary[1])


async def _main() -> None:
    if shutil.which("valgrind") is None:
        sys.exit("valgrind is not here: sudo apt-get install valgrind")
    for kind in ("gateway", "unchecked"):
        print(f"{kind}: {await count_instructions(kind):,.0f} instructions per message", flush=True)


if __name__ == "__main__":
    asyncio.run(_main())
