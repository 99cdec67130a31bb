"""Requests made from a published description, and their answers held against it; for any REST interface of ours."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from requests.auth import AuthBase
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
MODES = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
MOST_EXAMPLES = 20


def published(name: str) -> dict[str, object]:
    """A description of the documentation."""
    return json.loads((REFERENCE / name).read_text(encoding="utf-8"))


def operations(description: Mapping[str, object]) -> list[tuple[str, str]]:
    """Method and path of everything a description offers."""
    return [(method.upper(), path) for path, item in description["paths"].items() for method in item]


@dataclass(frozen=True)
class Asking:
    """Where requests go, and what proves who asks: headers, or a way to sign what is about to be sent."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    auth: AuthBase | None = None
    most_examples: int = MOST_EXAMPLES


def check_as_described(
    description: Mapping[str, object], operation: tuple[str, str], asking: Asking, **known: str
) -> None:
    """Ask one operation in ways that the description allows and, as often, in ways that it does not: no answer is a
    server's error, and each has a status, a type and a body that the description names.

    `known` are ids that are there, by the names of the path and the body; half the requests name them.
    """
    method, path = operation
    described = schemathesis.openapi.from_dict(dict(description))[path][method]
    session = requests.Session()
    session.trust_env = False
    session.auth = asking.auth

    @settings(
        max_examples=asking.most_examples,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=st.one_of(described.as_strategy(generation_mode=mode) for mode in MODES), is_known=st.booleans())
    def ask(case: Case, is_known: bool) -> None:
        if is_known:
            for named in (case.path_parameters, case.body):
                if isinstance(named, dict):
                    named |= {name: known[name] for name in known.keys() & named.keys()}
        case.call_and_validate(asking.url, session, {**asking.headers}, checks=CHECKS)

    ask()
    session.close()
