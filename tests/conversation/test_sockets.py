"""The largest document over HTTP and in real time: what stands between two programs takes it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tests.conversation.scene import APP, CLINIC, DOCTOR_ID, PATIENT_ID, PDF, REPORT, Diary
from uhi.actions import STATUS, Decline
from uhi.booking.appointments import Reach
from uhi.conversation import Conversations, Shelf, Talk, Talker
from uhi.faults import ORDER_UNKNOWN
from uhi.files import LocalFolder
from uhi.keeping import keeping_in_database
from uhi.messages import Order, Status
from uhi.participant import Participant
from uhi.storage.sealing import Sealing
from uhi.subscribers import Role
from uhi.testing import Network, Options
from uhi.testing.verified import A_THREAD
from uhi.verified import Verified

TALK = Talk(
    order_id="order-1",
    thread=A_THREAD,
    patient=Talker(PATIENT_ID, "Ravi Kumar"),
    doctor=Talker(DOCTOR_ID, "Dr. Asha Verma"),
    is_open=True,
    reach=Reach(messaging=True),
)


def side_of(program: Participant, role: Role, folder: Path) -> Conversations:
    """One side of a talk that both know."""
    shelf = Shelf(LocalFolder(folder / f"files of {role.value}"))
    made = Conversations(program, Diary({"order-1": TALK}), side=role, shelf=shelf)
    program.include(made.handlers)
    return made


async def knows_nothing(request: Verified[Status]) -> Decline:
    """News is taken within a transaction that was opened; this opens one."""
    return Decline(ORDER_UNKNOWN)


async def test_five_mebibytes_travel_over_http(url_of, tmp_path):
    """Issue: documents of 5 MiB; decision 22: on_message up to 8 MiB."""
    sealing = Sealing.for_development()

    def keep(name, clock):
        mine = name in (CLINIC, APP)
        return keeping_in_database(url_of(name), sealing, clock=clock, owner=name) if mine else None

    async with Network(Options(sockets=True, keeping=keep)) as net:
        clinic, app = await net.provider(CLINIC), await net.consumer(APP)
        doctor = side_of(clinic, Role.PROVIDER, tmp_path)
        patient = side_of(app, Role.CONSUMER, tmp_path)
        clinic.on(STATUS)(knows_nothing)
        await app.ask(STATUS, Status(order=Order(id="order-1")), A_THREAD)
        listener, content = patient.listen(), PDF + bytes(5 * 1_048_576 - len(PDF))

        await doctor.send("order-1", replace(REPORT, content=content))
        heard = await anext(listener)

        assert (heard.refused, heard.document.size) == ("", len(content))
