"""`uhi dev` runs whole programs: the demo's hospitals with their staff's interface, a backend for patients' apps."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
from asyncio.subprocess import PIPE
from pathlib import Path

import aiohttp
import pytest

from cli.dev_network import HOSPITALS, PATIENT, DevNetwork, running
from cli.home import Home
from cli.story import book
from tests.docs.shell import free_port

PASSWORD = "quiet lantern under seven hills"


def staffed(folder: Path):
    """Such a network, whose staff interfaces are on free ports."""
    first = free_port(len(HOSPITALS) + 1)
    ports = {name: first + number for number, name in enumerate((*HOSPITALS, PATIENT))}
    return running(home=Home(folder / ".uhi"), people_ports=ports)


async def status_of(network: DevNetwork, path: str, body: dict[str, str] | None = None) -> int:
    """What the first hospital's staff interface says."""
    method, url = ("POST" if body else "GET"), f"{network.staff[0].url}{path}"
    async with aiohttp.ClientSession() as session, session.request(method, url, json=body) as answer:
        return answer.status


async def app_says(network: DevNetwork, path: str, body: dict[str, str], token: str = "") -> dict[str, object]:
    """What the backend for apps answers."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    method = "POST" if body else "GET"
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.request(method, f"{network.backend.url}{path}", json=body or None) as answer,
    ):
        return json.loads(await answer.read() or "{}")


async def sign_in(network: DevNetwork) -> str:
    """The token of the account that is there from the start."""
    own = {"email": network.backend.email, "password": network.backend.password}
    return (await app_says(network, "/v1/sign-in", own))["session"]["access_token"]


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


@pytest.mark.skipif(shutil.which("curl") is None, reason="what is printed are commands for curl")
async def test_first_steps_of_an_app_are_commands_that_work(tmp_path):
    """Ours: what is printed can be pasted: sign in, consent, search; doctors of both hospitals are streamed."""
    async with staffed(tmp_path) as network:
        # Both hospitals answer at once; the stream would wait for others.
        steps = "\n".join(network.backend.first_steps()).replace("-m 12", "-m 3")
        shell = await asyncio.create_subprocess_exec("bash", "-uc", steps, stdout=PIPE, stderr=PIPE)
        printed = (await shell.communicate())[0].decode()

    answered = set(re.findall(r'data:.*?"provider_id":"([^"]+)","doctors":\[\{', printed))
    assert answered == set(HOSPITALS)
    assert '"purpose":"discovery"' in printed
    assert printed.rstrip().endswith('"next":""}')


async def test_account_of_the_app_stays_and_has_agreed_to_nothing(tmp_path):
    """Ours: consent is the patient's own act; the password is the same at the next start."""
    async with staffed(tmp_path) as network:
        first, consents = network.backend, await app_says(network, "/v1/consents", {}, await sign_in(network))
    async with staffed(tmp_path) as network:
        again, token = network.backend, await sign_in(network)

    assert consents == {"consents": []}
    assert (first.password, bool(token)) == (again.password, True)


async def test_letters_reach_whoever_started_the_network(tmp_path):
    """Ours: there is no mail server, and an app's developer tries out signing up."""
    new = {"email": "asha@patient.example", "password": PASSWORD, "name": "Asha"}
    async with staffed(tmp_path) as network:
        shown: asyncio.Queue[str] = asyncio.Queue()
        network.letters.show = shown.put_nowait
        ticket = (await app_says(network, "/v1/accounts", new))["ticket"]
        [code] = re.findall(r"code is (\d+)", await shown.get())
        await app_says(network, "/v1/accounts/confirm", {"ticket": str(ticket), "code": code})
        signed_in = await app_says(network, "/v1/sign-in", {key: new[key] for key in ("email", "password")})

    assert signed_in["state"] == "signed in"
