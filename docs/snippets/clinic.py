"""A clinic that answers searches. One function per action; what it returns is the callback."""

from uhi import Handlers, Participant, Verified
from uhi.actions import SEARCH
from uhi.messages import OnSearch, Search

DOCTOR = {
    "id": "1",
    "type": "Physical",
    "agent": {"id": "asha.verma@hpr.ndhm", "name": "Dr. Asha Verma"},
    "start": {"time": {"timestamp": "2026-12-01T10:00:00"}},
    "end": {"time": {"timestamp": "2026-12-31T18:00:00"}},
}
FEE = {"id": "1", "fulfillment_id": "1", "price": {"currency": "INR", "value": "500.00"}}
CLINIC = {"id": "example-clinic", "descriptor": {"name": "Example Clinic"}, "fulfillments": [DOCTOR], "items": [FEE]}

handlers = Handlers()


@handlers.on(SEARCH)
async def find_doctors(request: Verified[Search]) -> OnSearch:
    print(f"{request.sender.id} looks for a doctor")
    return OnSearch.model_validate({"catalog": {"descriptor": {"name": "Example Clinic"}, "providers": [CLINIC]}})


def app() -> Participant:
    """What `uhi serve clinic:app` runs: a participant from the settings `UHI_…`."""
    clinic = Participant.from_env()
    clinic.include(handlers)
    return clinic
