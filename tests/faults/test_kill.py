"""Programs that are killed, at every point of a message's way and at any time: what was acknowledged is done, once."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest

from tests.faults.processes import HOST, busy, seed, until
from tests.faults.proxy import Proxy
from tests.faults.town import GATEWAY, Rows
from tests.faults.townsfolk import around_a_gateway, patients, village
from tests.server_process import free_port
from uhi.http import client

pytestmark = [pytest.mark.faults, pytest.mark.usefixtures("folder", "haste")]

OUT = (
    "K1:search:3", "K2:search:3", "K3:search:5", "K3b:search:7", "K4:search:4",
    "K5:search:2", "K6:search:9", "K7:search:11", "K8:search:8",
)  # fmt: skip
BACK = ("K3:on_search:4", "K4:on_search:9", "K6:on_search:6", "K7:on_search:12", "K8:on_search:5")
ORDERS = (
    "K1:init:1", "K4:init:2", "K3-order:HELD:2", "K4-order:HELD:1", "K8:on_init:2",
    "K2:confirm:2", "K3:confirm:1", "K4:confirm:2", "K5:confirm:2", "K3-order:CONFIRMED:2", "K4-order:CONFIRMED:1",
    "K3b:on_confirm:1", "K6:on_confirm:2", "K7:on_confirm:1", "K8:on_confirm:2",
    "K5:status:1", "K4:cancel:1", "K4-order:CANCELLED:1", "K8:on_cancel:1",
)  # fmt: skip
"""Where a program dies, life after life: a point of `crash_at`, what passes there, and the how-manieth."""

AT_ONCE = 4


@pytest.mark.parametrize("points", [OUT, BACK], ids=["out", "back"])
async def test_gateway_that_dies_at_every_point_loses_and_doubles_nothing(town, database_url, points):
    """Reliability rules, crash points: an acknowledged search reaches each provider once, each answer the consumer."""
    gateway = town.gateway_program(database_url)
    async with around_a_gateway(town) as asked, Rows.of(database_url) as rows, gateway.ending():
        async with busy(asked.search, at_once=AT_ONCE):
            await gateway.dies_at(points)

        await asked.check(rows, gateway)


@pytest.mark.case("GW-08")
@pytest.mark.parametrize("times", [3, pytest.param(10, marks=pytest.mark.soak)])
async def test_gateway_that_is_stopped_under_load_finishes_what_it_acknowledged(town, database_url, times):
    """Reliability rules, shutdown: nothing acknowledged is lost, whoever comes late is told to, and it ends in 30 s."""
    gateway = town.gateway_program(database_url)
    async with around_a_gateway(town) as asked, Rows.of(database_url) as rows, gateway.ending():
        codes = []
        async with busy(asked.search, at_once=AT_ONCE):
            for round_ in range(times):
                await gateway.start()
                heard = len(asked.app.sent.acked)
                await until(lambda seen=heard: len(asked.app.sent.acked) >= seen + 20, f"searches in round {round_}")
                codes.append(await gateway.stop())
            await gateway.start()

        await asked.check(rows, gateway)
    assert codes == [0] * times


@pytest.mark.parametrize("points", [OUT, BACK], ids=["out", "back"])
async def test_worker_that_dies_at_every_point_loses_and_doubles_nothing(town, postgres_url, points, monkeypatch):
    """The issue: several processes on one database; a worker's crash takes neither the port nor a message down."""
    monkeypatch.setattr(client, "_IDLE_SECONDS", 0.0)  # a connection for each message, so that both workers get some
    gateway = town.gateway_program(postgres_url, "--workers", "2")
    async with around_a_gateway(town) as asked, Rows.of(postgres_url) as rows, gateway.ending():
        await gateway.start(crash_at=",".join(points))
        async with busy(asked.search, at_once=AT_ONCE):
            await until(lambda: gateway.crashes == len(points), f"{len(points)} crashes", within=120)

        await asked.check(rows, gateway)
        assert gateway.is_running


@pytest.mark.parametrize("crash_at", ["K5:search:3", "K6:search:4", "K8:on_search:5"])
async def test_gateway_that_never_comes_back_is_replaced_by_its_neighbour(town, postgres_url, crash_at, monkeypatch):
    """The issue: several gateways behind a load balancer; what one had is another's when its lease is over."""
    monkeypatch.setattr(client, "_IDLE_SECONDS", 0.0)
    gateway = town.gateway_program(postgres_url)
    lost, other = (
        replace(gateway, name=name, port=free_port(), settings={**gateway.settings, "UHI_INSTANCE": name})
        for name in ("lost", "other")
    )
    async with around_a_gateway(town) as asked, Rows.of(postgres_url) as rows, lost.ending(), other.ending():
        await other.start()
        urls = [f"http://{HOST}:{each.port}" for each in (lost, other)]
        balancer = Proxy(urls[0], Random(0), otherwise=urls[1], port=town.ports[GATEWAY])
        async with balancer.open():
            async with busy(asked.search, at_once=AT_ONCE):
                await lost.start(crash_at=crash_at)
                await lost.crashed()

            await asked.check(rows, other)


@pytest.mark.case("REL-02")
async def test_hospital_that_dies_at_every_point_books_once(town, database_url):
    """Reliability rules, crash points: an acknowledged confirm has one appointment and one on_confirm, heard once."""
    hospital = town.hospital_program(database_url)
    async with patients(town) as booking, Rows.of(database_url) as rows, hospital.ending():
        async with busy(booking.visit, at_once=AT_ONCE):
            await hospital.dies_at(ORDERS)

        await booking.check(rows, hospital)


@pytest.mark.case("REL-01")
@pytest.mark.parametrize("kills", [10, pytest.param(100, marks=pytest.mark.soak)])
async def test_programs_that_are_killed_at_any_time_lose_and_double_nothing(town, two_urls, kills, monkeypatch):
    """Reliability rules, P4: kill -9 under load, again and again; on PostgreSQL the gateway has two workers."""
    random = Random(seed())
    monkeypatch.setattr(client, "_IDLE_SECONDS", 0.0)
    workers = ("--workers", "2") if two_urls[0].startswith("postgresql") else ()
    async with village(town, two_urls, *workers) as living:
        async with living.working():
            for _ in range(kills):
                await living.strike(random)

        await living.check()
