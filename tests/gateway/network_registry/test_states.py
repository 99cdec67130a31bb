"""The table of states, every cell: what leads where, who may do it, and that all else is refused."""

from __future__ import annotations

import pytest

from gateway.network_registry.states import MOVES, Step
from uhi.audit import ActorKind
from uhi.errors import Refusal
from uhi.faults import ACCESS_DENIED, STATE_REFUSED
from uhi.identity.moves import ABSENT
from uhi.subscribers import STATUSES

_PEOPLE = {ActorKind.PERSON, ActorKind.OPERATOR}
_SELF, _CLOCK, _OPERATOR = {ActorKind.SUBSCRIBER}, {ActorKind.SYSTEM}, {ActorKind.OPERATOR}

EXPECTED = {
    (ABSENT, Step.APPLY): ("INITIATED", _SELF),
    (ABSENT, Step.ADMIT): ("SUBSCRIBED", _OPERATOR),
    ("INITIATED", Step.APPLY): ("INITIATED", _SELF),
    ("INITIATED", Step.REVIEW): ("UNDER_REVIEW", _PEOPLE),
    ("INITIATED", Step.DECLINE): ("UNSUBSCRIBED", _PEOPLE),
    ("INITIATED", Step.REVOKE): ("REVOKED", _PEOPLE),
    ("UNDER_REVIEW", Step.APPLY): ("INITIATED", _SELF),
    ("UNDER_REVIEW", Step.APPROVE): ("SUBSCRIBED", _PEOPLE),
    ("UNDER_REVIEW", Step.DECLINE): ("UNSUBSCRIBED", _PEOPLE),
    ("UNDER_REVIEW", Step.REVOKE): ("REVOKED", _PEOPLE),
    ("SUBSCRIBED", Step.AMEND): ("SUBSCRIBED", _SELF),
    ("SUBSCRIBED", Step.APPROVE): ("SUBSCRIBED", _PEOPLE),
    ("SUBSCRIBED", Step.DECLINE): ("SUBSCRIBED", _PEOPLE),
    ("SUBSCRIBED", Step.SUSPEND): ("SUSPENDED", _PEOPLE),
    ("SUBSCRIBED", Step.REVOKE): ("REVOKED", _PEOPLE),
    ("SUBSCRIBED", Step.EXPIRE): ("EXPIRED", _CLOCK),
    ("SUBSCRIBED", Step.LEAVE): ("UNSUBSCRIBED", _SELF),
    ("SUSPENDED", Step.RESUME): ("SUBSCRIBED", _PEOPLE),
    ("SUSPENDED", Step.DECLINE): ("SUSPENDED", _PEOPLE),
    ("SUSPENDED", Step.REVOKE): ("REVOKED", _PEOPLE),
    ("SUSPENDED", Step.EXPIRE): ("EXPIRED", _CLOCK),
    ("EXPIRED", Step.APPLY): ("INITIATED", _SELF),
    ("EXPIRED", Step.REVOKE): ("REVOKED", _PEOPLE),
    ("UNSUBSCRIBED", Step.APPLY): ("INITIATED", _SELF),
    ("UNSUBSCRIBED", Step.REVOKE): ("REVOKED", _PEOPLE),
}
CELLS = [(state, step, kind) for state in (ABSENT, *STATUSES) for step in Step for kind in ActorKind]


@pytest.mark.parametrize(("state", "step", "kind"), CELLS, ids=lambda value: getattr(value, "name", value or "absent"))
def test_every_step_of_every_actor_from_every_state_is_settled(state, step, kind):
    """Security rules "Registry and key rules", states: what the table does not say is refused."""
    to, kinds = EXPECTED.get((state, step), (None, set()))

    if kind in kinds:
        assert MOVES.after(state, step, kind) == to
        return
    with pytest.raises(Refusal) as refused:
        MOVES.after(state, step, kind)

    assert refused.value.fault is (ACCESS_DENIED if to else STATE_REFUSED)


def test_nothing_leads_out_of_a_revocation():
    """Contract: REVOKED is final, and the text says so."""
    with pytest.raises(Refusal, match="final"):
        MOVES.after("REVOKED", Step.RESUME, ActorKind.PERSON)
