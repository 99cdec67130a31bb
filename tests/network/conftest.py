"""The network of these tests, in memory and over sockets, and the check that a refusal refuses and does no more."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from gateway.app import Gateway
from tests.network.letters import Answer, Letter
from tests.network.messages import CANARIES
from tests.network.scene import Scene
from uhi.faults import Fault
from uhi.participant import Participant
from uhi.testing import Network, Options

REGISTRY = "gateway.network_registry.entrance"
Refuses = Callable[[Letter, Participant | Gateway, Fault], Awaitable[Answer]]


@pytest.fixture(params=["memory", "sockets"])
async def network(request: pytest.FixtureRequest) -> AsyncIterator[Network]:
    """A network with nobody on it but its registry and its gateway, once in memory and once over HTTP."""
    async with Network(Options(sockets=request.param == "sockets")) as running:
        yield running


@pytest.fixture
async def in_memory() -> AsyncIterator[Network]:
    """A network in memory only, for what needs its clock or many messages."""
    async with Network() as running:
        yield running


@pytest.fixture
async def scene(network: Network) -> Scene:
    """A consumer and two providers that answer everything, over either network."""
    return await Scene.on(network)


@pytest.fixture
async def stage(in_memory: Network) -> Scene:
    """As `scene`, in memory only."""
    return await Scene.on(in_memory)


@pytest.fixture
def refuses(caplog: pytest.LogCaptureFixture) -> Callable[[Scene], Refuses]:
    """Send a letter and check all that a refusal promises: code and status, nothing changed, one line, no patient."""

    def on(scene: Scene) -> Refuses:
        async def check(letter: Letter, to: Participant | Gateway, fault: Fault) -> Answer:
            before, lines = scene.state(), len(scene.refusals())
            caplog.clear()

            answer = await scene.send(letter, to)

            check_nack(answer, fault, always_200=scene.network.options.preset.always_200)
            assert scene.state() == before
            check_log(scene, caplog, fault, lines)
            return answer

        return check

    return on


def check_nack(answer: Answer, fault: Fault, *, always_200: bool = False) -> None:
    """Status, body and headers of a NACK are those of the error table."""
    body = json.loads(answer.body)
    assert (answer.error["type"], answer.error["code"]) == (fault.type, fault.code)
    assert answer.status == (200 if always_200 else fault.status)
    assert answer.error["message"] == fault.sentence
    assert body["message"] == {"ack": {"status": "NACK"}}
    assert set(answer.error) == {"type", "code", "path", "message"}
    challenges = {"WWW-Authenticate", "Proxy-Authenticate"} & {
        name.title().replace("Www", "WWW") for name in answer.headers
    }
    assert len(challenges) == (fault.status == 401)
    assert ("Retry-After" in answer.headers) == (fault.status in (429, 503))
    assert not any(canary in answer.body.decode() for canary in CANARIES)


def check_log(scene: Scene, caplog: pytest.LogCaptureFixture, fault: Fault, lines: int) -> None:
    """One line for the operator and one in the call log, both without the patient."""
    written = [each for each in caplog.records if each.levelno >= logging.WARNING and each.name != REGISTRY]
    assert [record.getMessage().partition(":")[0] for record in written] == ["refused"]
    [hop] = scene.refusals()[lines:]
    assert (hop.outcome, hop.status) == (fault.type, fault.status)
    logged = caplog.text + repr([vars(record) for record in caplog.records]) + repr(list(scene.network.calls))
    assert [canary for canary in CANARIES if canary in logged] == []
    assert "\x1b" not in logged
    assert not any("\n" in record.getMessage() for record in written)
