"""Bodies that are signed as they should be and still cannot be taken: size, encoding, JSON, form, parties, action."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tests.network import letters
from tests.network.conftest import check_nack
from tests.network.letters import Letter
from tests.network.messages import body_of
from tests.network.scene import A_THREAD, Scene
from uhi.faults import (
    BODY_TOO_LARGE,
    BODY_TYPE,
    JSON_INVALID,
    MESSAGE_INVALID,
    NOT_IMPLEMENTED,
    PATH_UNKNOWN,
    SIGNER_NOT_SENDER,
    WRONG_CONSUMER,
    WRONG_PROVIDER,
)
from uhi.network import NHA_SANDBOX
from uhi.testing import Network, Options

KIB = 1024


def signed(scene: Scene, body: bytes, path: str = "init") -> Letter:
    """A letter of the consumer with exactly this body."""
    return Letter(path, body).signed(scene.network.signers["app.example"], scene.now)


def spoiled(scene: Scene, spoil: Callable[[bytes], bytes]) -> Letter:
    """A whole init, spoiled before it was signed."""
    return signed(scene, spoil(scene.letter("init").body))


async def test_body_over_the_limit_is_refused(scene, refuses):
    """Limits table: 256 KiB for everything but catalogues and chats."""
    body = scene.letter("init").body

    await refuses(scene)(signed(scene, body + b" " * (256 * KIB + 1 - len(body))), scene.clinic, BODY_TOO_LARGE)


async def test_body_of_exactly_the_limit_is_accepted(scene):
    """Limits table: the limit itself is allowed."""
    body = scene.letter("init").body

    answer = await scene.send(signed(scene, body + b" " * (256 * KIB - len(body))), scene.clinic)

    assert answer.is_ack


async def test_each_path_has_its_own_limit(stage):
    """Limits table: on_search 4 MiB, on_message 8 MiB, everything else 256 KiB."""
    sizes = {
        path: size // KIB
        for each in (stage.app, stage.clinic, stage.gateway)
        for path, size in each.entrance.paths.items()
    }

    assert {path: size for path, size in sizes.items() if size != 256} == {"on_search": 4_096, "on_message": 8_192}


@pytest.mark.case("BODY-11")
@pytest.mark.parametrize(
    "kind", ["text/plain", "application/json; charset=utf-16", "multipart/form-data", "application/fhir+json"]
)
async def test_other_content_types_are_refused(scene, refuses, kind):
    """Error table: 415 before anything is hashed."""
    letter = scene.letter("init").without("Content-Type").with_header("Content-Type", kind)

    await refuses(scene)(letter, scene.clinic, BODY_TYPE)


@pytest.mark.case("BODY-03")
async def test_encoded_body_is_refused(scene, refuses):
    """Threat T09: no Content-Encoding, whatever the bytes."""
    await refuses(scene)(scene.letter("init").with_header("Content-Encoding", "gzip"), scene.clinic, BODY_TYPE)


def _deep(levels: int) -> Callable[[bytes], bytes]:
    # The order stands at the third level already.
    inside = b'"tags": ' + b"[" * levels + b"]" * levels
    return lambda body: body.replace(b'"order": {', b'"order": {' + inside + b",", 1)


def _at(old: bytes, new: bytes) -> Callable[[bytes], bytes]:
    def spoil(body: bytes) -> bytes:
        assert old in body
        return body.replace(old, new, 1)

    return spoil


NOT_JSON = {
    "empty": lambda body: b"",
    "cut": lambda body: body[:-10],
    "two-texts": lambda body: body + b"{}",
    "duplicate-consumer-id": _at(b'"consumer_id"', b'"consumer_id": "x", "consumer_id"'),
    "duplicate-price": _at(b'"amount"', b'"amount": "1.00", "amount"'),
    "duplicate-message": _at(b'"message"', b'"message": {}, "message"'),
    "depth-33": _deep(30),
    "depth-100000": lambda body: b"[" * 100_000,
    "nan": _at(b'"500.00"', b"NaN"),
    "infinity": _at(b'"500.00"', b"-Infinity"),
    "1e999": _at(b'"500.00"', b"1e999"),
    "5000-digits": _at(b'"500.00"', b"9" * 5_000),
    "2^63": _at(b'"500.00"', b"9223372036854775808"),
    "not-utf-8": _at(b"Delhi", b"Del\xffhi"),
    "overlong": _at(b"Delhi", b"Del\xc0\xafhi"),
    "bom": lambda body: b"\xef\xbb\xbf" + body,
    "utf-16": lambda body: body.decode().encode("utf-16"),
    "lone-surrogate": _at(b"Delhi", b"\\ud800"),
    "nul": _at(b"Delhi", b"Del\\u0000hi"),
    "nul-in-id": _at(b'"m-1"', b'"m\\u0000"'),
    "raw-control-character": _at(b"Delhi", b"Del\x01hi"),
}


@pytest.mark.case("BODY-04")
@pytest.mark.case("BODY-05")
@pytest.mark.case("BODY-07")
@pytest.mark.case("BODY-08")
@pytest.mark.case("BODY-09")
@pytest.mark.case("BODY-10")
@pytest.mark.parametrize("spoil", NOT_JSON.values(), ids=NOT_JSON)
async def test_what_is_not_strict_json_is_refused(stage, refuses, spoil):
    """Threats T07 and T08: one meaning per text, bounded in depth and size; 400 UHI-1411."""
    await refuses(stage)(spoiled(stage, spoil), stage.clinic, JSON_INVALID)


async def test_nesting_of_exactly_32_is_accepted(stage):
    """Limits table: depth 32."""
    assert (await stage.send(spoiled(stage, _deep(29)), stage.clinic)).is_ack


async def test_too_many_values_are_refused(stage, refuses):
    """Limits table: 20,000 values in one ordinary body."""
    many = b'"order": {"tags": {"more": [' + b"0," * 20_000 + b"0]},"

    await refuses(stage)(spoiled(stage, _at(b'"order": {', many)), stage.clinic, JSON_INVALID)


MALFORMED = {
    "array": (lambda body: b"[]", "$"),
    "null": (lambda body: b"null", "$"),
    "text": (lambda body: b'""', "$"),
    "object": (lambda body: b"{}", "$.context"),
    "no-message": (lambda body: b'{"context": ' + json.dumps(json.loads(body)["context"]).encode() + b"}", "$.message"),
    "case-twin": (_at(b'"consumer_id"', b'"Consumer_Id": "x", "consumer_id"'), "$.context.consumer_id"),
    "crlf-in-id": (_at(b'"m-1"', b'"x\\r\\nX-Evil: 1"'), "$.context.message_id"),
    "ansi-in-id": (_at(b'"m-1"', b'"x\\u001b[31m"'), "$.context.message_id"),
    "long-id": (_at(b'"m-1"', b'"' + b"x" * 10_240 + b'"'), "$.context.message_id"),
    "no-id": (_at(b'"message_id": "m-1"', b'"other": 1'), "$.context.message_id"),
    "no-transaction": (_at(b'"transaction_id": "t-1"', b'"other": 1'), "$.context.transaction_id"),
    "empty-transaction": (_at(b'"t-1"', b'""'), "$.context.transaction_id"),
    "other-action": (_at(b'"action": "init"', b'"action": "confirm"'), "$.context.action"),
    "callback-action": (_at(b'"action": "init"', b'"action": "on_init"'), "$.context.action"),
    "no-slot": (_at(b'"slot-1",\n    "type"', b'"",\n    "type"'), "$.message.order.fulfillment.id"),
}  # fmt: skip


@pytest.mark.case("BODY-06")
@pytest.mark.case("BODY-12")
@pytest.mark.case("BODY-14")
@pytest.mark.parametrize(("spoil", "path"), MALFORMED.values(), ids=MALFORMED)
async def test_message_without_the_required_form_is_refused(stage, refuses, spoil, path):
    """Error table: 400 UHI-1404 with the JSON path of the field at fault."""
    answer = await refuses(stage)(spoiled(stage, spoil), stage.clinic, MESSAGE_INVALID)

    assert answer.error["path"] == path


@pytest.mark.case("BODY-13")
@pytest.mark.parametrize(
    "value", ['"-500"', '"abc1"', '"1e5"', '"٥٠٠"', '"1_000"', '"9999999999"', '"500.00\\n"', "{}"]
)
async def test_amount_that_is_no_amount_is_refused(stage, refuses, value):
    """Threat T30: up to nine ASCII digits with four decimals."""
    priced = _at(b'"item": {', b'"item": {"price": {"currency": "INR", "value": ' + value.encode() + b"},")

    await refuses(stage)(spoiled(stage, priced), stage.clinic, MESSAGE_INVALID)


@pytest.mark.case("BODY-06")
@pytest.mark.case("BODY-14")
@pytest.mark.parametrize(
    "changes", [{"__proto__": {"a": 1}}, {"constructor": "x"}, {"message_id": "not~a!uuid"}, {"message_id": "x" * 255}]
)
async def test_unknown_names_and_ids_that_are_no_uuids_are_accepted(stage, changes):
    """Decision 7: unknown names survive; 1 to 255 printable ASCII characters without space are an id."""
    assert (await stage.send(stage.letter("init", **changes), stage.clinic)).is_ack


async def test_path_that_is_not_served_is_refused(stage, refuses):
    """Error table: 404 UHI-1404."""
    await refuses(stage)(Letter("rating", b"{}"), stage.clinic, PATH_UNKNOWN)


async def test_path_of_another_role_is_refused(stage, refuses):
    """Error table: a provider serves no on_init, a consumer no init."""
    await refuses(stage)(stage.letter("init"), stage.app, PATH_UNKNOWN)
    await refuses(stage)(stage.callback("on_init"), stage.clinic, PATH_UNKNOWN)


async def test_action_without_handler_is_refused_and_the_log_prints_the_handler(stage, caplog):
    """Error table: 400 NET_NOT_IMPLEMENTED; the operator can paste what is missing."""
    bare = await stage.network.provider("bare.example")
    context = letters.context("init", stage.app.identity.me, bare.identity.me)
    letter = letters.letter("init", context).signed(stage.network.signers["app.example"], stage.now)

    before = stage.state()
    answer = await stage.send(letter, bare)

    check_nack(answer, NOT_IMPLEMENTED)
    assert stage.state() == before
    assert "@app.on(INIT)\nasync def init(request: Verified[Init]): ..." in caplog.text


@pytest.mark.parametrize("path", ["init", "confirm", "cancel", "status", "select", "search", "on_message"])
async def test_message_for_another_provider_is_refused(scene, refuses, path):
    """Error table: 400 UHI-1415; a signature does not cover the address, so the context must."""
    message = body_of("to_provider" if path == "on_message" else "slots" if path == "search" else path)
    letter = scene.letter(path, message=message, provider_id="other.example")

    answer = await refuses(scene)(letter, scene.clinic, WRONG_PROVIDER)

    assert answer.error["path"] == "$.context.provider_id"


async def test_message_for_another_consumer_is_refused(scene, refuses):
    """Error table: 400 UHI-1413."""
    await refuses(scene)(scene.callback("on_init", consumer_id="second.example"), scene.app, WRONG_CONSUMER)


@pytest.mark.parametrize("missing", [None, ""])
async def test_new_conversation_that_names_no_provider_is_refused(scene, refuses, missing):
    """Decision 3: a missing id is taken from the open transaction; here there is none."""
    letter = scene.letter("init", provider_id=missing)

    await refuses(scene)(letter, scene.clinic, WRONG_PROVIDER)


@pytest.mark.parametrize("missing", [None, ""])
async def test_known_conversation_may_leave_out_the_provider(scene, missing):
    """Decision 3: the transaction tells."""
    await scene.send(scene.letter("init"), scene.clinic)

    answer = await scene.send(scene.letter("confirm", provider_id=missing, message_id="m-2"), scene.clinic)

    assert answer.is_ack
    assert ("clinic.example", "confirm") in scene.handled


@pytest.mark.parametrize("missing", [None, ""])
async def test_missing_consumer_id_is_taken_from_the_key(scene, missing):
    """Decision 3: who signed is the sender."""
    await scene.send(scene.letter("init", consumer_id=missing), scene.clinic)

    assert scene.heard[0].thread == A_THREAD


async def test_error_in_place_of_a_request_is_refused(stage, refuses):
    """Error table: only a callback may carry an error and no message."""
    body = letters.write(
        letters.context("init", stage.app.identity.me, stage.clinic.identity.me), None, error={"code": "1"}
    )

    await refuses(stage)(signed(stage, body), stage.clinic, MESSAGE_INVALID)


async def test_consumer_may_set_one_state_only(scene, refuses):
    """UHI on_update: a consumer reports DOCTOR_NO_SHOW and nothing else."""
    await scene.send(scene.letter("init"), scene.clinic)
    other = scene.letter("on_update", message=body_of("on_update"), message_id="m-2")

    answer = await refuses(scene)(other, scene.clinic, MESSAGE_INVALID)

    assert answer.error["path"] == "$.message.order.state"


@pytest.mark.case("BODY-05")
async def test_peers_of_nha_get_refused_json_with_http_200(refuses):
    """Decision table: the same NACK body in the compatibility mode."""
    async with Network(Options(preset=NHA_SANDBOX)) as network:
        scene = await Scene.on(network)

        await refuses(scene)(spoiled(scene, NOT_JSON["duplicate-consumer-id"]), scene.clinic, JSON_INVALID)


async def test_first_fault_counts(stage, refuses):
    """Decision 1: cheap checks first; a message for another provider by another consumer fails on its sender."""
    letter = stage.letter("init", consumer_id="second.example", provider_id="other.example")

    await refuses(stage)(letter, stage.clinic, SIGNER_NOT_SENDER)
