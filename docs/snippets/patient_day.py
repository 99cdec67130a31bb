"""A patient's app at a patient application: consents, a search as it streams in, a slot, the booking, the calendar.

`python patient_day.py URL EMAIL PASSWORD [TOKEN]`; the token is that of an invitation, if there is one, at the first
time. Only the standard library.
"""

import json
import secrets
import sys
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPResponse
from typing import Any
from urllib.parse import urlsplit

RAVI = {
    "name": "Ravi Kumar",
    "relation": "self",
    "phone": "9000000001",
    "address": {"street": "1 Example Road", "city": "Pune", "state": "Maharashtra", "area_code": "411005"},
    "abha_address": "ravi.kumar@sbx",
}


class App:
    """What an app keeps: where its backend is, and the token of a session."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.token = ""

    def open(self, path: str, body: Mapping[str, object] | None = None) -> HTTPResponse:
        """Send a body with a key of its own, or GET. On a network it is HTTPS, and an HTTPSConnection."""
        connection = HTTPConnection(urlsplit(self.url).netloc, timeout=30)
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        if body is None:
            connection.request("GET", path, headers=headers)
        else:
            # The same key with the same body does it once, however often it is sent.
            headers |= {"Content-Type": "application/json", "Idempotency-Key": secrets.token_hex(16)}
            connection.request("POST", path, json.dumps(body), headers)
        return connection.getresponse()

    def ask(self, path: str, body: Mapping[str, object] | None = None) -> dict[str, Any]:
        """The same, and read the answer."""
        answer = self.open(path, body)
        read: dict[str, Any] = json.loads(answer.read() or "{}")
        if answer.status >= 400:
            raise SystemExit(f"{path}: {answer.status} {read['code']}: {read['title']}")
        return read

    def sign_in(self, email: str, password: str) -> None:
        """Have a session from now on."""
        self.token = self.ask("/v1/sign-in", {"email": email, "password": password})["session"]["access_token"]

    def consent(self) -> None:
        """Agree to what was shown, both purposes."""
        for notice in self.ask("/v1/notices")["notices"]:
            if notice["language"] == "en":
                self.ask("/v1/consents", {"purpose": notice["purpose"], "text_hash": notice["text_hash"]})

    def myself(self) -> dict[str, Any]:
        """The member of the family that one is oneself; at the first time they are added."""
        family: list[dict[str, Any]] = self.ask("/v1/members")["members"]
        known = [member for member in family if member["relation"] == "self"]
        return known[0] if known else self.ask("/v1/members", RAVI)

    def first_doctor(self, search_id: str) -> dict[str, Any]:
        """The first doctor that a stream of server-sent events brings."""
        with self.open(f"/v1/searches/{search_id}/events") as stream:
            for line in stream:
                found: list[dict[str, Any]] = json.loads(line[5:])["doctors"] if line.startswith(b"data:") else []
                if found:
                    return found[0]
        raise SystemExit("nobody answered with a doctor")


def main(url: str, email: str, password: str, invitation: str = "") -> None:
    """Book the first free slot of the first cardiologist."""
    app = App(url)
    if invitation:
        app.ask("/v1/invitations/accept", {"token": invitation, "password": password})
    app.sign_in(email, password)
    app.consent()
    me = app.myself()
    search = app.ask("/v1/searches", {"symptom": "chest pain", "city": {"name": "Pune"}})
    doctor = app.first_doctor(search["id"])
    print(f"found      {doctor['name']}, {doctor['facility']['name']}, {doctor['fee']} rupees")
    slot = app.ask(f"/v1/searches/{search['id']}/doctors/{doctor['ref']}/slots")["slots"][0]
    held = app.ask("/v1/bookings", {"slot": slot["ref"], "member_id": me["id"]})
    print(f"held       {held['total']} rupees, {len(held['terms'])} terms to agree to")
    agreed = {term["type"]: "as discussed" if term["needs_reason"] else "" for term in held["terms"]}
    booked = app.ask(f"/v1/bookings/{held['id']}/confirm", {"agreed": agreed})
    if booked["state"] == "PENDING":
        # The hospital was slower than the application waits.
        booked = app.ask(f"/v1/bookings/{held['id']}/status", {})
    print(f"booked     {booked['state']}, PIN with {len(booked['pin']['digits'])} digits")
    with app.open(f"/v1/bookings/{held['id']}/calendar.ics") as calendar:
        print(f"calendar   {calendar.readline().decode().strip()}")
    over = app.ask(f"/v1/bookings/{held['id']}/cancel", {"reason": "PATIENT_BOOKED_IN_ERROR"})
    print(f"cancelled  {over['state']}")


if __name__ == "__main__":
    main(*sys.argv[1:])
