"""The boards of searches that were read lately: a page need not open and put together everything once more.

Above: `searches`; below: `kept`, `merging`. A board is kept under the number of its newest answer and never altered
after, so that one which another process has made out of date is not asked for any more.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict

from participants.patient.search.kept import KeptSearches
from participants.patient.search.merging import Board

MOST_DOCTORS = 10_000
"""How many doctors are kept in all; each takes about 12 kilobytes."""


class Boards:
    """Boards by search and newest answer. Those read last stay as long as there is room."""

    def __init__(self, kept: KeptSearches, *, most: int = MOST_DOCTORS) -> None:
        self._kept = kept
        self._most = most
        self._boards: OrderedDict[tuple[str, int], Board] = OrderedDict()
        self._making = asyncio.Lock()

    async def at(self, search_id: str, seq: int) -> Board:
        """Return what a search had found with an answer; alter nothing of it."""
        key = (search_id, seq)
        if key not in self._boards:
            # One at a time: a large one takes much memory while it is put together.
            async with self._making:
                if key not in self._boards:
                    return self._keep(key, await self._made(search_id, seq))
        self._boards.move_to_end(key)
        return self._boards[key]

    def forget(self, search_id: str | None = None) -> None:
        """Let go of the boards of a search, or of all."""
        for key in [key for key in self._boards if search_id in {None, key[0]}]:
            del self._boards[key]

    async def _made(self, search_id: str, seq: int) -> Board:
        before = [board for (other, at), board in self._boards.items() if other == search_id and at < seq]
        board = max(before, key=lambda board: board.seq, default=Board(search_id))
        answers = await self._kept.answers(search_id, after=board.seq, most=seq)
        return await asyncio.to_thread(board.after, answers)

    def _keep(self, key: tuple[str, int], board: Board) -> Board:
        if board.size <= self._most:
            self._boards[key] = board
        while sum(each.size for each in self._boards.values()) > self._most:
            self._boards.popitem(last=False)
        return board
