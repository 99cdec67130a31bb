"""What a participant asks of the registry about itself, signed with its own key, and how the answer is told.

Above: `registry_join`, `registry_rotate`; below: the transport, `uhi.registry.answers`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from secrets import token_hex
from typing import TypeVar
from urllib.parse import urlsplit

from cli.loop import run
from cli.output import plain, say, say_rows, say_wrapped
from uhi import strict_json
from uhi.clock import SystemClock
from uhi.errors import Refusal, RegistryError, SetupError
from uhi.exchange.stamps import Stamps
from uhi.exchange.trust import RegistryTrust
from uhi.http.client import HttpTransport
from uhi.ports import Reply
from uhi.registry.answers import read_signed
from uhi.registry.pinned import read_trust
from uhi.registry.rows import moment_text
from uhi.settings import Settings
from uhi.signing import Signer, body_digest
from uhi.signing.site import PAGE
from uhi.subscribers import Role
from uhi.world import Identity, addresses_of, identity_of

T = TypeVar("T")
Told = Mapping[str, object]

_SECONDS = 15.0
_A_DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class Applicant:
    """A participant that turns to its registry: who it is, and the registry's keys where they are known."""

    settings: Settings
    identity: Identity
    trust: RegistryTrust | None
    transport: HttpTransport

    async def do(self, errand: str, value: Mapping[str, object], *, signer: Signer | None = None) -> Told:
        """Do one errand; returns what was answered.

        Raises: DeliveryError when no answer came; RegistryError when it was refused, or the answer is not believed.
        """
        # The registry takes a signature once, and the same words at the same moment would be signed alike.
        body = strict_json.write({"subscriber_id": self.identity.me.id, **value, "nonce": token_hex(16)})
        digest, url = body_digest(body), self.settings.registry_url
        stamps = Stamps(signer or self.identity.signer)
        headers = {
            "Digest": f"BLAKE-512={digest}",
            "Authorization": stamps.header(digest, receiver=url, now=SystemClock().now()),
        }
        reply = await self.transport.post(f"{url}/{errand}", body=body, headers=headers, timeout=_SECONDS)
        return _read(reply, digest, self.trust)


def with_registry(role: Role, work: Callable[[Applicant], Awaitable[T]]) -> T:
    """Run a piece of work with the participant that the environment describes.

    Raises: SetupError when settings or keys cannot be used.
    """
    settings = Settings.read()
    identity = identity_of(settings, role)
    trust = read_trust(settings.registry_id, settings.registry_keys)

    async def do() -> T:
        transport = HttpTransport(addresses=addresses_of(settings))
        try:
            return await work(Applicant(settings, identity, trust, transport))
        finally:
            await transport.aclose()

    return run(do())


def key_row(signer: Signer, *, days: float) -> dict[str, object]:
    """A key as the registry is asked to take it: valid from today on for so many days. Asking again on the same day is
    asking for the same."""
    now = SystemClock().now() // _A_DAY * _A_DAY
    return {
        "pub_key_id": signer.key_id,
        "signing_public_key": signer.key.public.spki_base64(),
        "signing_profile": signer.profile.name,
        "valid_from": moment_text(now),
        "valid_until": moment_text(now + days * _A_DAY),
    }


def missing_of(told: Told) -> list[str]:
    """What the registry still waits for."""
    missing = told.get("missing")
    return [str(each) for each in missing] if isinstance(missing, list) else []


def unproven_of(told: Told) -> list[str]:
    """What of it the participant itself has to show."""
    return [each for each in missing_of(told) if each not in ("review", "approval")]


def show_standing(told: Told, applicant: Applicant) -> None:
    """Print how a participant stands, what is missing, and who does what next."""
    status = plain(str(told.get("status", "unknown")))
    say(f"{applicant.identity.me.id}: {status}", style="bold")
    rows = [(name, _next_step(name, applicant)) for name in dict.fromkeys(missing_of(told))]
    if rows:
        say("Still missing:")
        say_rows(rows)
    reason = plain(str(told.get("reason") or ""))
    if reason:
        say(f"Why: {reason}")
    problems = told.get("problems")
    for problem in problems if isinstance(problems, list) else []:
        say_wrapped(f"last try: {plain(str(problem))}", style="yellow")
    if not rows:
        say(_WITHOUT_MISSING.get(status, "Nothing waits to be decided."))


