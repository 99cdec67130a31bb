"""The registry's whole interface over HTTP, as it is served and described: what people use, and the signed paths.

Above: `program`, `docs/interfaces.py`; below: `uhi.api`, the legs and models of `counters`, `desk` and `filters`.
Source: OpenAPI 3.1.1, decision 26.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from http import HTTPStatus

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from gateway.network_registry.admin_routes import RegistryDesk
from gateway.network_registry.answers import SIGNATURE
from gateway.network_registry.errands import KEYS, ON_SUBSCRIBE, REVOKE_KEY, SUBSCRIBE, SUBSCRIPTION, UNSUBSCRIBE
from gateway.network_registry.filters import FILTER
from gateway.network_registry.register import Register
from gateway.network_registry.signed_answers import BecknRow, NumberedRow, OwnStanding, ProviderRows, Receipt, Refused
from uhi.actions import LOOKUP, PROVIDER_LOOKUP, Leg
from uhi.api.identity import identity_routes
from uhi.api.openapi import Json, describe, description_page
from uhi.api.routes import Routes
from uhi.audit.trail import AuditTrail
from uhi.faults import CHALLENGE_EXPIRED, CHALLENGE_USED, RECORD_MISSING, RECORD_UNKNOWN, STATE_REFUSED, Fault
from uhi.identity.parts import IdentityParts
from uhi.messages.wire import Wire

TITLE = "UHI network registry"
VERSION = "1"

_TAG = "signed"
_REF = "#/components/schemas/{model}"
_REFUSED = "Refused{}"
_ALWAYS = {400, 401, 403, 408, 413, 415, 429, 431, 500, 503}
_SCHEME = {
    "type": "apiKey",
    "in": "header",
    "name": "Authorization",
    "description": (
        "A signature with a registered Ed25519 key of who asks: "
        '`Signature keyId="<subscriber_id>|<key_id>|ed25519",algorithm="ed25519",created="…",expires="…",'
        'headers="(created) (expires) digest",signature="…"`. Signed are the lines `(created): …`, `(expires): …` and '
        "`digest: BLAKE-512=…`, the digest being the base64 of BLAKE2b-512 over the exact bytes of the body. An "
        "application is signed with one of the keys in it, a late answer to a challenge with the key that it proves. "
        "Every errand is signed anew: a header counts once."
    ),
}
_ANSWER_HEADER = {
    SIGNATURE: {
        "description": "The registry's own signature, of the same form, over the exact bytes of this answer.",
        "schema": {"type": "string"},
    }
}


@dataclass(frozen=True, slots=True)
class _Path:
    """One signed path: its name in the description, what it does, its leg, and what it answers."""

    name: str
    summary: str
    leg: Leg[Wire]
    answer: type[BaseModel]
    is_list: bool = False
    refuses: tuple[Fault, ...] = ()

    @property
    def statuses(self) -> set[int]:
        """Every status of a refusal."""
        return _ALWAYS | {fault.status for fault in self.refuses}


_CHANGE = (RECORD_MISSING, STATE_REFUSED)
_LATE = (RECORD_MISSING, CHALLENGE_USED, CHALLENGE_EXPIRED)
_APPLY = (
    "Apply to take part or, as a member, for a change of one's entry. Beckn's flat form is taken as well: names and "
    "values of the one key beside the others, in place of `keys`; it is answered in kind."
)
_PROVE = "Answer a challenge late, signed with the key that is to be proven."
_UHI = (
    _Path("look_up", "Who is this subscriber, and what is its key?", LOOKUP, NumberedRow, True, (RECORD_UNKNOWN,)),
    _Path(
        "look_up_providers",
        "For gateways: which providers does a search concern?",
        PROVIDER_LOOKUP,
        ProviderRows,
        refuses=(RECORD_UNKNOWN,),
    ),
    _Path("apply", _APPLY, SUBSCRIBE, Receipt, refuses=_CHANGE),
    _Path("prove", _PROVE, ON_SUBSCRIBE, Receipt, refuses=_LATE),
    _Path("add_keys", "Offer further keys; they wait until proven and approved.", KEYS, Receipt, refuses=_CHANGE),
    _Path("end_key", "End one of one's own keys, at once.", REVOKE_KEY, Receipt, refuses=_CHANGE),
    _Path("leave", "Leave the network.", UNSUBSCRIBE, Receipt, refuses=_CHANGE),
    _Path(
        "get_standing",
        "How do I stand, and what is missing? Missing proofs are asked for again, unless `retry` is false.",
        SUBSCRIPTION,
        OwnStanding,
        refuses=(RECORD_MISSING,),
    ),
)
_BECKN = (
    _Path("beckn_look_up", "Who fits this filter, in Beckn's names?", FILTER, BecknRow, True, (RECORD_UNKNOWN,)),
    _Path("beckn_apply", _APPLY, SUBSCRIBE, Receipt, refuses=_CHANGE),
    _Path("beckn_prove", _PROVE, ON_SUBSCRIBE, Receipt, refuses=_LATE),
)


def registry_routes(people: IdentityParts, trail: AuditTrail, register: Register, *, prefix: str) -> Sequence[Routes]:
    """The interface for people, and the page that describes everything; UHI's signed paths are below `prefix`."""
    desk = RegistryDesk(register, clock=people.store.clock, names=people.accounts.emails)
    groups = (*identity_routes(people, trail, for_patients=False), desk.routes())
    return (*groups, description_page(groups, title=TITLE, version=VERSION, others=signed_paths(prefix)))


