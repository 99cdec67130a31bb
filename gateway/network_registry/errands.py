"""What a subscriber may ask of the registry about itself: the paths, and the bodies that are not applications.

Wire models and legs. Above: `desk`; below: `forms`. Source: security rules "Registry and key rules", self-service.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeVar

from pydantic import AliasChoices, ConfigDict, Field

from gateway.network_registry.forms import ApplicationForm, KeysForm
from uhi.actions import KIB, Leg, Limits, Urgency
from uhi.messages.wire import Wire
from uhi.subscribers import Role

M = TypeVar("M", bound=Wire)

_Id = Annotated[str, Field(strict=True, min_length=1, max_length=255)]
_KeyId = Annotated[_Id, Field(validation_alias=AliasChoices("pub_key_id", "key_id", "unique_key_id"))]
_Text = Annotated[str, Field(strict=True, max_length=4_096)]

# Small enough that a whole body may be read from somebody whom nobody knows yet.
_LIMITS = Limits(body=32 * KIB, nodes=2_000)
_PARTIES = (Role.CONSUMER, Role.PROVIDER, Role.GATEWAY)


class OwnForm(Wire):
    """An errand that needs no more than whose it is."""

    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)

    subscriber_id: _Id


class StandingForm(OwnForm):
    """How do I stand? With `retry` the proofs that are missing are asked for once more."""

    retry: bool = True


class KeyEndForm(OwnForm):
    """Which of one's own keys is to end. A signature covers no path, so the body says what is to become of it: a
    lookup of one's own key would read the same."""

    key_id: _KeyId
    status: Literal["REVOKED"]


class LeavingForm(OwnForm):
    """One's own end, said in the body for the same reason: any question about oneself would read the same."""

    status: Literal["UNSUBSCRIBED"]


class ProofForm(OwnForm):
    """The answer to a challenge, brought by the subscriber."""

    challenge_id: _Id
    key_id: _KeyId
    signature: _Text
    answer: _Text = ""


def _leg(path: str, kind: type[M]) -> Leg[M]:
    return Leg(path, path, kind, _PARTIES, Role.REGISTRY, urgency=Urgency.ASKED, has_context=False, limits=_LIMITS)


SUBSCRIBE = _leg("subscribe", ApplicationForm)
ON_SUBSCRIBE = _leg("on_subscribe", ProofForm)
KEYS = _leg("keys", KeysForm)
REVOKE_KEY = _leg("keys/revoke", KeyEndForm)
UNSUBSCRIBE = _leg("unsubscribe", LeavingForm)
SUBSCRIPTION = _leg("subscription", StandingForm)
