"""Whether the tests would notice if signatures were not looked at."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ENOUGH = 10


@pytest.mark.faults
@pytest.mark.parametrize("tests", ["tests/signing", "tests/network/test_refused_signatures.py"])
def test_without_verification_ten_tests_break(tests: str) -> None:
    """Security reference, signing profiles: a verification that says yes to everything must not go unnoticed."""
    quick = ("-q", "-n", "0", "-p", "no:cacheprovider", f"--maxfail={ENOUGH}", "-m", "not faults and not soak")
    command = [sys.executable, "-m", "pytest", tests, *quick, "-p", "tests.signing.believes_everybody"]

    run = subprocess.run(
        command,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )

    found = re.search(r"^(\d+) failed", run.stdout.splitlines()[-1] if run.stdout else "")
    assert run.returncode == 1, run.stdout[-2_000:] + run.stderr[-2_000:]
    assert found is not None
    assert int(found[1]) >= ENOUGH
    # They break because a refusal did not come, and not because nothing works.
    assert "passed" in run.stdout.splitlines()[-1]
