"""Asks whether something known is wrong with what the lock names: `python -m schemas.advisories LOCK`, by pip-audit.

Nothing found is told apart from nothing asked: a package that nobody answered for is named. Exit codes: 0 nothing is
known, 1 something is, 3 it could not be asked.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

KNOWN, UNASKED = 1, 3
_SECONDS = 600
_FIRST = 10


def asked(lock: Path) -> Mapping[str, object] | None:
    """What pip-audit reports of a lock, and None where it reports nothing, which it does when it reaches nobody."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.json")
        command = [sys.executable, "-m", "pip_audit", "--disable-pip", "--require-hashes", "--requirement", str(lock)]
        try:
            subprocess.run(  # noqa: S603  # this interpreter, and a file that the caller names
                [*command, "--progress-spinner", "off", "--format", "json", "--output", str(report)],
                capture_output=True,
                timeout=_SECONDS,
                check=False,
            )
            return json.loads(report.read_bytes())  # type: ignore[no-any-return]
        except (OSError, ValueError, subprocess.TimeoutExpired):
            return None


def verdict(report: Mapping[str, object] | None) -> tuple[int, list[str]]:
    """What a report comes to: the exit code, and what is said."""
    packages = report.get("dependencies") if report else None
    if not isinstance(packages, list) or not packages:
        return UNASKED, ["the advisories could not be asked: the network does not lead there; nothing is known"]
    known = [line for each in packages for line in _lines(each)]
    unasked = [f"{each['name']}" for each in packages if "vulns" not in each]
    more = ", …" if len(unasked) > _FIRST else ""
    away = f"nobody answered for {len(unasked)} of {len(packages)} packages: {', '.join(unasked[:_FIRST])}{more}"
    if known:
        told = f"{len(known)} advisories; raise the bound in pyproject.toml, then make lock"
        return KNOWN, [*known, *([away] if unasked else []), told]
    if unasked:
        rest = "nothing is known of the others" if len(unasked) < len(packages) else "so nothing is known"
        return UNASKED, [away, rest]
    return 0, [f"no advisory is known for any of {len(packages)} packages"]


def _lines(package: Mapping[str, object]) -> list[str]:
    found = package.get("vulns")
    if not isinstance(found, Sequence):
        return []
    pin = f"{package['name']} {package['version']}"
    return [f"{pin}: {each['id']}, fixed in {', '.join(each['fix_versions']) or 'no release'}" for each in found]


if __name__ == "__main__":
    code, lines = verdict(asked(Path(sys.argv[1])))
    sys.stdout.write("\n".join(lines) + "\n")
    sys.exit(code)
