"""A message taken up from the journal is the message that came through the door, whatever it was."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from gateway.relays import GATEWAY_LEGS
from tests.network import letters
from tests.network.messages import (
    A_CANCELLATION,
    A_CHOICE,
    A_STATUS,
    A_STATUS_QUESTION,
    A_WISH,
    AN_AGREEMENT,
    CANCELLED_ORDER,
    DOCTOR_WRITES,
    NO_DOCTOR,
    PATIENT_WRITES,
    SEARCH_ALL,
    SLOTS_OF_ASHA,
    STARTED,
)
from tests.network.scene import A_THREAD, Scene
from tests.stores import Shelves, kept
from uhi.actions import (
    CANCEL,
    CANCELLED,
    CONFIRM,
    INIT,
    REPORTED,
    SEARCH,
    SELECT,
    SLOTS,
    STATUS,
    STATUS_NEWS,
    TO_CONSUMER,
    TO_PROVIDER,
    UPDATED,
    Decline,
    legs_of,
)
from uhi.errors import Refusal
from uhi.exchange.receive import Received, replay
from uhi.faults import INTERNAL, JSON_INVALID, SLOT_UNAVAILABLE
from uhi.network import NHA_SANDBOX
from uhi.ports import Arrival
from uhi.signing import body_digest
from uhi.subscribers import Role
from uhi.testing import Network, Options
from uhi.verified import Declined, Verified

LEGS = {leg.name: leg for role in (Role.CONSUMER, Role.PROVIDER) for leg in legs_of(role)}
RELAYED = {leg.name: leg for leg in GATEWAY_LEGS}
QUESTIONS = (
    (SLOTS, SLOTS_OF_ASHA),
    (SELECT, A_CHOICE),
    (INIT, A_WISH),
    (CONFIRM, AN_AGREEMENT),
    (STATUS, A_STATUS_QUESTION),
    (CANCEL, A_CANCELLATION),
)
NEWS = ((UPDATED, STARTED), (STATUS_NEWS, A_STATUS), (CANCELLED, CANCELLED_ORDER), (TO_CONSUMER, DOCTOR_WRITES))
REPORTS = ((REPORTED, NO_DOCTOR), (TO_PROVIDER, PATIENT_WRITES))


class Watched:
    """A scene, what came through each of its doors, and what each journal has of it."""

    def __init__(self, scene: Scene, shelves: Shelves) -> None:
        self.scene = scene
        self.received: dict[str, Received] = {}
        self.shelves = shelves
        for entrance in (*(each._office.door for each in (scene.app, scene.clinic)), scene.gateway._door):
            entrance.start = self._watched(entrance.start)

    def _watched(self, start: object) -> object:
        def started(received: Received) -> None:
            self.received[received.row] = received
            start(received)

        return started

    def rows(self, subscriber_id: str) -> list[Arrival]:
        """What one journal took, in order."""
        return self.shelves.stores[subscriber_id].accepted


@pytest.fixture(params=["local", "nha"])
async def watched(request: pytest.FixtureRequest) -> AsyncIterator[Watched]:
    """A scene of which every row is kept, in our own network and in NHA's."""
    shelves = Shelves()
    options = Options(keeping=shelves, **({"preset": NHA_SANDBOX} if request.param == "nha" else {}))
    async with Network(options) as network:
        yield Watched(await Scene.on(network), shelves)


async def talk(scene: Scene) -> None:
    """Everything the protocol has to say, once."""
    [_ async for _ in scene.app.ask(SEARCH, SEARCH_ALL, wait=2)]
    for action, message in QUESTIONS:
        await scene.app.ask(action, message, A_THREAD)
    for notice, message in NEWS:
        await scene.clinic.tell(notice, message, A_THREAD)
    for notice, message in REPORTS:
        await scene.app.tell(notice, message, A_THREAD)
    await scene.network.settle()


def check_same(again: Received, first: Received) -> None:
    """All that a handler or a relay sees, but whom a relay passes it on to, and what else the registry says."""
    one, other = first.message, again.message
    assert type(other) is type(one)
    assert (again.leg, again.row, again.is_finished) == (first.leg, first.row, False)
    for name in ("message", "context", "thread", "error", "raw", "digest", "expires", "received_at", "authorization"):
        if hasattr(one, name):
            assert getattr(other, name) == getattr(one, name), name
    assert (other.sender.id, other.sender.role, other.sender.url) == (one.sender.id, one.sender.role, one.sender.url)
    assert (other.via and (other.via.id, other.via.url)) == (one.via and (one.via.id, one.via.url))
    assert (other.admission.answers, other.admission.late) == (one.admission.answers, one.admission.late)
    if isinstance(one, Verified):
        assert other.signed_by_sender == one.signed_by_sender


