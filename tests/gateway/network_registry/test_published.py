"""The registry's published description against a registry that is served: people with tokens, members with signatures.

Over a real socket: the registry runs in a thread of its own, because Schemathesis waits for its answers.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from pydantic import TypeAdapter
from requests.auth import AuthBase

from gateway.network_registry.signed_answers import BecknRow, NumberedRow, OwnStanding, ProviderRows, Receipt, Refused
from tests.api.beside import Beside
from tests.api.hall import BOTH, PHONE, bearer
from tests.api.published import Asking, check_as_described, operations, published
from tests.gateway.network_registry.scene import PREFIX, Applicant, Scene, key_row, with_key, write_settings
from uhi.exchange.stamps import Stamps
from uhi.identity.people import Account
from uhi.identity.principals import Grant
from uhi.identity.roles import AccessRole
from uhi.identity.sign_in import SignedIn
from uhi.signing import Signer, body_digest
from uhi.signing.key_files import write_private_text

DESCRIBED = published("openapi-registry.json")
TAGS = {(method, path): DESCRIBED["paths"][path][method.lower()]["tags"][0] for method, path in operations(DESCRIBED)}
OF_PEOPLE = [operation for operation, tag in TAGS.items() if tag == "registry"]
SIGNED = [operation for operation, tag in TAGS.items() if tag == "signed"]
RIGHTS = frozenset({Grant(AccessRole.REGISTRY_ADMIN), Grant(AccessRole.AUDITOR)})
FEW, FEWER = 15, 8


class SignedBy(AuthBase):
    """Signs the very bytes that are about to be sent."""

    def __init__(self, scene: Scene, signer: Signer) -> None:
        self._scene, self._signer = scene, signer

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        body = request.body or b""
        digest = body_digest(body.encode() if isinstance(body, str) else body)
        header = Stamps(self._signer).header(digest, receiver="", now=self._scene.clock.now())
        request.headers["Authorization"] = header
        return request


class Running:
    """A registry in a thread of its own."""

    def __init__(self, folder: Path) -> None:
        self.beside = Beside()
        write_private_text(folder / "sms.token", "token")
        texts = {"sms_url": "https://sms.example", "sms_token_file": folder / "sms.token", "sms_header": "UHIREG"}
        texts |= {"sms_entity_id": "1101", "sms_code_template": "1107"}
        pace = {"requests_per_minute": 1_000_000, "errands_per_minute": 1_000_000}
        self.scene = Scene(write_settings(folder, **texts, **pace))
        self.beside.run(self.scene.__aenter__())
        self.url = self.scene.server.url
        self._named = 0

    def administrator(self) -> dict[str, str]:
        """The header of an administrator who signed in just now, with two factors."""
        return self.beside.run(self._administrator())

    async def _administrator(self) -> dict[str, str]:
        people, now = self.scene.program.parts.people, self.scene.clock.now()
        rows = await people.accounts.rows()
        made = Account(id=f"acc-{self._next()}", email=f"p{self._named}@reg.example", name="Asha", grants=RIGHTS)
        kept = await people.store.database.write(lambda each: rows.insert(each, made, password=None, at=now))
        opened = await people.sessions.open(SignedIn(kept, BOTH, now), client=PHONE, is_browser=False)
        return bearer(opened.access_token)

    def member(self, **more: object) -> Applicant:
        """Somebody new who takes part."""
        return self.beside.run(self.scene.member(f"m{self._next()}.example", **more))

    def post(self, member: Applicant, path: str, value: object, *, base: str = PREFIX) -> requests.Response:
        """An errand, or a question, signed."""
        auth = SignedBy(self.scene, member.signer)
        return requests.post(f"{self.url}{base}/{path}", json=value, auth=auth, timeout=10)

    def stop(self) -> None:
        """End it."""
        self.beside.run(self.scene.__aexit__(None, None, None))
        self.beside.stop()

    def _next(self) -> int:
        self._named += 1
        return self._named


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One registry for everything."""
    started = Running(tmp_path_factory.mktemp("published"))
    yield started
    started.stop()


def caller(running: Running, operation: tuple[str, str]) -> Applicant:
    """A new member of the role that may ask this."""
    return running.member(type="gateway") if operation[1].endswith("/providers") else running.member()


@pytest.mark.parametrize("operation", OF_PEOPLE, ids=" ".join)
def test_answers_to_administrators_are_as_described(running, operation):
    """Issue 4: Schemathesis against the published OpenAPI: no server error, and status, type and schema as told."""
    asking = Asking(running.url, running.administrator(), most_examples=FEW)

    check_as_described(DESCRIBED, operation, asking, id=running.member().id, key_id="k1")


@pytest.mark.parametrize("operation", SIGNED, ids=" ".join)
def test_answers_to_signed_requests_are_as_described(running, operation):
    """Issue 4: with signed requests; what is signed may be as hostile as what is not."""
    member = caller(running, operation)
    asking = Asking(running.url, auth=SignedBy(running.scene, member.signer), most_examples=FEW)

    check_as_described(DESCRIBED, operation, asking, subscriber_id=member.id, pub_key_id="k1")


@pytest.mark.parametrize("operation", SIGNED, ids=" ".join)
def test_answers_to_whatever_stands_for_a_signature_are_as_described(running, operation):
    """Ours: headers that are no signature are refused in the same form."""
    check_as_described(DESCRIBED, operation, Asking(running.url, most_examples=FEWER))


def test_served_description_is_the_published_one(running):
    """Ours: the page in the documentation is what the registry tells of itself."""
    served = requests.get(f"{running.url}/openapi.json", timeout=10)

    assert served.json() == DESCRIBED


def test_lookups_answer_as_described(running):
    """Ours: nothing is in a row that is not described."""
    member, gateway = running.member(), running.member(type="gateway")

    found = running.post(gateway, "lookup", {"subscriber_id": member.id})
    providers = running.post(gateway, "lookup/providers", {"domain": "nic2004:85111", "country": "IND"})
    filtered = running.post(gateway, "lookup", {"type": "BPP"}, base="")

    assert {each.status_code for each in (found, providers, filtered)} == {200}
    assert TypeAdapter(list[NumberedRow]).validate_json(found.content)
    assert ProviderRows.model_validate_json(providers.content).message
    assert TypeAdapter(list[BecknRow]).validate_json(filtered.content)


def test_errands_answer_as_described(running):
    """Ours: nothing is in an answer that is not described; with something waiting, and refusals too."""
    member = running.member()
    own = {"subscriber_id": member.id}
    offered = {**own, "keys": [key_row(with_key(member.signer, "k2"))]}

    added = running.post(member, "keys", offered)
    applied = running.post(member, "subscribe", member.application(legal_name="Another name"))
    stands = running.post(member, "subscription", {**own, "retry": False})
    ended = running.post(member, "keys/revoke", {**own, "pub_key_id": "k9", "status": "REVOKED"})
    left = running.post(member, "unsubscribe", {**own, "status": "UNSUBSCRIBED"})

    assert [each.status_code for each in (added, applied, stands, ended, left)] == [200, 200, 200, 404, 200]
    assert all(Receipt.model_validate_json(each.content) for each in (added, applied, left))
    assert OwnStanding.model_validate_json(stands.content).pending is not None
    assert Refused.model_validate_json(ended.content).error.code


def test_nobody_makes_an_account_at_a_registry_without_being_invited(running):
    """Issue 4: patients register with hospitals and apps."""
    answer = requests.post(f"{running.url}/v1/accounts", json={}, timeout=10)

    assert answer.status_code == 404
    assert not any(path.startswith("/v1/accounts") for path in DESCRIBED["paths"])
