"""What the tests of the register start from: applicants, their keys, people who decide, and the way in."""

from __future__ import annotations

from dataclasses import dataclass, field

from gateway.network_registry.applications import Application, read_application
from gateway.network_registry.forms import ApplicationForm
from gateway.network_registry.register import Register
from gateway.network_registry.rules import RegisterRules
from gateway.network_registry.standing import Asking, Proof, Standing
from uhi.audit import Acting, ActorKind
from uhi.http.addresses import AddressPolicy
from uhi.registry.rows import moment_text
from uhi.signing import PrivateKey
from uhi.signing.beckn_challenge import decrypt, new_private_key, public_half
from uhi.signing.challenge import prove
from uhi.signing.site import site_line
from uhi.testing.clock import START

A_DAY = 86_400.0
DOMAIN = "nic2004:85111"
REGISTRY_KEY = new_private_key()
OPERATOR = Acting(actor="operator", kind=ActorKind.OPERATOR)


async def resolves(url: str, policy: AddressPolicy) -> None:
    """Every host leads to the public."""


RULES = RegisterRules(registry_id="registry.uhi", encryption_key=REGISTRY_KEY, resolves=resolves)


def person(name: str) -> Acting:
    """Somebody who is signed in."""
    return Acting(actor=name, kind=ActorKind.PERSON)


def body(subscriber_id: str, key: PrivateKey, **more: object) -> dict[str, object]:
    """An application of a hospital, valid for a year."""
    return {
        "subscriber_id": subscriber_id,
        "type": "HSPA",
        "legal_name": f"The hospital {subscriber_id}",
        "contact_email": "it@clinic.example",
        "subscriber_url": f"https://{subscriber_id}.example/api",
        "domains": [DOMAIN],
        "keys": [key_row("k1", key)],
        **more,
    }


def key_row(key_id: str, key: PrivateKey, *, days: float = 365) -> dict[str, object]:
    """A key as it is applied for."""
    return {
        "pub_key_id": key_id,
        "signing_public_key": key.public.spki_base64(),
        "valid_from": moment_text(START),
        "valid_until": moment_text(START + days * A_DAY),
    }


def read(row: object, rules: RegisterRules = RULES, now: float = START) -> Application:
    """An application as the registry reads it."""
    return read_application(ApplicationForm.model_validate(row), rules, now=now)


@dataclass
class Applicant:
    """Somebody who wants to take part, with everything that only they have."""

    id: str
    register: Register
    keys: dict[str, PrivateKey] = field(default_factory=lambda: {"k1": PrivateKey.new()})
    encryption_key: str = ""

    @property
    def acting(self) -> Acting:
        """As who the registry sees them."""
        return Acting(actor=self.id, kind=ActorKind.SUBSCRIBER)

    async def apply(self, signed_with: str = "k1", **more: object) -> Standing:
        """Apply with all keys there are."""
        rows = [key_row(key_id, key) for key_id, key in self.keys.items()]
        if self.encryption_key:
            more["encr_public_key"] = public_half(self.encryption_key)
        application = read(body(self.id, self.keys["k1"], keys=rows) | more)
        public = self.keys[signed_with].public
        return await self.register.apply(application, signed_with=public, acting=self.acting)

    async def add_key(self, key_id: str, *, signed_with: str = "k1", days: float = 365) -> Standing:
        """Offer a new key."""
        self.keys[key_id] = key = PrivateKey.new()
        row = body(self.id, key, keys=[key_row(key_id, key, days=days)])
        public = self.keys[signed_with].public
        return await self.register.add_keys(self.id, read(row).keys, signed_with=public, acting=self.acting)

    def answer(self, asking: Asking, *, key: PrivateKey | None = None) -> Proof:
        """The answer to a challenge, right if no other key is given."""
        challenge = asking.challenge
        answer = ""
        if asking.encrypted:
            answer = decrypt(asking.encrypted, self.encryption_key, public_half(REGISTRY_KEY))
        return Proof(
            challenge_id=challenge.challenge_id,
            subscriber_id=challenge.subscriber_id,
            key_id=challenge.key_id,
            signature=prove(challenge, key or self.keys[challenge.key_id]),
            answer=answer,
        )

    async def prove(self) -> Standing:
        """Answer a round of challenges and show the site."""
        for asking in await self.register.new_challenges(self.id):
            await self.register.prove(self.answer(asking), acting=self.acting)
        return await self.show_site()

    async def show_site(self, key_id: str = "k1") -> Standing:
        """Put the line on the site of the address as applied for."""
        host = f"{self.id}.example"
        line = site_line(self.id, key_id, host, self.keys[key_id])
        return await self.register.site_checked(self.id, f"hello\n{line}\n", host=host, acting=self.acting)

    async def join(self, **more: object) -> Standing:
        """The whole way in."""
        await self.apply(**more)
        await self.prove()
        await self.register.review(self.id, acting=person("reviewer"))
        return await self.be_approved()

    async def be_approved(self) -> Standing:
        """Two administrators say yes."""
        await self.register.approve(self.id, acting=person("first admin"))
        return await self.register.approve(self.id, acting=person("second admin"))
