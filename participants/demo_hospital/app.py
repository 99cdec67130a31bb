"""The demo hospital as a participant; start reading here.

`hospital` is the system a real hospital has already, `uhi.booking.ConsultationProvider` does the rest of UHI on top of
it. Below: `data` (the file), `schedule` (slots), `taken` (who has which). Above: `uhi serve`, the demo network.
"""

from __future__ import annotations

from participants.demo_hospital.data import HospitalData, load_hospital
from participants.demo_hospital.hospital import DemoHospital
from participants.demo_hospital.settings import HospitalSettings
from uhi.booking.policy import Policy
from uhi.booking.provider import ConsultationProvider
from uhi.booking.speaker import moment
from uhi.booking.sql_bookings import bookings_of
from uhi.booking.store import BookingStore
from uhi.messages.values import ONLINE, PHYSICAL
from uhi.network import Network
from uhi.participant import Participant
from uhi.subscribers import Role


def app() -> Participant:
    """Return the hospital that `UHI_HOSPITAL_FILE` describes, as the participant that the `UHI_…` settings describe.

    Raises: SetupError naming what is missing or wrong in the settings or the file.
    """
    data = load_hospital(HospitalSettings.read().file)
    participant = Participant.from_env(Role.PROVIDER)
    hospital_app(participant, data)
    return participant


def hospital_app(
    participant: Participant, data: HospitalData, *, store: BookingStore | None = None
) -> ConsultationProvider:
    """Give a participant a hospital: its handlers answer searches and bookings. Returns the provider, to tell news by.

    Orders are kept where the participant keeps its messages, unless a `store` is given; when it starts, the hospital
    takes over what stands there.
    Raises: SetupError when the participant handles bookings already.
    """
    hospital = DemoHospital(data, clock=participant.clock)
    store = store or bookings_of(participant.world, provider_id=participant.subscriber_id)
    provider = ConsultationProvider(
        hospital, speaker=participant, store=store, policy=_policy(data, participant.network)
    )
    participant.include(provider.handlers)

    async def take_over() -> None:
        hospital.restore(await store.standing(now=moment(participant.clock)))

    participant.at_start(take_over)
    participant.meanwhile(provider.watch_holds)
    return provider


def _policy(data: HospitalData, network: Network) -> Policy:
    fulfilments = (PHYSICAL, ONLINE) if network.offers_online else (PHYSICAL,)
    return Policy(name=data.name, fulfilments=fulfilments, select=network.offers_select)
