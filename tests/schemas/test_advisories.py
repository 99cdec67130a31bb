"""What a report of advisories comes to: known, nothing known, or not asked, which are three different things."""

from __future__ import annotations

from schemas.advisories import asked, verdict

FINE = {"name": "alpha", "version": "1.0", "vulns": []}
WEAK = {"name": "beta", "version": "2.0", "vulns": [{"id": "CVE-2026-1", "fix_versions": ["2.1"]}]}
UNASKED = {"name": "gamma", "skip_reason": "not found"}


def test_nothing_known_of_any_package_is_said_with_code_0():
    """Issue: a check of the lock."""
    assert verdict({"dependencies": [FINE, FINE]}) == (0, ["no advisory is known for any of 2 packages"])


def test_what_is_known_is_named_with_its_fix():
    """Issue: a check of the lock; something known counts, whoever else was not asked."""
    code, lines = verdict({"dependencies": [FINE, WEAK, UNASKED]})

    assert code == 1
    assert lines[:2] == [
        "beta 2.0: CVE-2026-1, fixed in 2.1",
        "nobody answered for 1 of 3 packages: gamma",
    ]


def test_what_could_not_be_asked_is_not_passed_off_as_fine():
    """Issue: where it cannot be asked, that is said."""
    nobody, _ = verdict({"dependencies": [UNASKED]})
    some, lines = verdict({"dependencies": [FINE, UNASKED]})
    away, _ = verdict(None)
    unsaid, _ = verdict({"dependencies": [FINE, {"name": "delta", "version": "1.0"}]})

    assert (nobody, some, away, unsaid) == (3, 3, 3, 3)
    assert lines[0] == "nobody answered for 1 of 2 packages: gamma"


def test_a_lock_that_cannot_be_read_gives_no_report(tmp_path):
    """Ours: no traceback."""
    assert asked(tmp_path / "none") is None
