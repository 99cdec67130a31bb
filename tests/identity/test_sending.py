"""Letters: over verified TLS only, in the background, and what they say reaches no log."""

from __future__ import annotations

import asyncio
import json
import logging
import ssl

import pytest
import trustme
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

from uhi.errors import DeliveryError, SetupError
from uhi.identity.notices import Notices
from uhi.identity.sending import EitherWay, KeptLetters, warn_without_email
from uhi.identity.sms_http import HttpSmsSender, SmsGateway
from uhi.identity.smtp import SmtpSender, SmtpServer
from uhi.ports import Reply

TO, CODE = "asha@patients.example", "418302"


class Mailbox:
    """What the server was given."""

    def __init__(self):
        self.letters = []

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        self.letters.append((envelope.mail_from, envelope.rcpt_tos, envelope.content, session.ssl is not None))
        return "250 OK"


@pytest.fixture
def authority():
    """A certificate authority of this test's own."""
    return trustme.CA()


@pytest.fixture
def files(tmp_path, authority):
    """The authority's certificate and the credentials, as files."""
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    credentials = tmp_path / "smtp"
    credentials.touch(0o600)
    credentials.write_text("mailer\nvery secret word\n")
    return tmp_path


@pytest.fixture
async def serve(authority):
    """Starts a real SMTP server with a certificate for a name; encrypted by STARTTLS unless told otherwise."""
    started = []

    async def start(name="localhost", *, tls="starttls"):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(name).configure_cert(context)
        mailbox = Mailbox()
        server = await asyncio.get_running_loop().create_server(
            lambda: SMTP(
                mailbox,
                tls_context=context if tls == "starttls" else None,
                require_starttls=tls == "starttls",
                authenticator=_check,
                auth_require_tls=tls == "starttls",
            ),
            "127.0.0.1",
            0,
            ssl=context if tls == "first" else None,
        )
        started.append(server)
        return mailbox, server.sockets[0].getsockname()[1]

    yield start
    for server in started:
        server.close()
        await server.wait_closed()


def _check(server, session, envelope, mechanism, data):
    is_right = isinstance(data, LoginPassword) and data.password == b"very secret word"
    return AuthResult(success=is_right, handled=False)


def sender(files, port, **more):
    """A sender to that server."""
    given = {"credentials_file": files / "smtp", "authorities": files / "ca.pem", "timeout": 5.0} | more
    return SmtpSender(SmtpServer(host="localhost", port=port, sender="no-reply@us.example", **given))


async def test_letter_arrives_encrypted_and_signed_in(serve, files):
    """Issue: e-mail over SMTP with STARTTLS and credentials from a file."""
    mailbox, port = await serve()

    await sender(files, port).email(TO, subject="Your code – for UHI", text=f"Your code is {CODE}.\n")

    ((mail_from, to, content, is_encrypted),) = mailbox.letters
    assert (mail_from, to, is_encrypted) == ("no-reply@us.example", [TO], True)
    assert CODE.encode() in content


async def test_letter_arrives_where_tls_comes_first(serve, files):
    """Issue: implicit TLS, as on port 465."""
    mailbox, port = await serve(tls="first")

    await sender(files, port, is_tls_first=True).email(TO, subject="s", text=CODE)

    assert len(mailbox.letters) == 1


async def test_server_that_is_not_the_one_named_gets_nothing(serve, files):
    """Rules on TLS: certificates are verified, always."""
    mailbox, port = await serve("somebody-else.example")

    with pytest.raises(DeliveryError) as refused:
        await sender(files, port).email(TO, subject="s", text=CODE)

    assert mailbox.letters == []
    assert TO not in str(refused.value)
    assert CODE not in str(refused.value)


async def test_server_without_tls_gets_nothing(serve, files):
    """Rules on TLS: nobody in between takes STARTTLS away."""
    mailbox, port = await serve(tls="none")

    with pytest.raises(DeliveryError):
        await sender(files, port, credentials_file=None).email(TO, subject="s", text=CODE)

    assert mailbox.letters == []


async def test_wrong_credentials_and_a_missing_server_are_told_without_the_secret(serve, files, unused_tcp_port):
    """Issue: nothing secret in errors."""
    _, port = await serve()
    (files / "smtp").write_text("mailer\nanother word\n")

    for number in (port, unused_tcp_port):
        with pytest.raises(DeliveryError) as refused:
            await sender(files, number).email(TO, subject="s", text=CODE)
        assert "another word" not in str(refused.value)


