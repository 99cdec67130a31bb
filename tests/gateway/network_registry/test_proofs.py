"""How the registry asks for proofs: of keys, of an encryption key, of the site; and how often."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace

import pytest

from gateway.network_registry.proofs import Proofs
from gateway.network_registry.register import Register
from gateway.network_registry.standing import Standing
from tests.gateway.network_registry.scene import REGISTRY_ID, Applicant, Scene, value_of, write_settings
from uhi.errors import DeliveryError
from uhi.http import any_address, serve
from uhi.http.server import application
from uhi.observability.call_log import RememberedCalls
from uhi.ports import Reply
from uhi.registry.callbacks import Provable, RegistryCallbacks
from uhi.signals.local import LocalWindows
from uhi.signing import BECKN
from uhi.signing.beckn_challenge import new_private_key, public_half
from uhi.signing.key_files import write_private_text
from uhi.signing.site import site_line


@dataclass
class Pages:
    """What stands at every host, and where it was looked for."""

    text: str = ""
    status: int = 200
    asked: list[str] = field(default_factory=list)

    async def get(self, url: str, *, timeout: float, longest: int = 65_536) -> Reply:
        self.asked.append(url)
        if not self.status:
            raise DeliveryError("no answer")
        return Reply(self.status, {}, self.text.encode())


@pytest.fixture
async def scene(tmp_path) -> AsyncIterator[Scene]:
    """A registry that asks Beckn peers for their encryption keys."""
    write_private_text(tmp_path / "encryption.key", new_private_key())
    async with Scene(write_settings(tmp_path, encryption_key_file=tmp_path / "encryption.key")) as running:
        yield running


@pytest.fixture
def pages() -> Pages:
    """The world's pages."""
    return Pages()


@pytest.fixture
async def proofs(scene, pages) -> AsyncIterator[Proofs]:
    """The asking of a registry on the open Internet, whose applicants happen to be on this machine."""

    async def anywhere(url: str, policy: object) -> None:
        """Every host is found."""

    parts = scene.program.parts
    rules = replace(parts.register.rules, addresses=any_address, is_local=False, resolves=anywhere)
    register = Register(parts.database, rules, clock=scene.clock)
    await register.open()
    # The same database, asked by the open Internet's rules.
    parts.register.rules = rules
    made = Proofs(register, parts.proofs.post, pages, LocalWindows(scene.clock))
    yield made
    await made.aclose()


async def applied(scene: Scene, proofs: Proofs) -> Applicant:
    """Somebody who applied, and was asked for everything once."""
    clinic = await scene.applicant()
    reply = await scene.apply(clinic)
    assert reply.status == 200, reply.body
    proofs.begin(clinic.id)
    await proofs.idle()
    return clinic


async def test_page_of_the_host_proves_the_site(scene, proofs, pages):
    """Contract 7: a line signed by a key of the application, at the host of the callback address."""
    clinic = await scene.applicant()
    pages.text = "# ours\n" + site_line(clinic.id, "k1", "127.0.0.1", clinic.signer.key) + "\n"
    await scene.apply(clinic)

    proofs.begin(clinic.id)
    await proofs.idle()

    standing = await scene.program.parts.register.standing(clinic.id)
    assert pages.asked == ["https://127.0.0.1/.well-known/uhi-site-verification"]
    assert standing.missing == ("review", "approval", "approval")
    assert proofs.problems(clinic.id) == ()


@pytest.mark.parametrize(("status", "text"), [(200, "nothing of ours"), (404, ""), (302, ""), (0, "")])
async def test_page_that_proves_nothing_is_told_to_the_applicant(scene, proofs, pages, status, text):
    """Contract 7: the site stays missing, and why is told."""
    pages.status, pages.text = status, text

    clinic = await applied(scene, proofs)

    assert "site" in (await scene.program.parts.register.standing(clinic.id)).missing
    assert [problem.partition(":")[0] for problem in proofs.problems(clinic.id)] == ["site"]


async def test_page_is_fetched_five_times_an_hour(scene, proofs, pages):
    """Contract 5: five tries an hour; then nobody can have us call a host again and again."""
    pages.status = 404
    clinic = await applied(scene, proofs)

    for _ in range(6):
        proofs.begin(clinic.id)
        await proofs.idle()

    assert len(pages.asked) == 5


async def test_slow_applicants_leave_room_for_the_members(scene, pages):
    """Ours: members are told of changes through the same pool of connections."""
    gate, under_way = asyncio.Event(), []

    class Slow:
        async def standing(self, subscriber_id: str) -> Standing:
            under_way.append(subscriber_id)
            await gate.wait()
            return await scene.program.parts.register.standing(subscriber_id)

    post = scene.program.parts.proofs.post
    proofs = Proofs(Slow(), post, pages, LocalWindows(scene.clock))  # type: ignore[arg-type]
    for number in range(30):
        proofs.begin(f"slow-{number}.example")
    for _ in range(5):
        await asyncio.sleep(0)
    first = len(under_way)
    gate.set()
    await proofs.idle()

    assert (first, len(under_way)) == (12, 30)


async def test_challenges_are_asked_five_times_an_hour(scene):
    """Contract 5: what is asked again and again is put off, and said so."""
    clinic = await scene.applicant()
    clinic.url = clinic.url.replace("/uhi", "/elsewhere")
    await scene.apply(clinic)
    proofs = scene.program.parts.proofs

    for _ in range(5):
        proofs.begin(clinic.id)
        await proofs.idle()

    assert "5 times within an hour" in proofs.problems(clinic.id)[0]


async def test_beckn_peer_proves_its_encryption_key_too(scene, tmp_path):
    """Issue: both a signature over the nonce and the X25519/AES challenge; the registry's key comes with it."""
    peer = Applicant("bpp.example", (await scene.applicant("other.example")).signers, type="BPP")
    peer.signers = [replace(peer.signer, subscriber_id=peer.id, profile=BECKN)]
    private = new_private_key()
    provable = Provable(scene.trust, peer.id, tuple(peer.signers), encryption_key=private)
    callbacks = RegistryCallbacks(provable, peer.hear, clock=scene.clock, log=RememberedCalls())

    async with serve(application(callbacks, prefix="/uhi")) as server:
        peer.url = f"{server.url}/uhi"
        reply = await scene.post(peer, "subscribe", peer.application(encr_public_key=public_half(private)))
        await scene.program.idle()

    assert value_of(reply)["missing"][:2] == ["key k1", "encryption key"]
    assert (await scene.program.parts.register.standing(peer.id)).missing == ("review", "approval", "approval")
    await peer.transport.aclose()


async def test_challenge_is_signed_and_asks_for_one_key(scene):
    """Contract 5: the very members that are named there."""
    clinic = await scene.applicant()
    clinic.url = clinic.url.replace("/uhi", "/elsewhere")
    await scene.apply(clinic)
    sent: list[dict[str, object]] = []

    class Mailbox:
        async def post(self, url, *, body, headers, timeout):
            sent.append({"url": url, "signed": "Authorization" in headers, **json.loads(body)})
            raise DeliveryError("nobody is there")

    proofs = scene.program.parts.proofs
    proofs.post = replace(proofs.post, transport=Mailbox())
    proofs.begin(clinic.id)
    await proofs.idle()

    [challenge] = sent
    assert (challenge.pop("url"), challenge.pop("signed")) == (f"{clinic.url}/on_subscribe", True)
    assert set(challenge) == {"subscriber_id", "registry_id", "key_id", "challenge_id", "nonce", "expires"}
    assert (challenge["registry_id"], challenge["key_id"]) == (REGISTRY_ID, "k1")
