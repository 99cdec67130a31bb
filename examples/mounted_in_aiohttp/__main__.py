"""Runs the site on a port of this machine, with a network around it, and talks with both of its halves over HTTP."""

import asyncio
import socket

import aiohttp

from examples.mounted_in_aiohttp.site import site_with
from participants.demo_hospital.app import hospital_app
from participants.demo_hospital.data import demo_hospital
from uhi import Identity, Participant, Role, Subscriber
from uhi.booking import Bookings, DoctorQuery
from uhi.http import serve
from uhi.network import CONSULTATION_DOMAIN
from uhi.testing import Network, Options


async def main() -> None:
    port = free_port()
    async with Network(Options(sockets=True)) as net:
        hospital = registered(net, f"http://127.0.0.1:{port}/uhi")
        hospital_app(hospital, demo_hospital("city-hospital"))
        async with serve(site_with(hospital), port=port) as server:
            assert await fetch(f"{server.url}/") == (200, "Welcome to City Hospital")

            app = await net.consumer("app.example")
            bookings = Bookings(app)
            app.include(bookings.handlers)
            found = [each async for each in bookings.find(DoctorQuery(speciality="CARDIOLOGY"), wait=1)]
            assert found
            print(f"{found[0].doctor.name} was found at {hospital.identity.me.url}")

            status, answer = await fetch(f"{server.url}/uhi/search")
            assert (status, "NACK" in answer) == (405, True)
            print("GET /uhi/search:", status, answer)


def registered(net: Network, url: str) -> Participant:
    """A provider at this address, as the registry knows it; outside a test this is `Participant.from_env()`."""
    me = Subscriber("city-hospital.example", Role.PROVIDER, url, domains=(CONSULTATION_DOMAIN,))
    signer = net.register(me)
    return Participant(Identity(me, signer, net.gateway.identity.me, CONSULTATION_DOMAIN), world=net.world(signer))


async def fetch(url: str) -> tuple[int, str]:
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        return response.status, await response.text()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


if __name__ == "__main__":
    asyncio.run(main())
