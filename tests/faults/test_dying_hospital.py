"""A hospital that dies in the middle of a conversation and comes back with an empty memory."""

from __future__ import annotations

import pytest

from tests.network.messages import A_BOOKING, A_STATUS, A_STATUS_QUESTION, A_WISH, AN_AGREEMENT
from tests.network.scene import A_THREAD, Scene
from uhi.actions import CONFIRM, INIT, STATUS
from uhi.errors import DeliveryError, NoAnswer
from uhi.participant import Participant
from uhi.testing import Network

pytestmark = pytest.mark.faults


@pytest.fixture
async def scene():
    """A consumer and two hospitals, in memory."""
    async with Network() as network:
        yield await Scene.on(network)


async def kill(scene: Scene) -> None:
    """The clinic's process ends: what it was doing is lost, and nobody listens at its address."""
    await scene.clinic.stop(seconds=0)
    del scene.network._memory.entrances[scene.clinic.identity.me.url]


async def restart(scene: Scene) -> Participant:
    """The same hospital in a new process: same key, same address, nothing remembered."""
    identity = scene.clinic.identity
    clinic = Participant(identity, world=scene.network.world(identity.signer))
    scene._answer_everything(clinic)
    await clinic.start()
    scene.network._memory.entrances[identity.me.url] = clinic.entrance
    scene.network._participants.append(clinic)
    scene.clinic = clinic
    return clinic


async def test_question_to_a_dead_hospital_is_tried_until_it_is_back(scene):
    """Decision 19: a confirmation is worth three days of patience; it is handled once."""
    await kill(scene)
    with pytest.raises(NoAnswer):
        await scene.app.ask(CONFIRM, AN_AGREEMENT, A_THREAD, wait=20)

    await restart(scene)
    await scene.network.settle()

    assert scene.handled == [("clinic.example", "confirm"), ("app.example", "on_confirm")]
    assert scene.heard[-1].is_late


async def test_quick_question_to_a_dead_hospital_is_given_up_and_said(scene, caplog):
    """Reliability rules: init ends at its deadline, as an error for whoever asked or as no answer."""
    await kill(scene)

    with pytest.raises((DeliveryError, NoAnswer)):
        await scene.app.ask(INIT, A_WISH, A_THREAD, wait=10)
    await scene.network.settle()

    assert "init was not delivered to clinic.example:" in caplog.text


async def test_hospital_that_dies_after_its_ack_leaves_the_consumer_with_a_question_it_can_ask(scene):
    """Decision 21: with a journal in memory the answer is lost with the process; the status tells how things stand."""
    scene.network.faults.drop("on_confirm", times=-1)
    with pytest.raises(NoAnswer):
        await scene.app.ask(CONFIRM, AN_AGREEMENT, A_THREAD, wait=3)
    await kill(scene)
    scene.network.faults.heal()

    await restart(scene)
    answer = await scene.app.ask(STATUS, A_STATUS_QUESTION, A_THREAD)
    await scene.network.settle()

    assert answer.message == A_STATUS
    assert ("app.example", "on_confirm") not in scene.handled


async def test_message_repeated_to_a_new_process_is_handled_again(scene):
    """Decision 21: a journal in memory forgets with the process; this is why an order's own key counts."""
    letter = scene.letter("confirm")
    await scene.send(letter, scene.clinic)
    await kill(scene)

    clinic = await restart(scene)
    signer = scene.network.signers["app.example"]
    await scene.send(letter.without("Authorization").signed(signer, scene.now, life=99), clinic)

    assert scene.handled.count(("clinic.example", "confirm")) == 2


async def test_one_hospitals_death_is_not_the_others(scene):
    """Architecture 1.6: the conversation with another hospital goes on."""
    await kill(scene)
    other = A_THREAD.__class__("nic2004:85111", "t-2", "app.example", "other.example", "std:011")

    answer = await scene.app.ask(CONFIRM, AN_AGREEMENT, other)

    assert answer.message == A_BOOKING
