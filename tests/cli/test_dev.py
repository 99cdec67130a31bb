"""`uhi dev` runs whole hospitals: the demo's data in their databases, an interface for their staff, one invitation."""

from __future__ import annotations

from pathlib import Path

import aiohttp

from cli.dev_network import HOSPITALS, DevNetwork, running
from cli.home import Home
from cli.story import book
from tests.docs.shell import free_port

PASSWORD = "quiet lantern under seven hills"


def staffed(folder: Path):
    """Such a network, whose staff interfaces are on free ports."""
    first = free_port(len(HOSPITALS))
    ports = {name: first + number for number, name in enumerate(HOSPITALS)}
    return running(home=Home(folder / ".uhi"), staff_ports=ports)


async def status_of(network: DevNetwork, path: str, body: dict[str, str] | None = None) -> int:
    """What the first hospital's staff interface says."""
    method, url = ("POST" if body else "GET"), f"{network.staff[0].url}{path}"
    async with aiohttp.ClientSession() as session, session.request(method, url, json=body) as answer:
        return answer.status


async def test_story_holds_at_whole_hospitals(tmp_path):
    """Issue 5: search, hold, confirm, status, cancel at hospitals that keep everything in databases; again after it."""
    async with staffed(tmp_path) as network:
        first = await book(network)
    async with staffed(tmp_path) as network:
        again = await book(network)

    assert first.ok
    assert again.ok


async def test_invitation_is_shown_until_it_is_taken_up(tmp_path):
    """Ours: a one-time token, a new one at each start, none once the administrator has a password."""
    async with staffed(tmp_path) as network:
        lost, described = network.staff[0].token, await status_of(network, "/openapi.json")
    async with staffed(tmp_path) as network:
        token = network.staff[0].token
        taken = await status_of(network, "/v1/invitations/accept", {"token": token, "password": PASSWORD})
        closed = await status_of(network, "/v1/appointments")
    async with staffed(tmp_path) as network:
        left = [each.token for each in network.staff]

    assert (described, taken, closed, lost != token) == (200, 204, 401, True)
    assert (left[0], len(left[1])) == ("", 43)
