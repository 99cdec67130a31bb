"""Who may do what: every role with every permission, every relation to a record, as tables that a person can read."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from uhi.errors import Refusal, SetupError
from uhi.faults import (
    ACCESS_DENIED,
    FRESH_SIGN_IN_REQUIRED,
    RECORD_MISSING,
    SECOND_FACTOR_REQUIRED,
    SIGN_IN_REQUIRED,
    Fault,
)
from uhi.identity.principals import NOBODY, Grant, Principal, PrincipalKind
from uhi.identity.roles import AccessRole, Permission
from uhi.identity.rules import PUBLIC, Relation, Rule, Target, check, check_target

NOW = 1_790_000_000.0

ROLES = """
                       viewer reviewer admin gateway owner developer operator hospital desk clinician finance patient auditor service
account.own            yes    yes      yes   yes     yes   yes       yes      yes      yes  yes       yes     yes     yes     -
staff.manage           -      -        yes   -       yes   -         yes      yes      -    -         -       -       -       -
api_keys.make          -      -        yes   -       yes   yes       -        yes      -    -         -       -       -       -
registry.read          yes    yes      yes   -       -     -         -        -        -    -         -       -       -       -
registry.review        -      yes      yes   -       -     -         -        -        -    -         -       -       -       -
registry.decide        -      -        yes   -       -     -         -        -        -    -         -       -       -       -
subscriber.own         -      -        -     -       yes   yes       -        -        -    -         -       -       -       -
deliveries.operate     -      -        -     yes     -     -         yes      -        -    -         -       -       -       -
organisations.verify   -      -        -     -       -     -         yes      -        -    -         -       -       -       -
organisation.manage    -      -        -     -       -     -         -        yes      -    -         -       -       -       -
organisation.read      -      -        -     -       -     -         yes      yes      yes  yes       -       -       -       -
schedules.manage       -      -        -     -       -     -         -        yes      -    -         -       -       -       -
appointments.desk      -      -        -     -       -     -         -        yes      yes  -         -       -       -       -
appointments.clinical  -      -        -     -       -     -         -        -        -    yes       -       -       -       -
records.own            -      -        -     -       -     -         -        -        -    -         -       yes     -       -
money.manage           -      -        -     -       -     -         -        -        -    -         yes     -       -       -
audit.read             -      -        -     -       -     -         -        -        -    -         -       -       yes     -
"""  # noqa: E501
"""The roles in the order of `AccessRole`."""

RECORDS = """
                        none account tenant facility patients record