async def test_header_in_a_subject_or_address_is_not_a_header(serve, files):
    """Ours: nothing that a person chose adds a line to a letter."""
    mailbox, port = await serve()

    with pytest.raises(DeliveryError):
        await sender(files, port).email(TO, subject="s\r\nBcc: victim@x.example", text=CODE)

    assert mailbox.letters == []


def test_credentials_that_others_can_read_stop_the_start(files):
    """Rules on key storage: 0600."""
    (files / "smtp").chmod(0o644)

    with pytest.raises(SetupError):
        sender(files, 587)


class Aggregator:
    """A transport that remembers."""

    def __init__(self, status=200):
        self.status, self.calls = status, []

    async def post(self, url, *, body, headers, timeout):
        self.calls.append((url, json.loads(body), dict(headers)))
        return Reply(self.status)


@pytest.fixture
def gateway(tmp_path):
    """An aggregator's settings."""
    token = tmp_path / "token"
    token.touch(0o600)
    token.write_text("t0ken\n")
    return SmsGateway(
        url="https://sms.example/send", token_file=token, header="UHINET", entity_id="11", templates={"code": "22"}
    )


async def test_text_goes_out_with_the_ids_that_dlt_asks_for(gateway):
    """India's DLT rules: entity and template id with each text; the token is a header."""
    aggregator = Aggregator()
    sms = HttpSmsSender(gateway, transport=aggregator)

    await sms.sms("+919812345678", text=CODE, template="code")

    ((url, body, headers),) = aggregator.calls
    assert url == "https://sms.example/send"
    assert body == {"to": "+919812345678", "from": "UHINET", "text": CODE, "entity_id": "11", "template_id": "22"}
    assert headers["Authorization"] == "Bearer t0ken"
    assert "t0ken" not in repr(sms)


async def test_refused_text_is_an_error_without_number_or_text(gateway):
    """Issue: nothing personal in errors."""
    with pytest.raises(DeliveryError) as refused:
        await HttpSmsSender(gateway, transport=Aggregator(403)).sms("+919812345678", text=CODE)

    assert "98123" not in str(refused.value)
    assert CODE not in str(refused.value)


def test_sms_gateway_without_https_stops_the_start(gateway):
    """Rules on outgoing addresses: https."""
    plain = SmsGateway(url="http://sms.example", token_file=gateway.token_file, header="U", entity_id="1")

    with pytest.raises(SetupError):
        HttpSmsSender(plain, transport=Aggregator())


async def test_letter_that_cannot_leave_is_logged_without_what_it_says(caplog):
    """Issue: bodies of such letters never reach a log, whatever fails."""

    class Broken:
        async def email(self, to, *, subject, text):
            raise DeliveryError("the mail server did not take a letter")

        async def sms(self, to, *, text, template=""):
            raise RuntimeError(text)

    notices = Notices(EitherWay(Broken(), Broken()))

    with caplog.at_level(logging.DEBUG):
        notices.code(TO, CODE)
        notices.code_by_sms("+919812345678", CODE)
        await notices.done()

    assert len(caplog.records) == 2
    assert CODE not in caplog.text
    assert TO not in caplog.text


async def test_kept_letters_are_shown_to_whoever_started_the_program():
    """Ours: in development the terminal is everybody's mailbox."""
    shown = []
    kept = KeptLetters(shown.append, most=2)
    for number in range(3):
        await kept.email(TO, subject=f"s{number}", text=CODE)

    assert [letter.subject for letter in kept.to(TO)] == ["s1", "s2"]
    assert CODE in shown[0]
    assert CODE not in repr(kept)


@pytest.mark.parametrize(
    ("sender", "warnings"),
    [
        (KeptLetters(), 1),
        (EitherWay(KeptLetters(), KeptLetters()), 1),
        (KeptLetters(print), 0),
        (EitherWay(KeptLetters(print), KeptLetters()), 0),
    ],
)
def test_program_whose_letters_reach_nobody_says_so(caplog, sender, warnings):
    """Ours: without UHI_SMTP_HOST nobody can sign up; that is said at the start, with what helps."""
    warn_without_email(sender)

    assert [record.levelname for record in caplog.records] == ["WARNING"] * warnings
    assert caplog.text.count("set UHI_SMTP_HOST") == warnings
