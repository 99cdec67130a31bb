"""Routes of a REST interface: method, path, rule, models and handler in one declaration.

A route without a rule cannot be written. Above: groups of routes; below: rules. Source: security rules "IAM".
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Generic, Literal, Self, TypeAlias, TypedDict, TypeVar, Unpack, overload

from pydantic import BaseModel, ConfigDict, Field

from uhi.audit import Acting, ActorKind
from uhi.faults import Fault
from uhi.identity.principals import Principal, PrincipalKind
from uhi.identity.rules import Rule, Target, check_target

KIB = 1_024
BODY_SIZE = 64 * KIB
"""The most bytes of a body, where a route does not say otherwise."""

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
READING: frozenset[str] = frozenset({"GET", "DELETE"})
"""The methods without a body: what these are asked stands in the query."""


class Body(BaseModel):
    """What our own interfaces take: exactly the names they know, so that nobody sets what is not theirs to set.

    Filled from the JSON body, or from the query where the method is GET or DELETE; there fields are text or numbers.
    """

    model_config = ConfigDict(
        extra="forbid", frozen=True, str_max_length=4_000, hide_input_in_errors=True, cache_strings="keys"
    )


class Nothing(Body):
    """No body, or an empty object; no query."""


class Answer(BaseModel):
    """What they give: exactly what a model names."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    def to_keep(self) -> Self:
        """What of it may be kept for who asks again with the same `Idempotency-Key`."""
        return self


B = TypeVar("B", bound=Body)
A = TypeVar("A", bound=Answer)
S = TypeVar("S", bound=Answer | None)
B_co = TypeVar("B_co", bound=Body, covariant=True)


@dataclass(frozen=True, slots=True)
class SessionCookie:
    """The session cookie a browser is to keep for `seconds`; an empty value makes it forget."""

    value: str = field(repr=False)
    seconds: int


FORGOTTEN = SessionCookie("", 0)

StreamKind = Literal["events", "socket"]
"""Server-sent events, or a WebSocket on which only we speak."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event of a stream. Whoever goes on after it names its `id`; empty, it cannot be gone on after."""

    name: str
    data: Answer = field(repr=False)
    id: str = ""


@dataclass(frozen=True, slots=True)
class Ended:
    """The end of a stream: a close code of RFC 6455, and why, in a word or two that hold nothing of the request."""

    code: int
    reason: str


Stream: TypeAlias = AsyncIterator[Event | Ended]


class Raw(Answer):
    """An answer that is no JSON: its route's `media` says what it is, or its own. `disposition` tells a browser what to
    do with it, empty for nothing."""

    content: bytes = Field(repr=False)
    media: str = ""
    disposition: str = Field(default="", repr=False)

    @property
    def headers(self) -> dict[str, str]:
        """The headers that it has of its own."""
        named = {"Content-Type": self.media, "Content-Disposition": self.disposition}
        return {name: value for name, value in named.items() if value}


@dataclass(frozen=True, slots=True)
class Sent(Generic[S]):
    """An answer together with what else goes to a browser, or with another of its route's statuses."""

    answer: S
    cookie: SessionCookie | None = None
    status: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Call(Generic[B_co]):
    """One request that its route's rule lets through.

    `path` holds the values of the path's names, `address` is the peer's, `now` is Unix seconds, `cookie` is the
    session cookie that a browser sent, empty for none; `last_event` is the id of the event after which a stream goes
    on, empty for all of it.
    """

    principal: Principal
    rule: Rule
    body: B_co = field(repr=False)
    now: float
    path: Mapping[str, str] = field(default_factory=dict)
    cookie: str = field(default="", repr=False)
    address: str = ""
    user_agent: str = ""
    request_id: str = ""
    last_event: str = ""

    def permit(self, target: Target, *, path: str = "") -> None:
        """Go on only if the record is theirs to touch, as the route's rule says; `path` is where the body names it.

        Raises: Refusal(RECORD_MISSING).
        """
        check_target(self.rule, self.principal, target, path=path)

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