def description(groups: Sequence[Routes], *, prefix: str) -> Json:
    """The description of what `registry_routes` made, and of the signed paths."""
    return describe(groups, title=TITLE, version=VERSION, others=signed_paths(prefix))


def signed_paths(prefix: str) -> Json:
    """The signed paths as a part of an OpenAPI description: UHI's below `prefix`, Beckn's at the root."""
    placed = [(f"{prefix}/{path.leg.path}", path) for path in _UHI]
    placed += [(f"/{path.leg.path}", path) for path in _BECKN]
    schemas = _Schemas([path for _, path in placed])
    statuses = sorted({status for _, path in placed for status in path.statuses})
    return {
        "tags": [{"name": _TAG}],
        "paths": {where: {"post": _operation(path, schemas)} for where, path in placed},
        "components": {
            "schemas": schemas.named,
            "responses": {
                _REFUSED.format(status): _answered(f"{HTTPStatus(status).phrase}.", schemas.given(Refused))
                for status in statuses
            },
            "securitySchemes": {"signature": _SCHEME},
        },
    }


class _Schemas:
    """The schemas of all models by name, and how a place in the description refers to one."""

    def __init__(self, paths: Iterable[_Path]) -> None:
        # By name, so that the description is the same every time.
        modes = {(model.__name__, mode): (model, mode) for model, mode in _modes(paths)}
        self._references, defined = models_json_schema([modes[each] for each in sorted(modes)], ref_template=_REF)
        self.named: Json = dict(sorted(defined["$defs"].items()))

    def taken(self, model: type[BaseModel]) -> Json:
        """What a body is like."""
        return dict(self._references[model, "validation"])

    def given(self, model: type[BaseModel]) -> Json:
        """What an answer is like."""
        return dict(self._references[model, "serialization"])


def _modes(paths: Iterable[_Path]) -> Iterator[tuple[type[BaseModel], JsonSchemaMode]]:
    yield Refused, "serialization"
    for path in paths:
        yield path.leg.kind, "validation"
        yield path.answer, "serialization"


def _operation(path: _Path, schemas: _Schemas) -> Json:
    row = schemas.given(path.answer)
    refused = {str(status): {"$ref": f"#/components/responses/{_REFUSED.format(status)}"} for status in path.statuses}
    return {
        "operationId": path.name,
        "summary": path.summary,
        "tags": [_TAG],
        "security": [{"signature": []}],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": schemas.taken(path.leg.kind)}},
        },
        "responses": {
            "200": _answered("Done.", {"type": "array", "items": row} if path.is_list else row),
            **dict(sorted(refused.items())),
        },
    }


def _answered(what: str, schema: Json) -> Json:
    return {"description": what, "headers": _ANSWER_HEADER, "content": {"application/json": {"schema": schema}}}
