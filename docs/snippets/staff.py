"""A hospital's administrator: takes an invitation up, signs in with two factors, and looks into the doctors' week.

`python staff.py URL INVITATION.json`. Only the standard library; a real program keeps the secret in an app.
"""

import base64
import hmac
import json
import secrets
import struct
import sys
import time
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

PASSWORD = secrets.token_urlsafe(24)


def ask(url: str, body: dict[str, object] | None = None, *, token: str = "") -> dict[str, Any]:
    """Send a body, or GET; return the answer. On a network it is HTTPS, and an HTTPSConnection."""
    at = urlsplit(url)
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    connection = HTTPConnection(at.netloc, timeout=30)
    if body is None:
        connection.request("GET", f"{at.path}?{at.query}", headers=headers)
    else:
        connection.request("POST", at.path, json.dumps(body), headers)
    answer = connection.getresponse()
    read: dict[str, Any] = json.loads(answer.read() or "{}")
    if answer.status >= 400:
        raise SystemExit(f"{at.path}: {answer.status} {read['code']}: {read['title']}")
    return read


def code_now(secret: str) -> str:
    """What an authenticator app shows for a secret (RFC 6238)."""
    digest = hmac.digest(base64.b32decode(secret), struct.pack(">Q", int(time.time()) // 30), "sha1")
    start = digest[-1] & 15
    return f"{(int.from_bytes(digest[start : start + 4]) & 0x7FFFFFFF) % 1_000_000:06}"


def signed_in(url: str, email: str, invitation: str) -> str:
    """Choose a password, set a second factor up, sign in with both; returns an access token for ten minutes."""
    ask(f"{url}/v1/invitations/accept", {"token": invitation, "password": PASSWORD})
    first = ask(f"{url}/v1/sign-in", {"email": email, "password": PASSWORD})["session"]["access_token"]
    secret = ask(f"{url}/v1/account/factors/totp", {}, token=first)["secret"]
    codes = ask(f"{url}/v1/account/factors/totp/confirm", {"code": code_now(secret)}, token=first)["recovery_codes"]
    begun = ask(f"{url}/v1/sign-in", {"email": email, "password": PASSWORD})
    # A code of the app serves once, and was used a moment ago.
    answer = {"challenge": begun["challenge"], "way": "rc", "code": codes[0]}
    session: dict[str, str] = ask(f"{url}/v1/sign-in/second-factor", answer)["session"]
    return session["access_token"]


def main(url: str, path: str) -> None:
    """Print who practises, how many slots of the coming week are free, and how many appointments today has."""
    with open(path) as file:
        token = signed_in(url, "asha@clinic.example", json.load(file)["token"])
    names = {each["id"]: each["name"] for each in ask(f"{url}/v1/practitioners", token=token)["practitioners"]}
    now = datetime.now(UTC)
    week = f"from={now:%Y-%m-%dT%H:%M:%SZ}&to={now + timedelta(days=7):%Y-%m-%dT%H:%M:%SZ}"
    for practice in ask(f"{url}/v1/practices", token=token)["practices"]:
        slots = ask(f"{url}/v1/practices/{practice['id']}/slots?{week}", token=token)["slots"]
        free = sum(slot["state"] == "free" for slot in slots)
        print(f"{names[practice['practitioner_id']]}: {free} of {len(slots)} slots of the week are free")
    print(f"today: {len(ask(f'{url}/v1/appointments', token=token)['appointments'])} appointments")


if __name__ == "__main__":
    main(*sys.argv[1:])
