"""Who gives which role: every role of the table against every place and every giver."""

from __future__ import annotations

from itertools import product

import pytest

from tests.identity.house import CITY, OPERATOR
from uhi.audit import Acting, ActorKind
from uhi.errors import Refusal
from uhi.faults import ACCESS_DENIED
from uhi.identity.granting import GIVES, check_may_give
from uhi.identity.principals import Grant, Principal, PrincipalKind
from uhi.identity.roles import ROLES, AccessRole, Permission

SOMEBODY = Acting(actor="1", kind=ActorKind.PERSON)
NETWORK = {"registry.viewer", "registry.reviewer", "registry.admin", "gateway.operator", "hospital.operator", "auditor"}
OF_A_WHOLE_PROGRAM = {AccessRole.REGISTRY_ADMIN, AccessRole.HOSPITAL_OPERATOR}


@pytest.mark.parametrize("giver", AccessRole)
def test_role_is_given_only_by_an_administrator_of_its_kind_in_its_place(giver):
    """Table of roles: deny by default, every cell."""
    home = "" if giver in OF_A_WHOLE_PROGRAM else CITY
    by = Principal(kind=PrincipalKind.PERSON, id="1", grants=frozenset({Grant(giver, home)}))
    for given, place in product(AccessRole, ["", CITY, "other.example"]):
        fits = given.value in NETWORK if not place else given.value not in NETWORK - {"auditor"}
        is_right = place == home and fits and given in GIVES.get(giver, ()) and given is not AccessRole.SERVICE

        assert gives(by, Grant(given, place)) is is_right


def gives(by: Principal, grant: Grant) -> bool:
    """Whether it is allowed; refused it is in one way only."""
    try:
        check_may_give(grant, by=by, acting=SOMEBODY)
    except Refusal as refusal:
        return refusal.fault is not ACCESS_DENIED
    return True


def test_every_giver_may_manage_staff_and_nobody_gives_more_than_their_kind():
    """Table of roles: the two tables say the same about who manages people."""
    assert all(Permission.STAFF_MANAGE in ROLES[role] for role in GIVES)
    assert {role for role in AccessRole if Permission.STAFF_MANAGE in ROLES[role]} == set(GIVES)
    assert AccessRole.PATIENT not in set().union(*GIVES.values())


@pytest.mark.case("IAM-16")
def test_administrator_of_the_registry_makes_no_second_one():
    """Registry rules: two different administrators; the operator of the machine alone makes them."""
    wanted = Grant(AccessRole.REGISTRY_ADMIN)
    admin = Principal(kind=PrincipalKind.PERSON, id="1", grants=frozenset({wanted}))

    assert not gives(admin, wanted)
    check_may_give(wanted, by=Principal(kind=PrincipalKind.PERSON), acting=OPERATOR)


@pytest.mark.parametrize(
    "grant", [Grant(AccessRole.REGISTRY_ADMIN, CITY), Grant(AccessRole.CLINICIAN), Grant(AccessRole.SERVICE)]
)
def test_not_even_the_operator_gives_a_role_where_there_is_none(grant):
    """Ours: a network role within a hospital would open the network's routes to it."""
    with pytest.raises(Refusal):
        check_may_give(grant, by=Principal(kind=PrincipalKind.PERSON), acting=OPERATOR)