Handler: TypeAlias = Callable[[Call[B]], Awaitable[A | Sent[A]]]
SilentHandler: TypeAlias = Callable[[Call[B]], Awaitable[Sent[None] | None]]
StreamHandler: TypeAlias = Callable[[Call[B]], Awaitable[Stream | None]]
"""None: there is nothing more to come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One route. `path` as aiohttp writes it: `/v1/subscribers/{id}`. `tag` groups routes in the description.

    `size` is the most bytes of its body. `refuses` are the faults that the description names beside those that follow
    from method, path and rule. `kept_seconds` is how long anybody may keep the answer. A `stream` pours events of which
    each holds an `answer`. `key` says whether a POST takes an `Idempotency-Key`; what gives out secrets does not.
    `others` are further statuses of its answers, `media` the content type where it is no JSON. One that `explains`
    tells who asks why it refuses, as the operator reads it: those texts must hold no secret.
    """

    method: Method
    path: str
    rule: Rule
    name: str
    summary: str
    handler: Callable[[Call[Body]], Awaitable[object]]
    body: type[Body]
    answer: type[Answer] | None
    status: int = 200
    tag: str = ""
    size: int = BODY_SIZE
    refuses: tuple[Fault, ...] = ()
    kept_seconds: int = 0
    stream: StreamKind | None = None
    key: Literal["none", "optional", "required"] = "optional"
    others: tuple[int, ...] = ()
    media: str = ""
    explains: bool = False


class _Rest(TypedDict, total=False):
    name: str
    summary: str
    key: Literal["none", "optional", "required"]
    others: tuple[int, ...]
    media: str
    status: int
    size: int
    refuses: tuple[Fault, ...]
    kept_seconds: int


class Routes:
    """A group of routes, served together. `tag` names it in the description; `explains` as of `Route`."""

    def __init__(self, tag: str, *, explains: bool = False) -> None:
        self.tag = tag
        self.explains = explains
        self.all: list[Route] = []

    @overload
    def route(
        self, method: Method, path: str, rule: Rule, *, body: type[B], answer: type[A], **rest: Unpack[_Rest]
    ) -> Callable[[Handler[B, A]], Handler[B, A]]: ...

    @overload
    def route(
        self, method: Method, path: str, rule: Rule, *, body: type[B], answer: None, **rest: Unpack[_Rest]
    ) -> Callable[[SilentHandler[B]], SilentHandler[B]]: ...

    def route(
        self,
        method: Method,
        path: str,
        rule: Rule,
        *,
        body: type[B],
        answer: type[A] | None,
        **rest: Unpack[_Rest],
    ) -> Callable[[Handler[B, A]], Handler[B, A]] | Callable[[SilentHandler[B]], SilentHandler[B]]:
        """Declare a route: unless given, its name is the handler's, its summary the first line of its docstring.

        Without an answer's model the status is 204.
        """

        rest.setdefault("status", 200 if answer else 204)
        make = partial(Route, method=method, path=path, rule=rule, body=body, answer=answer)

        def declare(handler: Handler[B, A]) -> Handler[B, A]:
            self._add(make, handler, rest)
            return handler

        return declare

    def stream(
        self,
        kind: StreamKind,
        path: str,
        rule: Rule,
        *,
        body: type[B],
        event: type[Answer],
        **rest: Unpack[_Rest],
    ) -> Callable[[StreamHandler[B]], StreamHandler[B]]:
        """Declare a route whose handler gives a stream, within the time of every other route; then it may flow. `body`
        is the query, `event` what the data of every event is.
        """

        make = partial(Route, method="GET", path=path, rule=rule, body=body, answer=event, stream=kind)

        def declare(handler: StreamHandler[B]) -> StreamHandler[B]:
            self._add(make, handler, rest)
            return handler

        return declare

    def _add(self, make: Callable[..., Route], handler: Callable[..., object], rest: _Rest) -> None:
        """Take a route in; its handler is called with a body of its own kind only."""
        rest.setdefault("name", handler.__name__)
        rest.setdefault("summary", _first_line(handler.__doc__))
        self.all.append(make(handler=handler, tag=self.tag, explains=self.explains, **rest))


def _first_line(docstring: str | None) -> str:
    return (docstring or "").strip().partition("\n")[0]
