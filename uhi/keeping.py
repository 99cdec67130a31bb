"""Where a program keeps what it promised, and how its processes hear of one another: chosen from the settings.

A composition root for storage, signals, windows and events. Above: `uhi.world`; below: the adapters.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass, replace
from typing import TypedDict, Unpack

from uhi.clock import SystemClock
from uhi.errors import Refusal, SetupError
from uhi.observability.call_log import BothCalls, LoggedCalls
from uhi.observability.scrubbing import scrub
from uhi.ports import CallLog, Clock, Signals, Storage, Windows
from uhi.ports.keys import KeySource
from uhi.secrets import Places, Vault, VaultAccess
from uhi.settings import MEMORY, Settings
from uhi.signals.both import BothSignals
from uhi.signals.event_relay import EventRelay
from uhi.signals.local import LocalSignals, LocalWindows
from uhi.storage.memory import MemoryStorage
from uhi.storage.migrating import check_current, upgrade
from uhi.storage.sealing import Sealing, body_keys_in
from uhi.storage.sql.calls import SqlCalls
from uhi.storage.sql.database import Database
from uhi.storage.sql.events import SqlEvents
from uhi.storage.sql.holder import hold
from uhi.storage.sql.storage import SqlStorage

Work = Callable[[], Coroutine[object, object, None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeping:
    """A program's storage and what goes with it.

    `opening` is done before anything else, `meanwhile` runs in the background, `closing` comes last. `calls` keeps the
    call log; `redis_is_up` tells whether Redis answers, where there is one.
    """

    storage: Storage
    signals: Signals
    windows: Windows
    database: Database | None = None
    calls: CallLog | None = None
    redis_is_up: Callable[[], bool] | None = None
    opening: tuple[Work, ...] = ()
    meanwhile: tuple[Work, ...] = ()
    closing: tuple[Work, ...] = ()


class _Options(TypedDict, total=False):
    subscriber_id: str
    has_events: bool
    during: Callable[[], AbstractContextManager[object]]


def keeping_in_memory(clock: Clock, log: CallLog | None = None) -> Keeping:
    """What ends with the process."""
    return Keeping(storage=MemoryStorage(clock, log), signals=LocalSignals(), windows=LocalWindows(clock))


def keeping_in_database(
    url: str,
    sealing: Sealing,
    *,
    clock: Clock,
    owner: str,
    **options: Unpack[_Options],
) -> Keeping:
    """One process with a database. `owner` names it among others on the same one, which is `subscriber_id`'s alone;
    `has_events` keeps events for other systems; `during` is entered while the database is at work, for tests.

    A SQLite file is made and brought up to date; PostgreSQL's schema is only checked.
    """
    is_sqlite = url.startswith("sqlite")
    if not is_sqlite:
        with _extra("postgres"):
            import asyncpg  # noqa: F401, PLC0415  # of an extra: found missing here, not in the middle of something
    subscriber_id = options.get("subscriber_id", "")
    during, has_events = options.get("during", nullcontext), options.get("has_events", False)
    database = Database.open(url, clock=clock, exclusive=is_sqlite, during=during)

    async def open_database() -> None:
        if is_sqlite:
            await upgrade(url)
        else:
            await check_current(url)
        await database.start()
        if subscriber_id:
            await database.write(lambda connection: hold(connection, subscriber_id, sealing))

    return Keeping(
        storage=SqlStorage(database, sealing, owner=owner, has_events=has_events),
        signals=LocalSignals(),
        windows=LocalWindows(clock),
        database=database,
        calls=SqlCalls(database, scrub=scrub),
        opening=(open_database,),
        closing=(database.aclose,),
    )


def keeping_of(settings: Settings, *, worker: int = 0) -> Keeping:
    """What the settings describe; `worker` tells the processes of one machine apart.

    Raises: SetupError for a database without keys for its bodies, or without the extra it needs.
    """
    clock = SystemClock()
    if settings.storage_url == MEMORY:
        return keeping_in_memory(clock)
    owner = f"{settings.instance}/{worker}"
    options: _Options = {"subscriber_id": settings.subscriber_id, "has_events": bool(settings.events_url)}
    kept = keeping_in_database(settings.storage_url, sealing_of(settings), clock=clock, owner=owner, **options)
    kept = _with_others(kept, settings, clock)
    return replace(kept, meanwhile=_events(settings, kept, clock))


def calls_of(kept: Keeping, log: CallLog | None = None) -> CallLog:
    """Where the hops of a program go: into its database and to `log`, or one of them, or else to standard logging."""
    if kept.calls is None:
        return log or LoggedCalls()
    return kept.calls if log is None else BothCalls(kept.calls, log)


def sealing_of(settings: Settings) -> Sealing:
    """The keys that the settings say bodies are encrypted with.

    Raises: SetupError when there are none, or they cannot be read.
    """
    if settings.body_key_file is None:
        raise SetupError(
            "there is no key for the bodies of messages",
            got="UHI_BODY_KEY_FILE is not set",
            expected="a file of keys, since messages are about patients and are kept encrypted only",
            next_step="make one with `uhi db key body.key` and set UHI_BODY_KEY_FILE to it",
        )
    place = str(settings.body_key_file)
    return body_keys_in(keys_of(settings).read(place), where=f"body key file {place}")


def keys_of(settings: Settings) -> KeySource:
    """Where the settings say that long-lived keys are kept.

    Raises: SetupError for a Vault without a token, or at an address that is none.
    """
    if not settings.vault_url:
        return Places()
    if settings.vault_token_file is None:
        raise SetupError("Vault cannot be asked without a token", next_step="set UHI_VAULT_TOKEN_FILE")
    access = VaultAccess(
        settings.vault_url, settings.vault_token_file, settings.vault_namespace, settings.vault_ca_file
    )
    return Places(Vault(access))


def _with_others(kept: Keeping, settings: Settings, clock: Clock) -> Keeping:
    """How this process hears of the others: PostgreSQL always, Redis where there is one."""
    signals, windows, redis = kept.signals, kept.windows, None
    closing: tuple[Work, ...] = ()
    if settings.storage_url.startswith("postgresql"):
        with _extra("postgres"):
            from uhi.signals.postgres import PostgresSignals  # noqa: PLC0415  # of an extra
        signals = PostgresSignals(settings.storage_url, clock=clock)
    if settings.redis_url:
        with _extra("redis"):
            from uhi.signals.redis import RedisSignals  # noqa: PLC0415  # of an extra
            from uhi.signals.redis_windows import RedisWindows  # noqa: PLC0415
        fast = RedisSignals(settings.redis_url, program=settings.subscriber_id, clock=clock)
        windows = counts = RedisWindows(settings.redis_url, program=settings.subscriber_id, clock=clock)
        signals, closing, redis = BothSignals(fast, signals), (counts.aclose,), lambda: fast.is_up
    return replace(
        kept,
        signals=signals,
        windows=windows,
        redis_is_up=redis,
        opening=(*kept.opening, signals.start),
        closing=(signals.aclose, *closing, *kept.closing),
    )


def _events(settings: Settings, kept: Keeping, clock: Clock) -> tuple[Work, ...]:
    if not settings.events_url or kept.database is None:
        return ()
    with _extra("events"):
        from uhi.signals.broker_events import BrokerEvents  # noqa: PLC0415  # of an extra
    sink, events = BrokerEvents(settings.events_url), SqlEvents(kept.database)
    relay = EventRelay(events, sink, clock=clock)

    async def publish() -> None:
        try:
            await relay.run()
        finally:
            with suppress(Refusal):
                await events.release()
            await sink.aclose()

    return (publish,)


@contextmanager
def _extra(name: str) -> Iterator[None]:
    """What only some need is installed only by them."""
    try:
        yield
    except ImportError as error:
        raise SetupError(
            f"the settings ask for what is not installed: {error.name}",
            expected=f"uhi-network with the extra {name}",
            next_step=f"install uhi-network again with its extra {name}",
        ) from None
