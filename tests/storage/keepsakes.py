"""What is put into storages in these tests: messages, requests, letters, each with as little said as the test needs."""

from __future__ import annotations

from dataclasses import replace
from itertools import count

from uhi.ports import Arrival, Callback, Ending, Letter, LetterState, OpenRequest
from uhi.subscribers import Role, Subscriber
from uhi.testing.clock import START

NOW = START
US, THEM, OTHERS = "us.example", "them.example", "others.example"
THEIR_DOOR = Subscriber(THEM, Role.PROVIDER, "https://them.example/uhi")
OTHER_DOOR = Subscriber(OTHERS, Role.PROVIDER, "https://others.example/uhi")
BODY = b'{"message":"a body"}'

_numbers = count(1)


def row_id() -> str:
    """A fresh id, later than every other one."""
    return f"{next(_numbers):032x}"


def arrival(**values: object) -> Arrival:
    """A message of theirs to us, with ids of its own where the test gives none."""
    number = row_id()
    plain = Arrival(
        id=number,
        receiver=US,
        signer=THEM,
        path_role="on_search",
        message_id=f"m-{number}",
        variant="digest",
        digest="digest",
        transaction_id="t-1",
        received_at=NOW,
        cap=100,
        deadline=NOW + 60,
        body=BODY,
        authorization="Signature theirs",
        facts=b'{"fact":1}',
    )
    return replace(plain, **values)


def letter(**values: object) -> Letter:
    """A letter of ours to them that is due."""
    number = row_id()
    plain = Letter(
        id=number,
        to=THEIR_DOOR,
        path="on_confirm",
        digest="digest",
        transaction_id="t-1",
        message_id=f"m-{number}",
        deadline=NOW + 60,
        body=BODY,
    )
    return replace(plain, **values)


def asked(**values: object) -> OpenRequest:
    """A question of ours to them."""
    plain = OpenRequest(
        owner=US,
        leg="confirm",
        message_id="m-1",
        transaction_id="t-1",
        counterpart=THEM,
        opened_at=NOW,
        until=NOW + 60,
    )
    return replace(plain, **values)


def callback(message_id: str = "m-1", **values: object) -> Callback:
    """Their answer to it, as it is looked for."""
    return replace(Callback(US, "confirm", message_id, "t-1", THEM), **values)


def delivered(of: Letter) -> Ending:
    """The peer took it."""
    return Ending(of, LetterState.DELIVERED, NOW, attempts=of.attempts + 1, status=200, outcome="ACK")


def put_off(of: Letter, *, until: float) -> Ending:
    """The peer did not answer; once more at `until`."""
    state = LetterState.READY
    return Ending(of, state, NOW, attempts=of.attempts + 1, outcome="no answer", not_before=until)