async def test_message_from_the_journal_is_the_message_that_came(watched):
    """Reliability rules: what follows from a message is redone from its row, so the row must say all of it."""
    await talk(watched.scene)

    seen = set()
    for program, legs in (("app.example", LEGS), ("clinic.example", LEGS), ("gateway.example", RELAYED)):
        for arrival in watched.rows(program):
            check_same(replay(kept(arrival), legs), watched.received[arrival.id])
            seen.add((program, arrival.path_role))
    at_participants = {(role, leg.name) for role in (Role.CONSUMER, Role.PROVIDER) for leg in legs_of(role)}
    of = {"app.example": Role.CONSUMER, "clinic.example": Role.PROVIDER}
    assert {(of[program], leg) for program, leg in seen if program in of} == at_participants
    assert {leg for program, leg in seen if program == "gateway.example"} == set(RELAYED)


async def test_declined_answer_from_the_journal_is_declined_again(watched):
    """Decision 10: an error in place of a message, relayed or direct."""
    scene = watched.scene
    for action in (SEARCH, INIT):
        handler = scene.clinic.handlers.of(action.request)
        object.__setattr__(handler, "function", _declines)

    [_ async for _ in scene.app.ask(SEARCH, SEARCH_ALL, wait=2)]
    await scene.app.ask(INIT, A_WISH, A_THREAD)
    await scene.network.settle()

    rows = [
        (row, legs)
        for name, legs in (("app.example", LEGS), ("gateway.example", RELAYED))
        for row in watched.rows(name)
    ]
    declined = [(row, legs) for row, legs in rows if isinstance(watched.received[row.id].message, Declined)]
    for row, legs in declined:
        check_same(replay(kept(row), legs), watched.received[row.id])
    assert sorted(row.path_role for row, _ in declined) == ["on_init", "on_search", "on_search"]


async def _declines(request: object) -> Decline:
    return Decline(SLOT_UNAVAILABLE, "taken a minute ago")


@pytest.mark.parametrize("watched", ["nha"], indirect=True)
async def test_signature_that_a_gateway_dropped_is_not_claimed_later(watched):
    """Decision 5: what cannot be found out a second time is remembered."""
    scene = watched.scene
    context = letters.context("search", scene.app.identity.me)
    await scene.send(scene.forwarded(letters.letter("search", context)), scene.clinic)

    [row] = watched.rows("clinic.example")
    again = replay(kept(row), LEGS)

    assert (again.message.signed_by_sender, again.message.authorization) == (False, "")
    check_same(again, watched.received[row.id])


@pytest.fixture
async def row() -> AsyncIterator[Arrival]:
    """The row of an init."""
    shelves = Shelves()
    async with Network(Options(keeping=shelves)) as network:
        scene = await Scene.on(network)
        await scene.send(scene.letter("init"), scene.clinic)
        yield shelves.stores["clinic.example"].accepted[0]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda row: replace(row, body=row.body + b" "),
        lambda row: replace(row, body=b""),
        lambda row: replace(row, digest=body_digest(b"another")),
        lambda row: replace(row, path_role="no such leg"),
        lambda row: replace(row, facts=b"{}"),
    ],
    ids=["another body", "no body", "another digest", "another leg", "other facts"],
)
def test_row_that_is_not_what_was_accepted_is_refused_as_our_own_fault(row, spoil):
    """Ours: nothing unsigned gets in by way of the database; the operator is told, not the peer."""
    with pytest.raises(Refusal) as raised:
        replay(kept(spoil(row)), LEGS)

    assert raised.value.fault is INTERNAL


def test_row_whose_bytes_no_longer_fit_the_model_is_refused(row):
    """Ours: as a row of an older version may be."""
    body = b'{"context": {}'

    with pytest.raises(Refusal) as raised:
        replay(kept(replace(row, body=body, digest=body_digest(body))), LEGS)

    assert raised.value.fault is JSON_INVALID
