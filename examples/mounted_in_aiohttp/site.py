"""A hospital's web site that exists already, and its UHI participant below /uhi of the same application."""

from aiohttp import web

from uhi import Participant


async def home(request: web.Request) -> web.Response:
    return web.Response(text="Welcome to City Hospital")


def site_with(participant: Participant) -> web.Application:
    """The site's application; its own limit (1 KiB a body) does not hold for UHI, which brings its own."""
    site = web.Application(client_max_size=1024)
    site.router.add_get("/", home)
    participant.mount_on(site, prefix="/uhi")
    return site
