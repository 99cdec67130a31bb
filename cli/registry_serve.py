"""`uhi registry serve`: runs a network's registry, from its settings, or for development from a file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

from cli.loop import run, serve_until_stopped
from cli.output import json_option, say, say_rows, show
from cli.serve import LOCAL_ONLY, PORT, announcer
from gateway.network_registry.bootstrap import PREFIX, registry_application, registry_from, registry_serving
from gateway.network_registry.entrance import RegistryEntrance
from gateway.network_registry.settings import RegistrySettings
from uhi.errors import SetupError
from uhi.http.server import Server
from uhi.http.server import serve as http_serve
from uhi.observability.logs import configure_logging
from uhi.signing import UHI, Signer
from uhi.signing.key_files import read_private_key_file
from uhi.subscribers import Role, Subscriber
from uhi.world import identity_of


@click.command(short_help="Run the registry.")
@click.option("--file", "path", metavar="FILE", type=click.Path(path_type=Path), help="The members, in YAML.")
@click.option("--subscriber-id", metavar="ID", help="With --file: the registry's own id, such as registry.example.")
@click.option(
    "--key-file", metavar="KEYFILE", type=click.Path(path_type=Path), help="With --file: sign answers with this key."
)
@click.option("--host", default=LOCAL_ONLY, show_default=True, help="The address to listen on.")
@click.option("--port", type=PORT, metavar="N", default=8060, show_default=True, help="The port; 0 takes a free one.")
@json_option
def serve(path: Path | None, host: str, port: int, as_json: bool, **given: Any) -> None:
    """Run the registry until Ctrl-C or SIGTERM.

    With its settings in the environment it keeps a register in its database: participants apply, administrators decide
    (uhi registry --help), everybody looks up. With --file, for development, it answers lookups of the members in FILE,
    as key r1 where it has a key.

    \b
    Environment (without --file):
      UHI_SUBSCRIBER_ID, UHI_KEY_ID, UHI_KEY_FILE   who the registry is, and
                                    the key it signs every answer with
      UHI_URL                       its address, such as
                                    https://reg.example/api/v1/networkregistry
      UHI_DATABASE_URL              such as postgresql://uhi@db.example/registry,
                                    or sqlite:///registry.db
      UHI_BODY_KEY_FILE             what is personal is encrypted with this key
                                    (`uhi db key` makes one)
      UHI_TOKEN_KEY_FOLDER          the keys of access tokens (token-keys);
                                    made at the first start
      UHI_NETWORK                   local, or open: only https, public addresses
      UHI_SMTP_HOST, UHI_SMTP_SENDER, UHI_SMTP_CREDENTIALS_FILE
                                    how letters leave (optional)
      UHI_AUDIT_KEY_FILE, UHI_AUDIT_CHECKPOINT_FILE
                                    signed checkpoints of the trail (optional)
      UHI_ENCRYPTION_KEY_FILE       an X25519 key, for Beckn peers (optional)

    \b
    A member in FILE:
      - id: clinic.example
        role: provider                     # or consumer, gateway
        url: https://clinic.example/uhi
        domains: [nic2004:85111]
        keys:
          - id: k1
            public_key: MCowBQYDK2VwAyEA…  # uhi keys show FILE
            valid_from: 2026-01-01T00:00:00Z
            valid_until: 2028-01-01T00:00:00Z
    """
    configure_logging(json=as_json)
    if path is not None:
        entrance, me = _from_file(path, given["subscriber_id"], given["key_file"])
        serving = http_serve(registry_application(entrance), host=host, port=port)
        run(serve_until_stopped(serving, announcer(me, as_json=as_json)))
        return
    settings = _read_settings()
    run(serve_until_stopped(registry_serving(settings, host=host, port=port), _announcer(settings, as_json=as_json)))


def _read_settings() -> RegistrySettings:
    try:
        return RegistrySettings.read()
    except SetupError as error:
        error.next_step = f"{error.next_step}; or for development: --file members.yaml --subscriber-id ID"
        raise


def _from_file(path: Path, subscriber_id: str | None, key_file: Path | None) -> tuple[RegistryEntrance, Subscriber]:
    if subscriber_id is None:
        raise SetupError("the registry's own id is not said", next_step="--subscriber-id registry.example")
    signer = Signer(subscriber_id, "r1", read_private_key_file(key_file), UHI) if key_file is not None else None
    entrance = registry_from(path, subscriber_id=subscriber_id, signer=signer)
    return entrance, Subscriber(subscriber_id, Role.REGISTRY, PREFIX)


def _announcer(settings: RegistrySettings, *, as_json: bool) -> Callable[[Server], None]:
    signer = identity_of(settings, Role.REGISTRY).signer
    keys = f"{signer.key_id}={signer.key.public.raw_base64()}"

    def announce(server: Server) -> None:
        base = f"{server.url}{urlsplit(settings.url).path}"
        value = {"ok": True, "serving": settings.subscriber_id, "role": "registry", "url": base, "keys": keys}

        def human() -> None:
            say(f"{settings.subscriber_id} is up as registry", style="bold green")
            say_rows(
                [
                    ("serves", f"{base}/…"),
                    ("registered as", settings.url),
                    ("people sign in at", f"{settings.origin}/v1/…"),
                ]
            )
            say("Tell everybody in your network:")
            say_rows([("UHI_REGISTRY_ID", settings.subscriber_id), ("UHI_REGISTRY_KEYS", keys)])
            say("Ctrl-C stops it.")

        show(value, human, as_json=as_json)

    return announce
