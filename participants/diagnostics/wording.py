"""Orders and catalogues of consultations in the words of a laboratory: the item is the test, not a consultation.

The library's bookings do the work; only what an item is called is changed on its way out. Above: `provider`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from participants.diagnostics.labs import Labs
from uhi.actions import Broadcast, Decline, Notice, Question
from uhi.booking.speaker import WAIT, Answers, Speaker
from uhi.messages import Catalog, Order
from uhi.messages.values import Category, Descriptor, Item, Provider
from uhi.messages.wire import Wire
from uhi.ports import Clock, Letter
from uhi.verified import Thread
from uhi.world import World

M = TypeVar("M", bound=Wire)
Q = TypeVar("Q", bound=Wire)
A = TypeVar("A", bound=Wire)


class Wording:
    """Knows what the tests of each lab are called."""

    def __init__(self, labs: Labs) -> None:
        self._labs = labs

    async def message(self, message: M) -> M:
        """Return a message with the items of its order or catalogue named by their tests; others as they are."""
        order, catalog = getattr(message, "order", None), getattr(message, "catalog", None)
        if isinstance(order, Order):
            return message.model_copy(update={"order": await self._order(order)})
        if isinstance(catalog, Catalog):
            return message.model_copy(update={"catalog": _catalog(catalog)})
        return message

    async def answer(self, answer: A | Decline | None) -> A | Decline | None:
        """Return an answer so, or the no that comes in its place."""
        if answer is None:
            return None
        if isinstance(answer, Decline):
            return replace(answer, message=await self.message(answer.message)) if answer.message else answer
        return await self.message(answer)

    async def _order(self, order: Order) -> Order:
        item, lab_id = order.item, (order.provider.id if order.provider else None) or ""
        test = await self._labs.test(lab_id, item.category_id) if item and item.category_id else None
        if item is None or test is None:
            return order
        described = Descriptor(code=test.code, name=test.name, short_desc=test.preparation or None)
        return order.model_copy(update={"item": item.model_copy(update={"descriptor": described})})


class LabSpeaker:
    """`uhi.booking.Speaker` around another one: what is told unasked is in the lab's words too."""

    def __init__(self, speaker: Speaker, wording: Wording) -> None:
        self._speaker = speaker
        self._wording = wording

    @property
    def clock(self) -> Clock:
        """The time."""
        return self._speaker.clock

    @property
    def subscriber_id(self) -> str:
        """Who speaks."""
        return self._speaker.subscriber_id

    @property
    def world(self) -> World:
        """Where orders are kept."""
        return self._speaker.world

    def ask(
        self,
        action: Question[Q, A] | Broadcast[Q, A],
        message: Q,
        thread: Thread | None = None,
        *,
        wait: float = WAIT,
    ) -> Answers[A]:
        """Send a question as it is: a laboratory asks nothing about its items."""
        return self._speaker.ask(action, message, thread, wait=wait)

    async def tell(self, notice: Notice[M], message: M, thread: Thread) -> None:
        """Send news."""
        await self._speaker.tell(notice, await self._wording.message(message), thread)

    async def compose(self, notice: Notice[M], message: M, thread: Thread) -> Sequence[Letter]:
        """Write news without sending it."""
        return await self._speaker.compose(notice, await self._wording.message(message), thread)

    def post(self, letters: Sequence[Letter], *, mine: Sequence[Letter]) -> None:
        """Send letters that are kept already."""
        self._speaker.post(letters, mine=mine)


def _catalog(catalog: Catalog) -> Catalog:
    entries = [_named(entry) if isinstance(entry, Provider) else entry for entry in catalog.providers or ()]
    return catalog.model_copy(update={"providers": entries})


def _named(lab: Provider) -> Provider:
    tests = {category.id: category for category in lab.categories or ()}
    return lab.model_copy(update={"items": [_item(item, tests.get(item.category_id)) for item in lab.items or ()]})


def _item(item: Item, test: Category | None) -> Item:
    return item.model_copy(update={"descriptor": test.descriptor}) if test else item
