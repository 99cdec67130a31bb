"""A crew of small servers, started as `uhi gateway serve --workers` starts its own; each answers with its process id.

`stand_in.py PORT COUNT FAULT` is the supervisor, with INDEX at the end a worker. FAULT: `none`; `setup`, every worker
finds that it is set up wrongly; `endless`, none comes to an end once it is told to stop.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from cli.loop import run
from cli.workers import Crew, held_port, supervise, work
from uhi.http.server import Server, serve


def main(port: int, count: int, fault: str, *index: str) -> int:
    if not index:
        with held_port("127.0.0.1", port) as held:
            crew = Crew(count, lambda index: (sys.executable, __file__, str(held), str(count), fault, str(index)))
            return run(supervise(crew, lambda: tell({"ok": True, "port": held, "supervisor": os.getpid()})))
    if fault == "setup":
        print("the setup is wrong", file=sys.stderr)
        return 2
    run(work(serving(port, endless=fault == "endless"), lambda _: tell({"ok": True})))
    return 0


@asynccontextmanager
async def serving(port: int, *, endless: bool) -> AsyncIterator[Server]:
    app = web.Application()
    app.router.add_get("/", pid)
    async with serve(app, port=port, reuse_port=True) as server:
        yield server
    if endless:
        print("never ends", file=sys.stderr, flush=True)
        await asyncio.Event().wait()


async def pid(_: web.Request) -> web.Response:
    return web.Response(text=str(os.getpid()), headers={"Connection": "close"})


def tell(value: dict[str, object]) -> None:
    print(json.dumps(value), flush=True)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:]))
