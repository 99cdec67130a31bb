"""An aiohttp application that exists already, with a UHI participant below /uhi."""

from aiohttp import web
from clinic import handlers

from uhi import Participant


async def home(request: web.Request) -> web.Response:
    return web.Response(text="our own site")


def site() -> web.Application:
    application = web.Application()
    application.router.add_get("/", home)

    clinic = Participant.from_env()
    clinic.include(handlers)
    clinic.mount_on(application, prefix="/uhi")
    return application


if __name__ == "__main__":
    web.run_app(site(), host="127.0.0.1", port=8081)
