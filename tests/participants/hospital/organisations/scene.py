"""A hospital program's organisations on a port of this machine, and people with roles who ask."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field

from participants.hospital.organisations.program import Organisations
from tests.api.asking import Ask, Got
from uhi.audit import Acting, ActorKind
from uhi.audit.trail import AuditTrail
from uhi.errors import Refusal
from uhi.faults import TOKEN_INVALID
from uhi.identity import Grant, Permission, Principal, PrincipalKind
from uhi.identity.roles import AccessRole
from uhi.storage.sql.database import Database
from uhi.testing.clock import START

OPERATOR = "hospital.operator:olga"
ANOTHER = "hospital.operator:oskar"
MACHINE = Acting(actor="operator", kind=ActorKind.OPERATOR)
PNG = b"\x89PNG\r\n\x1a\n" + b"\x00\x00\x00\rIHDR" + bytes(24) + b"\x00\x00\x00\x00IEND\xaeB`\x82"
PICTURE = base64.b64encode(PNG).decode()
CARDIOLOGY = "ALLOPATHY.CARDIOLOGY"


class Badges:
    """Stands in for tokens: each is the role, name, tenant and factors of who has it, with colons between them."""

    async def by_token(self, token: str) -> Principal:
        """Whoever the token says."""
        role, name, tenant, how = (*token.split(":"), "", "", "")[:4]
        if role == "service":
            scopes = frozenset({Permission.ORGANISATION_READ, Permission.ORGANISATION_MANAGE})
            return Principal(kind=PrincipalKind.SERVICE, id="key-1", scopes=scopes, tenant=tenant)
        found = AccessRole.read(role)
        if found is None:
            raise Refusal(TOKEN_INVALID)
        return Principal(
            kind=PrincipalKind.PERSON,
            id=name or "someone",
            grants=frozenset({Grant(found, tenant)}),
            has_second_factor=how != "one-factor",
            signed_in_at=START,
        )


def by(token: str) -> dict[str, object]:
    """The headers of whoever has this token."""
    return {"headers": {"Authorization": f"Bearer {token}"} if token != "nobody" else {}}


@dataclass
class Ward:
    """A running program: `await ward.post(token, path, **body)` and so on; `record` gives the object of an answer."""

    ask: Ask
    organisations: Organisations
    database: Database
    invited: list[tuple[str, str, str]] = field(default_factory=list)

    async def post(self, token: str, path: str, **body: object) -> Got:
        """Send a body."""
        return await self.ask("POST", path, json=body, **by(token))

    async def patch(self, token: str, path: str, **body: object) -> Got:
        """Send what is to change."""
        return await self.ask("PATCH", path, json=body, **by(token))

    async def get(self, token: str, path: str, **query: object) -> Got:
        """Ask for something."""
        return await self.ask("GET", path, params={name: str(value) for name, value in query.items()}, **by(token))

    async def made(self, token: str, path: str, **body: object) -> dict[str, object]:
        """Add something that is fine."""
        return record(await self.post(token, path, **body))

    async def hospital(self, hfr_id: str = "IN2710000101", *, name: str = "City Hospital") -> Clinic:
        """A verified organisation with one location."""
        made = await self.made(OPERATOR, "/v1/organisations", name=name, legal_name=f"{name} Ltd", hfr_id=hfr_id)
        admin = f"hospital.admin:ada:{made['id']}"
        location = await self.made(admin, "/v1/locations", code="main", name=f"{name} Pune", helpline="1800 000 0101")
        await self.made(admin, f"/v1/organisations/{made['id']}/submit", version=1)
        await self.made(ANOTHER, f"/v1/organisations/{made['id']}/verify", version=2)
        return Clinic(self, str(made["id"]), admin, str(location["id"]))

    async def trail(self) -> list[tuple[str, str]]:
        """What was done, by whom."""
        return [(row.action, row.actor) for row in await AuditTrail(self.database).rows()]


@dataclass
class Clinic:
    """An organisation, its administrator's token, its location."""

    ward: Ward
    id: str
    admin: str
    location_id: str

    async def doctor(self, hpr_address: str = "asha.verma@hpr.ndhm", **more: object) -> dict[str, object]:
        """The record of somebody."""
        given = {"hpr_address": hpr_address, "name": "Dr. Asha Verma", **more}
        return await self.ward.made(self.admin, "/v1/practitioners", **given)

    async def practice(self, hpr_address: str = "asha.verma@hpr.ndhm", **more: object) -> dict[str, object]:
        """Somebody who practises here."""
        given = {"hpr_address": hpr_address, "location_id": self.location_id, "speciality_id": CARDIOLOGY, **more}
        return await self.ward.made(self.admin, "/v1/practices", **given)

    async def service(self, practice_id: object, kind: str = "Physical", **more: object) -> dict[str, object]:
        """What they offer."""
        return await self.ward.made(
            self.admin, "/v1/services", **{"practice_id": practice_id, "kind": kind, "fee": "800", **more}
        )


def record(got: Got) -> dict[str, object]:
    """The object that was answered."""
    assert got.status in (200, 201), got.text
    assert isinstance(got.json, dict)
    return got.json
