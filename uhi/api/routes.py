"""Routes of a REST interface: method, path, rule, models and handler in one declaration.

A route without a rule cannot be written. Above: groups of routes; below: rules. Source: security rules "IAM".
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Generic, Literal, TypedDict, TypeVar, Unpack

from pydantic import BaseModel, ConfigDict

from uhi.audit import Acting, ActorKind
from uhi.identity.principals import Principal, PrincipalKind
from uhi.identity.rules import Rule, Target, check_target

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]


class Body(BaseModel):
    """What our own interfaces take: exactly the names they know, so that nobody sets what is not theirs to set."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_max_length=4_000, hide_input_in_errors=True)


class Nothing(Body):
    """No body."""


class Answer(BaseModel):
    """What they give: exactly what a model names."""

    model_config = ConfigDict(extra="forbid", frozen=True)


B = TypeVar("B", bound=Body)
A = TypeVar("A", bound=Answer | None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call(Generic[B]):
    """One request that its route's rule lets through.

    `path` holds the values of the path's names, `query` the query's, `address` the peer's, `now` is Unix seconds,
    `cookies` are what a browser sent.
    """

    principal: Principal
    rule: Rule
    body: B = field(repr=False)
    now: float
    path: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict, repr=False)
    cookies: Mapping[str, str] = field(default_factory=dict, repr=False)
    address: str = ""
    user_agent: str = ""
    request_id: str = ""

    def permit(self, target: Target) -> None:
        """Go on only if the record is theirs to touch, as the route's rule says.

        Raises: Refusal(RECORD_MISSING).
        """
        check_target(self.rule, self.principal, target)

    @property
    def acting(self) -> Acting:
        """Who acts, for the audit trail."""
        return Acting(
            actor=self.principal.id or "nobody",
            kind=_ACTORS[self.principal.kind],
            tenant=self.principal.tenant,
            address=self.address,
            request_id=self.request_id,
        )


_ACTORS = {
    PrincipalKind.PERSON: ActorKind.PERSON,
    PrincipalKind.SERVICE: ActorKind.SERVICE,
    PrincipalKind.NOBODY: ActorKind.NOBODY,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One route. `path` as aiohttp writes it: `/v1/subscribers/{id}`. `tag` groups routes in the description."""

    method: Method
    path: str
    rule: Rule
    summary: str
    handler: Callable[[Call[Body]], Awaitable[object]]
    body: type[Body]
    answer: type[Answer] | None
    status: int = 200
    tag: str = ""
    queries: tuple[str, ...] = ()


class _Rest(TypedDict, total=False):
    status: int
    queries: tuple[str, ...]


class Routes:
    """A group of routes, which a program serves together."""

    def __init__(self, tag: str) -> None:
        self.tag = tag
        self.all: list[Route] = []

    def route(
        self,
        method: Method,
        path: str,
        rule: Rule,
        *,
        body: type[B],
        answer: type[Answer] | None,
        **rest: Unpack[_Rest],
    ) -> Callable[[Callable[[Call[B]], Awaitable[A]]], Callable[[Call[B]], Awaitable[A]]]:
        """Declare a route; its summary is the first line of the handler's docstring."""

        def declare(handler: Callable[[Call[B]], Awaitable[A]]) -> Callable[[Call[B]], Awaitable[A]]:
            summary = (handler.__doc__ or "").strip().partition("\n")[0]
            made = Route(
                method=method,
                path=path,
                rule=rule,
                summary=summary,
                handler=handler,  # type: ignore[arg-type]  # called with a body of its own kind only
                body=body,
                answer=answer,
                tag=self.tag,
                **rest,
            )
            self.all.append(made)
            return handler

        return declare
