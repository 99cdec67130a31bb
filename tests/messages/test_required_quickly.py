"""What is asked of every message we send is asked quickly: the quick look and the full walk agree on any body."""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uhi.messages import required
from uhi.messages.required import COMMON, missing

SAMPLES = Path(__file__).parents[1] / "conformance" / "samples" / "uhi-current"
BODIES = [json.loads(path.read_bytes()) for path in sorted(SAMPLES.glob("physical-*.json"))]
ODD = st.sampled_from([None, "", {}, [], 0, False, "x", [None], [{}], {"id": ""}, "FREE", "CONFIRMED", "true"])


def walked(action: str, body: dict) -> list[str]:
    """The same by the full walk alone, row after row."""
    is_failure = bool(body.get("error") and not body.get("message"))
    is_consultation = required._member(body, "context.domain") == required.CONSULTATION
    rows = required._rows_for(action, is_failure, is_consultation)
    return list(dict.fromkeys(path for row in rows for path in required._lacking(row, body)))


def places(node: object) -> Iterator[tuple[dict | list, str | int]]:
    """Every member and entry of a body."""
    found = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for name, value in found:
        yield node, name
        yield from places(value)


@given(st.sampled_from(sorted(COMMON)), st.sampled_from(BODIES), st.data())
def test_the_quick_look_finds_a_lack_where_the_walk_does(action, body, data):
    """`missing` is what its table says: published bodies with members taken away or changed, of any action."""
    changed = deepcopy(body)
    for _ in range(data.draw(st.integers(0, 3))):
        holder, name = data.draw(st.sampled_from(list(places(changed))))
        if data.draw(st.booleans()):
            holder[name] = deepcopy(data.draw(ODD))
        else:
            del holder[name]
        if not changed:
            break

    assert missing(action, changed) == walked(action, changed)


@pytest.mark.parametrize("action", sorted(COMMON))
@pytest.mark.parametrize("body", [{}, {"message": None}, {"message": []}, {"context": "x", "message": {"order": 1}}])
def test_bodies_of_no_form_lack_the_same(action, body):
    """`missing` takes whatever a body may be."""
    assert missing(action, body) == walked(action, body) != []
