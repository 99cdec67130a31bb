"""The high level: your own system behind the seven methods of `uhi.booking.Hospital`; the library does the rest."""

from uhi import Participant
from uhi.booking import ConsultationProvider, Hospital


def hospital_app(system: Hospital) -> tuple[Participant, ConsultationProvider]:
    """The participant to run, and the provider to tell news by (`started`, `completed`, `no_show`, `cancelled`)."""
    participant = Participant.from_env()
    provider = ConsultationProvider(system, speaker=participant)
    participant.include(provider.handlers)
    return participant, provider
