"""A dermatologist's practice on the low level: a function per action, the message in, the answer out."""

from uhi import Decline, Handlers, Verified
from uhi.actions import SEARCH, STATUS
from uhi.faults import ORDER_UNKNOWN
from uhi.messages import Catalog, OnSearch, OnStatus, Search, Status
from uhi.messages.values import Agent, Category, Descriptor, Fulfillment, Item, Price, Provider, Time, When

SPECIALITY = Descriptor(code="DERMATOLOGY", name="Dermatology")
DOCTOR = Fulfillment(
    id="1",
    type="Physical",
    agent=Agent(id="kavita.rao@hpr.ndhm", name="Dr. Kavita Rao"),
    start=When(time=Time(timestamp="2026-12-01T10:00:00")),
    end=When(time=Time(timestamp="2026-12-31T18:00:00")),
)
PRACTICE = Provider(
    id="example-skin-clinic",
    descriptor=Descriptor(name="Example Skin Clinic"),
    categories=[Category(id="skin", descriptor=SPECIALITY)],
    fulfillments=[DOCTOR],
    items=[Item(id="1", fulfillment_id="1", category_id="skin", price=Price(currency="INR", value="600.00"))],
)

handlers = Handlers()


@handlers.on(SEARCH)
async def find_doctors(request: Verified[Search]) -> OnSearch | None:
    wanted = request.message.intent.category
    if wanted is not None and wanted.descriptor is not None and wanted.descriptor.code != SPECIALITY.code:
        return None  # a search may stay unanswered
    return OnSearch(catalog=Catalog(descriptor=Descriptor(name="Example Skin Clinic"), providers=[PRACTICE]))


@handlers.on(STATUS)
async def tell_status(request: Verified[Status]) -> OnStatus | Decline:
    return Decline(ORDER_UNKNOWN)  # a question may not
