"""`uhi registry apply` and `status`: how a participant gets into a network, and how it stands."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import click

from cli.output import json_option, say, show
from cli.registry_errands import (
    Applicant,
    Told,
    check_pinned,
    key_row,
    show_standing,
    unproven_of,
    with_registry,
)
from cli.serve import LOCAL_ONLY, PORT
from uhi.clock import SystemClock
from uhi.errors import RegistryError
from uhi.frontage import site_page
from uhi.http.server import Server, application, serve
from uhi.observability.call_log import LoggedCalls
from uhi.registry.callbacks import Provable, RegistryCallbacks
from uhi.signing.beckn_challenge import public_half
from uhi.subscribers import Role

ROLES = {role.value: role for role in (Role.CONSUMER, Role.PROVIDER, Role.GATEWAY)}
ANY_ROLE = Role.PROVIDER
"""The registry knows the role of who is known already."""

POLL_SECONDS = 5.0
WAIT_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class _Wish:
    legal_name: str
    email: str
    cities: tuple[str, ...]
    fulfilment_types: tuple[str, ...]
    days: float


@dataclass(frozen=True, slots=True)
class Listening:
    """Whether this command answers the registry's challenges itself, and where it listens."""

    is_wanted: bool
    host: str
    port: int


@click.command(short_help="Apply to a network's registry.")
@click.option("--role", type=click.Choice(list(ROLES)), required=True, help="What you are in the network.")
@click.option("--legal-name", default="", metavar="NAME", help="The name of your organisation.")
@click.option("--email", default="", metavar="ADDRESS", help="Where the registry's operator reaches you.")
@click.option(
    "--city", "cities", multiple=True, metavar="CODE", help="A city you serve, such as std:080 (all); several times."
)
@click.option(
    "--fulfilment-type", "fulfilment_types", multiple=True, metavar="TYPE", help="Physical, Online, …; several times."
)
@click.option("--valid-days", "days", type=click.FloatRange(1, 731), default=365, show_default=True, help="Of the key.")
@click.option("--serve", "is_serving", is_flag=True, help="Answer the registry's challenges until all is proven.")
@click.option("--host", default=LOCAL_ONLY, show_default=True, help="With --serve: the address to listen on.")
@click.option("--port", type=PORT, metavar="N", default=8080, show_default=True, help="With --serve: the port.")
@json_option
def apply(role: str, as_json: bool, **given: Any) -> None:
    """Apply, or ask for a change of your entry, as your settings describe you.

    Signed with your key, which the registry then asks you to prove: while your program runs at UHI_URL it answers by
    itself. Applying again with the same settings asks for the proofs once more and changes nothing.

    \b
    Environment:
      UHI_SUBSCRIBER_ID, UHI_KEY_ID, UHI_KEY_FILE   who you are, and your key
      UHI_URL                       where you are called, such as
                                    https://clinic.example/uhi
      UHI_REGISTRY_URL              the registry, such as
                                    https://reg.example/api/v1/networkregistry
      UHI_REGISTRY_ID, UHI_REGISTRY_KEYS            the registry's id and public
                                    keys, as its operator publishes them
      UHI_DOMAINS                   the services, such as nic2004:85111
      UHI_ENCRYPTION_KEY_FILE       an X25519 key, for Beckn peers only
    """
    listening = Listening(given.pop("is_serving"), given.pop("host"), given.pop("port"))
    wish = _Wish(**given)

    async def work(applicant: Applicant) -> tuple[Told, Applicant]:
        async with answering(applicant, listening):
            told = await applicant.do("subscribe", _application(applicant, wish))
            return await until_proven(applicant, told, listening), applicant

    told, applicant = with_registry(ROLES[role], work)
    show({"ok": True, **told}, lambda: show_standing(told, applicant), as_json=as_json)


@click.command(short_help="Say how you stand with the registry.")
@click.option("--retry", is_flag=True, help="Have the missing proofs asked for once more (five times an hour).")
@click.option("--serve", "is_serving", is_flag=True, help="With --retry: answer the challenges until all is proven.")
@click.option("--host", default=LOCAL_ONLY, show_default=True, help="With --serve: the address to listen on.")
@click.option("--port", type=PORT, metavar="N", default=8080, show_default=True, help="With --serve: the port.")
@json_option
def status(retry: bool, as_json: bool, **given: Any) -> None:
    """Say what the registry holds about you, and what is still missing. Signed with your key."""
    listening = Listening(given["is_serving"], given["host"], given["port"])

    async def work(applicant: Applicant) -> tuple[Told, Applicant]:
        async with answering(applicant, listening):
            told = await applicant.do("subscription", {"retry": retry})
            return (await until_proven(applicant, told, listening) if retry else told), applicant

    told, applicant = with_registry(ANY_ROLE, work)
    show({"ok": True, **told}, lambda: show_standing(told, applicant), as_json=as_json)


def _application(applicant: Applicant, wish: _Wish) -> dict[str, object]:
    me, encryption_key = applicant.identity.me, applicant.identity.encryption_key
    value: dict[str, object] = {
        "type": me.role.value,
        "legal_name": wish.legal_name or me.id,
        "contact_email": wish.email,
        "subscriber_url": me.url,
        "country": me.country,
        "domains": list(me.domains),
        "cities": list(wish.cities),
        "fulfilment_types": list(wish.fulfilment_types),
        "keys": [key_row(applicant.identity.signer, days=wish.days)],
    }
    return value | ({"encr_public_key": public_half(encryption_key)} if encryption_key else {})


@asynccontextmanager
async def answering(applicant: Applicant, listening: Listening) -> AsyncIterator[Server | None]:
    """Answer the registry's challenges while the block runs, where that is wanted.

    Raises: SetupError when the registry's keys are not known, or the address cannot be listened on.
    """
    if not listening.is_wanted:
        async with nullcontext():
            yield None
        return
    identity = applicant.identity
    provable = Provable(
        check_pinned(applicant),
        identity.me.id,
        (identity.signer, *identity.spares),
        identity.encryption_key,
        identity.registry_encryption_key,
    )
    callbacks = RegistryCallbacks(provable, lambda changes: None, clock=SystemClock(), log=LoggedCalls())
    app = application(callbacks, prefix=urlsplit(identity.me.url).path, pages=site_page(identity))
    async with serve(app, host=listening.host, port=listening.port) as server:
        say(f"Answering the registry at {server.url}{urlsplit(identity.me.url).path}/on_subscribe", to_stderr=True)
        yield server


async def until_proven(applicant: Applicant, told: Told, listening: Listening) -> Told:
    """How things stand once all is proven, or at once where nobody answers here.

    Raises: RegistryError when it takes too long.
    """
    if not listening.is_wanted:
        return told
    try:
        async with asyncio.timeout(WAIT_SECONDS):
            while unproven_of(told):
                await asyncio.sleep(POLL_SECONDS)
                told = await applicant.do("subscription", {"retry": False})
    except TimeoutError:
        problems = told.get("problems")
        said = "; ".join(map(str, problems)) if isinstance(problems, list) else ""
        raise RegistryError(
            f"not everything was proven within {WAIT_SECONDS:g} s",
            got=said or f"still missing: {', '.join(unproven_of(told))}",
            next_step=f"see that {applicant.identity.me.url} leads to this machine, then: uhi registry status --retry",
        ) from None
    return told