_WITHOUT_MISSING = {
    "SUBSCRIBED": "Nothing is missing.",
    "SUSPENDED": "You take no part until the network's administrators resume you: ask the network's operator.",
    "EXPIRED": "No key of yours is in force. Apply again with a new key, at the same host: uhi registry apply --role …",
}


def _next_step(missing: str, applicant: Applicant) -> str:
    me = applicant.identity.me
    if missing == "site":
        host = urlsplit(me.url).hostname
        return f"the registry looks at https://{host}{PAGE}\nyour program serves that page while it runs"
    if missing == "review":
        return "somebody at the registry looks at it, once all above is proven"
    if missing == "approval":
        return "two different administrators of the registry say yes"
    return (
        f"the registry posts a challenge to {me.url}/on_subscribe\n"
        "your program answers it while it runs, or this command: add --serve\n"
        "once it does: uhi registry status --retry"
    )


def _read(reply: Reply, digest: str, trust: RegistryTrust | None) -> Told:
    try:
        value = read_signed(reply, digest=digest, trust=trust)[0] if trust else strict_json.parse(reply.body)
    except Refusal as refusal:
        raise RegistryError(
            "the registry's answer is not believed",
            got=f"HTTP {reply.status}: {refusal.what}",
            expected=f"an answer signed by {trust.registry_id}" if trust else "JSON",
            next_step="check UHI_REGISTRY_URL, UHI_REGISTRY_ID and UHI_REGISTRY_KEYS",
        ) from None
    told: Told = value if isinstance(value, dict) else {}
    # The signature covers the body and not the status, so what the body says counts as well.
    if reply.status != 200 or told.get("error"):
        raise _refused(reply, told)
    return told


def _refused(reply: Reply, told: Told) -> RegistryError:
    error = told.get("error")
    parts: Mapping[str, object] = error if isinstance(error, dict) else {}
    path = plain(str(parts.get("path", "")))[:200]
    what = plain(str(parts.get("message", "the registry said no")))[:300].removesuffix(".")
    code = plain(str(parts.get("type") or parts.get("code") or ""))[:100]
    wait = reply.headers.get("retry-after", "")
    steps: Sequence[str] = (
        f"wait {plain(wait)[:10]} s and do it again" if wait else "",
        _ADVICE.get(code, ""),
        f"correct {path}" if path else "",
    )
    return RegistryError(
        f"the registry refused: {what}",
        got=f"HTTP {reply.status} {code}".strip(),
        expected=_EXPECTED.get(path, ""),
        next_step="; ".join(step for step in steps if step) or "ask the network's operator, with the time of this try",
    )


_ADVICE = {
    "AUT_SUBSCRIBER_NOT_FOUND": "apply first: uhi registry apply --role …",
    "AUT_KEY_EXPIRED_OR_REVOKED": "sign with a key in force; uhi registry status tells who is suspended or "
    "expired why; where your last key was revoked, ask the network's operator",
    "AUT_SIGNATURE_INVALID": "check UHI_KEY_FILE, and that the clock is right",
    "API_ALREADY_TAKEN": "choose an id that no member has or that looks like one's, and an address of your own; "
    "or sign with the key that applied for this id",
    "REG_ADDRESS_REFUSED": "set UHI_URL to an https address that everybody can reach",
}


_EXPECTED = {
    "$.subscriber_id": "lower-case letters, digits, single dots and hyphens, such as clinic.example",
    "$.contact_email": "an address such as it@clinic.example",
    "$.domains": "at least one service, such as UHI_DOMAINS=nic2004:85111, each without blanks",
    "$.cities": "a city by its code, such as --city std:011, or * for all",
}


def check_pinned(applicant: Applicant) -> RegistryTrust:
    """The registry's keys, without which its challenges cannot be told from anybody's.

    Raises: SetupError where they are not set.
    """
    if applicant.trust is None:
        raise SetupError(
            "challenges are answered to a known registry only",
            got="UHI_REGISTRY_ID and UHI_REGISTRY_KEYS are not set",
            next_step="set them as the network's operator publishes them",
        )
    return applicant.trust
