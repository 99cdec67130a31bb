"""What a door answers over HTTP, and what it writes down."""

from __future__ import annotations

import json
import logging

import pytest

from uhi.actions import legs_of
from uhi.errors import Refusal
from uhi.exchange.admission import Correlation
from uhi.exchange.entrance import DoorEntrance, Manners, nack_reply, unforeseen
from uhi.exchange.legs import Legs
from uhi.exchange.receive import Door, Received
from uhi.exchange.trust import Trust
from uhi.faults import FAULTS, INTERNAL, OVERLOADED, PATH_UNKNOWN, RATE_LIMITED, SIGNATURE_INVALID, Fault, Resend
from uhi.observability.call_log import RememberedCalls
from uhi.ports import Inbound
from uhi.registry.memory import MemoryRegistry
from uhi.storage.memory import MemoryStorage
from uhi.subscribers import Role
from uhi.testing import FakeClock

MANNERS = Manners("clinic.example")


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_every_fault_is_answered_as_the_table_says(fault: Fault):
    """Error table: status, NACK body with the fixed sentence, challenge on 401, Retry-After on 429 and 503."""
    reply = nack_reply(Refusal(fault, "said to the operator", path="$.context", got="secret"), MANNERS)

    body = json.loads(reply.body)
    assert reply.status == fault.status
    assert body["message"] == {"ack": {"status": "NACK"}}
    assert body["error"] == {"type": fault.type, "code": fault.code, "path": "$.context", "message": fault.sentence}
    assert ("WWW-Authenticate" in reply.headers) == (fault.status == 401)
    assert ("Retry-After" in reply.headers) == (fault.status in (429, 503))
    assert b"operator" not in reply.body
    assert b"secret" not in reply.body


def test_refused_gateway_header_is_answered_with_the_proxys_challenge():
    """Decision 9."""
    refusal = Refusal(SIGNATURE_INVALID)
    refusal.gateway_header = True

    headers = nack_reply(refusal, MANNERS).headers

    assert headers["Proxy-Authenticate"] == 'Signature realm="clinic.example",headers="(created) (expires) digest"'
    assert "WWW-Authenticate" not in headers


def test_time_to_wait_is_told():
    """Error table: Retry-After in whole seconds."""
    refusal = Refusal(RATE_LIMITED)
    refusal.retry_after = 60

    assert nack_reply(refusal, MANNERS).headers["Retry-After"] == "60"


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_compatibility_mode_changes_the_status_and_nothing_else(fault: Fault):
    """NHA's presets: 200 for what is final; what may be sent again later keeps its status, else it never would be."""
    plain, compatible = (nack_reply(Refusal(fault), Manners("x", always_200=mode)) for mode in (False, True))

    assert compatible.status == (fault.status if fault.resend is Resend.LATER else 200)
    assert (compatible.body, compatible.headers) == (plain.body, plain.headers)


def test_unforeseen_error_quotes_nothing():
    """Log rules: type and place, never the text, which may hold anything."""
    try:
        raise KeyError("Kanari Patientsson")
    except KeyError as error:
        refusal = unforeseen(error)

    assert refusal.fault is INTERNAL
    assert str(refusal).startswith("unforeseen KeyError at test_entrance.py:")
    assert "Kanari" not in str(refusal)


def entrance(registry: object = None, start: object = None) -> tuple[DoorEntrance, RememberedCalls, list[Received]]:
    clock, calls, started = FakeClock(), RememberedCalls(), []
    storage = MemoryStorage(clock)
    trust = Trust("clinic.example", Role.PROVIDER, registry or MemoryRegistry(), clock)
    door = Door(trust, Legs(legs_of(Role.PROVIDER)), storage, Correlation("clinic.example", storage))
    return DoorEntrance(door, start or started.append, calls, MANNERS), calls, started


class Broken:
    """A registry with a bug."""

    async def record(self, ref: object, *, fresh: bool = False) -> None:
        raise RuntimeError("9876543210")


SIGNED = (
    '{"headers":"(created) (expires) digest","expires":"1790000010","signature":"' + "A" * 86 + '==",'
    '"created":"1790000000","keyId":"app.example|k1|ed25519","algorithm":"ed25519"}'
)


async def test_error_of_ours_is_answered_with_500_and_logged_without_a_traceback(caplog):
    """Error table: 500 UHI-1407; the peer gets a code, the operator one line."""
    mine, calls, started = entrance(Broken())
    headers = {"content-type": ("application/json",), "authorization": (SIGNED,)}

    reply = await mine.take(Inbound("init", headers, b"{}"))

    assert (reply.status, json.loads(reply.body)["error"]["code"]) == (500, "UHI-1407")
    [record] = caplog.records
    assert (record.levelno, record.exc_info) == (logging.ERROR, None)
    assert "9876543210" not in caplog.text
    assert [(hop.outcome, hop.status) for hop in calls] == [("NET_INTERNAL_ERROR", 500)]
    assert started == []


async def test_closed_entrance_refuses_for_now():
    """Error table: draining is 503 with Retry-After."""
    mine, calls, _ = entrance()
    mine.is_open = False

    reply = await mine.take(Inbound("init", {}, b""))

    assert (reply.status, reply.headers["Retry-After"]) == (503, "1")
    assert [hop.outcome for hop in calls] == [OVERLOADED.type]


async def test_what_the_server_refuses_is_logged_like_the_rest(caplog):
    """Ours: one line per refusal, whoever refuses."""
    mine, calls, _ = entrance()

    reply = mine.refuse(Refusal(PATH_UNKNOWN), "innit")

    assert reply.status == 404
    assert [(hop.action, hop.outcome) for hop in calls] == [("innit", "NET_ENTITY_NOT_FOUND")]
    assert len(caplog.records) == 1


async def test_overlong_path_is_cut_in_the_logs():
    """Log rules: nothing a stranger sends makes a line long."""
    mine, calls, _ = entrance()

    await mine.take(Inbound("x" * 10_000, {}, b""))

    [hop] = calls
    assert len(hop.action) == 64
    assert len(hop.detail) < 500


def test_paths_are_those_of_the_legs():
    """UHI endpoints."""
    mine, _, _ = entrance()

    assert set(mine.paths) == {"search", "select", "init", "confirm", "status", "cancel", "on_update", "on_message"}