own                     yes  yes     yes    yes      yes      yes
another account         yes  -       yes    yes      yes      yes
another tenant          yes  yes     -      -        -        yes
the network             yes  yes     -      -        -        yes
another facility        yes  yes     yes    -        yes      yes
another practitioner    yes  yes     yes    yes      -        yes
another patient         yes  yes     yes    yes      yes      -
tenant not said         yes  yes     -      -        -        yes
nothing said            yes  -       -      -        -        -
"""
"""The relations in the order of `Relation`."""

PEOPLE_ONLY = {"account.own", "staff.manage", "api_keys.make", "registry.review", "registry.decide", "records.own"}
ONE_FACTOR = {"account.own", "records.own"}

TENANT = "clinic.example"
ME = Principal(
    kind=PrincipalKind.PERSON,
    id="me",
    tenant=TENANT,
    signed_in_at=NOW,
    has_second_factor=True,
    facility_id="facility",
    practitioner_id="doctor",
    patient_id="patient",
)
MINE = Target(tenant=TENANT, account_id="me", facility_id="facility", practitioner_id="doctor", patient_id="patient")
TARGETS = {
    "own": MINE,
    "another account": replace(MINE, account_id="you"),
    "another tenant": replace(MINE, tenant="other.example"),
    "the network": replace(MINE, tenant=""),
    "another facility": replace(MINE, facility_id="other"),
    "another practitioner": replace(MINE, practitioner_id="other"),
    "another patient": replace(MINE, patient_id="other"),
    "tenant not said": replace(MINE, tenant=None),
    "nothing said": Target(),
}


def cells(table: str) -> dict[str, list[bool]]:
    _, *lines = table.strip("\n").splitlines()
    rows = ((line[:24].strip(), line[24:].split()) if table is RECORDS else _split(line) for line in lines)
    return {name: [word == "yes" for word in words] for name, words in rows}


def _split(line: str) -> tuple[str, list[str]]:
    name, *words = line.split()
    return name, words


def having(role: AccessRole, tenant: str = TENANT) -> Principal:
    return replace(ME, grants=frozenset({Grant(role, tenant)}))


def service(*scopes: Permission, tenant: str = TENANT) -> Principal:
    return Principal(kind=PrincipalKind.SERVICE, id="key", scopes=frozenset(scopes), tenant=tenant)


def fault(rule: Rule, principal: Principal, target: Target | None = None) -> Fault | None:
    try:
        check(rule, principal, now=NOW)
        if target is not None:
            check_target(rule, principal, target)
    except Refusal as refusal:
        return refusal.fault
    return None


def test_the_tables_name_every_role_permission_and_relation():
    """The issue: every cell is asserted."""
    roles, records = cells(ROLES), cells(RECORDS)

    assert set(roles) == {permission.value for permission in Permission}
    assert {len(row) for row in roles.values()} == {len(AccessRole)}
    assert set(records) == set(TARGETS)
    assert {len(row) for row in records.values()} == {len(Relation)}


def test_each_role_may_do_what_the_table_says_and_nothing_else():
    """Security, IAM, the table of roles; deny by default."""
    expected = {
        (role, name): None if allowed else ACCESS_DENIED
        for name, row in cells(ROLES).items()
        for role, allowed in zip(AccessRole, row, strict=True)
    }

    found = {(role, name): fault(Rule(Permission(name)), having(role)) for role, name in expected}

    assert found == expected


def test_each_relation_lets_through_what_the_table_says():
    """Security, IAM, relationship: a foreign record is answered as one that is not there."""
    expected = {
        (relation, name): None if allowed else RECORD_MISSING
        for name, row in cells(RECORDS).items()
        for relation, allowed in zip(Relation, row, strict=True)
    }

    for role, permission in ((AccessRole.CLINICIAN, Permission.APPOINTMENTS_CLINICAL), *OF_PATIENTS):
        rules = {relation: Rule(permission, relation) for relation in Relation}
        found = {(each, name): fault(rules[each], having(role), TARGETS[name]) for each, name in expected}
        assert found == expected


OF_PATIENTS = [(AccessRole.PATIENT, Permission.RECORDS_OWN), (AccessRole.PATIENT, Permission.ACCOUNT_OWN)]


def test_role_permission_and_relation_decide_together():
    """The issue: role x route x ownership; whoever lacks the permission is denied before any record is looked at."""
    roles, records = cells(ROLES), cells(RECORDS)
    relations, places = list(Relation), list(AccessRole)

    for role, permission, relation, name in product(AccessRole, Permission, Relation, TARGETS):
        allowed, own = roles[permission.value][places.index(role)], records[name][relations.index(relation)]
        expected = ACCESS_DENIED if not allowed else None if own else RECORD_MISSING
        found = fault(Rule(permission, relation), having(role), TARGETS[name])
        assert found is expected, (role, permission, relation, name)


def test_without_the_permission_no_record_is_ones_own():
    """Ours: the check of the record does not lean on that of the route."""
    for relation in set(Relation) - {Relation.NONE}:
        with pytest.raises(Refusal):
            check_target(Rule(Permission.MONEY_MANAGE, relation), having(AccessRole.PATIENT), MINE)


def test_who_is_tied_to_nothing_owns_nothing():
    """Ours: two empty ids are not the same facility, doctor or patient."""
    loose = replace(having(AccessRole.CLINICIAN), facility_id="", practitioner_id="", patient_id="", id="")
    empty = Target(tenant=TENANT)

    owned = [relation for relation in Relation if fault(_clinical(relation), loose, empty) is None]

    assert owned == [Relation.NONE, Relation.OWN_TENANT]


def _clinical(relation: Relation) -> Rule:
    return Rule(Permission.APPOINTMENTS_CLINICAL, relation)


def test_a_role_counts_in_its_own_tenant_only():
    """Security, IAM: tenant matches; two roles in two hospitals do not add up."""
    two = replace(ME, grants=frozenset({Grant(AccessRole.CLINICIAN, TENANT), Grant(AccessRole.FINANCE, "b.example")}))
    elsewhere = replace(MINE, tenant="b.example")

    assert fault(_clinical(Relation.OWN_TENANT), two, MINE) is None
    assert fault(_clinical(Relation.OWN_TENANT), two, elsewhere) is RECORD_MISSING
    assert fault(Rule(Permission.MONEY_MANAGE, Relation.OWN_TENANT), two, elsewhere) is None


def test_the_networks_own_staff_do_not_own_a_hospitals_records():
    """Security, IAM: a registry administrator reads no patient data, and manages the network's staff only."""
    admin, rule = having(AccessRole.REGISTRY_ADMIN, ""), Rule(Permission.STAFF_MANAGE, Relation.OWN_TENANT)

    assert fault(rule, admin, Target(tenant="")) is None
    assert fault(rule, admin, Target(tenant=TENANT)) is RECORD_MISSING
    assert fault(rule, admin, Target()) is RECORD_MISSING


