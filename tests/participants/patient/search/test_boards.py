"""Boards that were read lately: put together once, within a room, true to what has come."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from participants.patient.search.boards import Boards
from participants.patient.search.merging import Answered, Board
from tests.participants.demo_hospital.village import ASHA, RAVI
from tests.participants.patient.search.findings import answered
from tests.participants.patient.search.stand import names, pune, standing


@dataclass
class Shelf:
    """Answers, and from which number on they were asked for."""

    there: list[Answered]
    asked: list[int] = field(default_factory=list)

    async def answers(self, search_id: str, *, after: int = 0, most: int | None = None) -> list[Answered]:
        self.asked.append(after)
        return [answer for answer in self.there if after < answer.seq <= most]


def doctors(count: int) -> list[object]:
    """Doctors, each of their own."""
    return [replace(ASHA, id=f"d{n}@hpr.ndhm") for n in range(count)]


async def test_board_that_was_read_is_not_put_together_again():
    """Ours: five hospitals of 2,000 doctors take seconds to be opened, and pages are read one after the other."""
    shelf = Shelf([answered(1, ASHA), answered(2, RAVI, by="two.example")])
    boards = Boards(shelf)

    first, second = [await boards.at("s", 2) for _ in range(2)]

    assert first is second
    assert (shelf.asked, sorted(one.doctor.name for one in first.entries)) == ([0], sorted([ASHA.name, RAVI.name]))


async def test_next_answer_is_added_to_what_was_read_and_the_earlier_page_stays():
    """Ours: what comes meanwhile moves nothing, and only what is new is opened."""
    shelf = Shelf([answered(1, ASHA), answered(2, ASHA, RAVI)])
    boards = Boards(shelf)

    before, after = await boards.at("s", 1), await boards.at("s", 2)

    assert (shelf.asked, before.size, after.size) == ([0, 1], 1, 2)
    assert after == Board("s").after(shelf.there)
    assert await boards.at("s", 1) is before


async def test_boards_take_no_more_room_than_there_is():
    """Ours: memory is bounded; what was read least lately goes first, what is larger than the room is not kept."""
    shelf = Shelf([answered(1, *doctors(4))])
    boards = Boards(shelf, most=10)
    for name in ("a", "b", "a", "c", "a", "b"):
        await boards.at(name, 1)
    small = len(shelf.asked)

    for _ in range(2):
        await Boards(shelf, most=3).at("large", 1)

    assert (small, len(shelf.asked)) == (4, 6)


async def test_board_of_a_search_that_is_forgotten_goes_too():
    """Privacy rules: deleted is deleted."""
    boards = Boards(Shelf([answered(1, ASHA)]))
    gone, kept = await boards.at("s-1", 1), await boards.at("s-2", 1)

    boards.forget("s-1")

    assert await boards.at("s-1", 1) is not gone
    assert await boards.at("s-2", 1) is kept


async def test_pages_of_a_search_are_read_from_one_board(sqlite_url):
    """Ours: a page costs its sorting, not its search."""
    async with standing(sqlite_url, pune()) as stand:
        one = await stand.begin()
        shown = await stand.found(one)
        await stand.app.world.kept.database.write(
            lambda connection: connection.exec_driver_sql("UPDATE patient_search_answer SET body = x'00'")
        )
        status, page = await stand.get(f"/v1/searches/{one}")

    assert (status, names(page["doctors"])) == (200, names(shown))
