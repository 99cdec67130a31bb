"""Text messages through an aggregator's HTTPS interface, with the ids that India's DLT rules ask for.

Implements `sending.SmsSender`. Below: the transport port, which verifies certificates and sends to public addresses.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from uhi import strict_json
from uhi.errors import DeliveryError, SetupError
from uhi.ports import Transport
from uhi.signing.key_files import read_private_bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class SmsGateway:
    """Where texts are handed over: an https `url`, a file (mode 0600) with its bearer token, the registered `header`
    (sender id), the DLT `entity_id`, and the DLT template id of each text by its name (`code`, `notice`).
    """

    url: str
    token_file: Path
    header: str
    entity_id: str
    templates: Mapping[str, str] = field(default_factory=dict)
    timeout: float = 10.0


class HttpSmsSender:
    """One POST of JSON for each text: `to`, `from`, `text`, `entity_id`, `template_id`.

    Raises: SetupError for a URL that is not https, or a token that cannot be read.
    """

    def __init__(self, gateway: SmsGateway, *, transport: Transport) -> None:
        if not gateway.url.startswith("https://"):
            raise SetupError("the SMS gateway's address cannot be used", expected="https://…")
        token = read_private_bytes(gateway.token_file).decode("ascii", "replace").strip()
        if not token or not token.isascii() or not token.isprintable():
            raise SetupError(f"{gateway.token_file} holds no token", expected="one line of ASCII")
        self._gateway = gateway
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self._transport = transport

    def __repr__(self) -> str:
        return "HttpSmsSender(***)"

    async def sms(self, to: str, *, text: str, template: str = "") -> None:
        """See `sending.SmsSender`."""
        body = {
            "to": to,
            "from": self._gateway.header,
            "text": text,
            "entity_id": self._gateway.entity_id,
            "template_id": self._gateway.templates.get(template, ""),
        }
        url, timeout = self._gateway.url, self._gateway.timeout
        reply = await self._transport.post(url, body=strict_json.write(body), headers=self._headers, timeout=timeout)
        if not 200 <= reply.status < 300:
            raise DeliveryError(
                "the SMS gateway did not take a text",
                status=reply.status,
                got=f"HTTP status {reply.status}",
                next_step="check the token, the header and the template ids registered there",
            )