def test_nobody_may_do_what_is_public_only():
    """Security, IAM: deny by default, also to somebody unknown who carries roles."""
    disguised = replace(NOBODY, grants=frozenset(Grant(role) for role in AccessRole), scopes=frozenset(Permission))

    assert {fault(Rule(permission), NOBODY) for permission in Permission} == {SIGN_IN_REQUIRED}
    assert {fault(Rule(permission), disguised) for permission in Permission} == {SIGN_IN_REQUIRED}
    assert not any(disguised.tenants_with(permission) for permission in Permission)
    assert [fault(PUBLIC, who, Target()) for who in (NOBODY, ME, service())] == [None] * 3


@pytest.mark.parametrize(
    "demand",
    [{"relation": Relation.OWN_TENANT}, {"second_factor": True}, {"fresh_seconds": 300.0}, {"reads_patients": True}],
)
def test_a_public_rule_that_demands_something_cannot_be_written(demand: dict[str, object]):
    """Ours: what nobody would check is a mistake."""
    with pytest.raises(SetupError):
        Rule(None, **demand)


def test_staff_need_a_second_factor_whatever_the_rule_says():
    """Security, IAM: staff and administrators two factors."""
    everything = replace(ME, grants=frozenset(Grant(role) for role in AccessRole), has_second_factor=False)

    without = {each.value for each in Permission if fault(Rule(each), everything) is None}
    asked = {fault(Rule(each, second_factor=True), everything) for each in Permission}

    assert without == ONE_FACTOR
    assert asked == {SECOND_FACTOR_REQUIRED}
    assert {fault(Rule(each), replace(everything, has_second_factor=True)) for each in Permission} == {None}


@pytest.mark.parametrize(
    ("ago", "expected"),
    [
        (0, None),
        (300, None),
        (-5, None),
        (-3_600, FRESH_SIGN_IN_REQUIRED),
        (300.1, FRESH_SIGN_IN_REQUIRED),
        (float("nan"), FRESH_SIGN_IN_REQUIRED),
    ],
)
def test_a_sign_in_is_fresh_for_as_long_as_the_rule_says(ago: float, expected: Fault | None):
    """Security, IAM: step-up, 5 min."""
    who = replace(having(AccessRole.FINANCE), signed_in_at=NOW - ago)

    assert fault(Rule(Permission.MONEY_MANAGE, fresh_seconds=300), who) is expected


def test_a_service_may_do_what_its_scopes_say_within_its_tenant():
    """Security, IAM: scopes; a service does nothing that takes a human being."""
    for permission, scope in product(Permission, Permission):
        expected = None if permission is scope and scope.value not in PEOPLE_ONLY else ACCESS_DENIED
        assert fault(Rule(permission), service(scope)) is expected, (permission, scope)


def test_a_service_passes_no_rule_that_takes_a_person():
    """Security, IAM: service accounts may not take human paths."""
    read = Permission.AUDIT_READ

    assert fault(Rule(read, second_factor=True), service(read)) is ACCESS_DENIED
    assert fault(Rule(read, fresh_seconds=300), service(read)) is ACCESS_DENIED
    assert fault(Rule(read), replace(service(), grants=frozenset({Grant(AccessRole.AUDITOR, TENANT)}))) is ACCESS_DENIED


def test_a_service_owns_its_tenants_records_and_nobodys_in_person():
    """Security, IAM: own tenant; a key has no account, facility, patients or record of its own."""
    key, mine = service(Permission.APPOINTMENTS_DESK), replace(MINE, account_id="key")
    rules = {relation: Rule(Permission.APPOINTMENTS_DESK, relation) for relation in Relation}

    owned = [relation for relation in Relation if fault(rules[relation], key, mine) is None]

    assert owned == [Relation.NONE, Relation.OWN_TENANT]
    assert fault(rules[Relation.OWN_TENANT], key, replace(mine, tenant="other.example")) is RECORD_MISSING


def test_a_person_with_the_role_of_a_service_may_do_nothing():
    """Ours: the role says what something is, and allows nothing."""
    person = replace(having(AccessRole.SERVICE), scopes=frozenset(Permission))

    assert {fault(Rule(permission), person) for permission in Permission} == {ACCESS_DENIED}
