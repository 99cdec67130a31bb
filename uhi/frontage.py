"""What a program shows beside its messages: to the registry that calls it, to its host's visitors, to who watches it.

A part of the composition roots. Above: `uhi.office`, `uhi.participant` and the gateway; below: `uhi.world`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from uhi.errors import SetupError
from uhi.exchange.clock_offset import ClockOffset
from uhi.exchange.together import Together
from uhi.http.health import Check, Finding, Health, answering, outbox_lag
from uhi.network import Network
from uhi.ports import Entrance
from uhi.registry.callbacks import Provable, RegistryCallbacks
from uhi.registry.questions import Questions
from uhi.signing.site import PAGE, site_line
from uhi.storage.migrating import schema_state
from uhi.storage.sql.database import Database
from uhi.world import Identity, World


def check_registry_known(network: Network, world: World) -> None:
    """Refuse a network whose registry must be known beforehand in a world that does not know it.

    Raises: SetupError.
    """
    if network.registry_signs and world.pinned is None:
        raise SetupError(
            f"on the network {network.name} the registry's keys must be known",
            got="none",
            next_step="set UHI_REGISTRY_ID and UHI_REGISTRY_KEYS as the network publishes them",
        )


def callable_by_registry(door: Entrance, identity: Identity, world: World) -> Entrance:
    """An entrance that also hears the registry, where its keys are known: its changes, and its challenges."""
    registry = world.pinned
    if registry is None or registry.trust is None:
        return door
    provable = Provable(
        registry.trust,
        identity.me.id,
        (identity.signer, *identity.spares),
        identity.encryption_key,
        identity.registry_encryption_key,
    )
    callbacks = RegistryCallbacks(provable, registry.changed, clock=world.clock, log=world.log, rates=world.new_rates())
    return Together(door, callbacks)


def site_page(identity: Identity) -> Mapping[str, str]:
    """The page at the host's root that says whose it is, by its path."""
    host = urlsplit(identity.me.url).hostname or ""
    signers = (identity.signer, *identity.spares)
    lines = [site_line(identity.me.id, each.key_id, host, each.key) for each in signers]
    return {PAGE: "\n".join(lines) + "\n"}


def health_of(world: World, *, is_open: Callable[[], bool]) -> Health:
    """What the health pages of a program tell."""
    checks: dict[str, Check] = dict(world.checks)
    if world.pinned is not None:
        checks["registry_answers"] = _answers(world.pinned.questions)
        checks["clock"] = _clock(world.pinned.questions.clock_offset)
    checks["outbox"] = outbox_lag(world.storage, world.clock)
    if world.kept.database is not None:
        database = world.kept.database
        checks["database"] = answering(database.ping)
        checks["migrations"] = _migrations(database)
    is_up = world.kept.redis_is_up
    if is_up is not None:

        async def redis() -> Finding:
            return Finding(True, "answers" if is_up() else "away")

        checks["redis"] = redis
    return Health(checks, is_open=is_open)


def _migrations(database: Database) -> Check:
    """Whether the schema has what this program needs; once it has, it is not looked at again."""
    current: list[bool] = []

    async def check() -> Finding:
        if not current:
            state = await schema_state(database)
            if not state.is_current:
                return Finding(False, "run uhi db upgrade")
            current.append(True)
        return Finding(True, "current")

    return check


def _answers(questions: Questions) -> Check:
    """What the registry's answers said of themselves: told, and no reason to turn messages away."""

    async def check() -> Finding:
        facts = {"seq": questions.seq, "not_believed": questions.ignored}
        return Finding(True, "some were not believed" if questions.ignored else "all believed", facts)

    return check


def _clock(offset: ClockOffset) -> Check:
    async def check() -> Finding:
        await offset.look_again()
        facts = {} if offset.value is None else {"offset_seconds": round(offset.value, 1)}
        return Finding(
            not offset.is_stopped, f"{offset}; nothing is signed" if offset.is_stopped else str(offset), facts
        )

    return check
