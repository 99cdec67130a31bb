"""Published and independent signing vectors, each with exactly its verdict.

`beckn.json` and `interop.json` quote values of documents that may not be copied here: they are read from a folder
beside the repository where that exists. All others stand in `vectors/`, with their sources in its NOTICE.
"""

from __future__ import annotations

import base64
import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from uhi.errors import Refusal, SetupError
from uhi.faults import KEY_UNUSABLE, SIGNATURE_INVALID
from uhi.signing import (
    BECKN,
    PROFILES,
    UHI,
    PrivateKey,
    Profile,
    PublicKey,
    SignatureHeader,
    Signer,
    authorization,
    body_digest,
    check_window,
    sign,
    sign_digest,
    signed_bytes,
    signing_string,
    verify,
    verify_bytes,
    verify_digest,
)
from uhi.signing.key_files import PUBLISHED_PUBLIC_KEYS, refuse_published

HERE = Path(__file__).parent / "vectors"
BESIDE = Path(__file__).parents[2].parent / "shared" / "vectors"
ORDER_OF_FIELD = 2**255 - 19


@cache
def read(name: str) -> Any:
    return json.loads((HERE / name).read_text())


@cache
def read_beside(name: str) -> Any:
    path = BESIDE / name
    if not path.is_file():
        pytest.skip(f"{name} may not be copied into the repository and does not stand beside it")
    return json.loads(path.read_text())


def b64(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def refused(header: SignatureHeader, body: bytes, key: PublicKey, profile: Profile = BECKN) -> None:
    with pytest.raises(Refusal) as caught:
        verify(body, header, key=key, profile=profile)
    assert caught.value.fault is SIGNATURE_INVALID


# --- UHI -------------------------------------------------------------------------------------------------------------

UHI_VECTORS = pytest.mark.parametrize("vector", read("uhi.json")["vectors"], ids=lambda vector: vector["id"])


@UHI_VECTORS
def test_uhi_vector_is_reproduced_step_by_step(vector: dict[str, Any]) -> None:
    """NHA signing document and TypeScript example: digest, signing string, signed text."""
    digest = vector["body_digest_b64"]
    if vector["body_utf8"] is not None:
        assert body_digest(vector["body_utf8"].encode()) == digest

    text = signing_string(UHI, created=vector["created"], expires=vector["expires"], digest=digest)

    assert text == vector["signing_string"]
    assert signed_bytes(UHI, text).decode() == vector["signed_text"]


@UHI_VECTORS
def test_uhi_vector_verifies_only_under_its_profile(vector: dict[str, Any]) -> None:
    """As published; the Beckn form of the same header does not."""
    header = authorization.parse(vector["header"])
    key = PublicKey.read(vector["public_key_spki_b64"])

    verify_digest(vector["body_digest_b64"], header, key=key, profile=UHI)

    assert header.signature == b64(vector["signature_b64"])
    assert f"{header.subscriber_id}|{header.key_id}|ed25519" == vector["key_id"]
    with pytest.raises(Refusal):
        verify_digest(vector["body_digest_b64"], header, key=key, profile=BECKN)


@pytest.mark.parametrize("vector", read("uhi.json")["vectors"][:2], ids=lambda vector: vector["id"])
def test_uhi_vector_is_signed_byte_for_byte(vector: dict[str, Any]) -> None:
    """Ed25519 is deterministic: same key, body and times, same header. The third vector's private key is unknown."""
    subscriber_id, key_id, _ = vector["key_id"].split("|")
    key = PrivateKey.read(vector["private_key_pkcs8_b64"])

    header = sign_digest(
        vector["body_digest_b64"],
        Signer(subscriber_id, key_id, key, UHI),
        created=vector["created"],
        expires=vector["expires"],
    )

    assert header == vector["header"]
    assert key.public.spki_base64() == vector["public_key_spki_b64"]


@pytest.mark.case("SIG-01")
def test_uhi_hello_verifies_until_it_expires() -> None:
    """Body `hello` at 1678684250, and one second after its last."""
    vector = next(vector for vector in read("uhi.json")["vectors"] if vector["body_utf8"] == "hello")
    header = authorization.parse(vector["header"])

    check_window(header, now=1678684250)
    verify(b"hello", header, key=PublicKey.read(vector["public_key_spki_b64"]), profile=UHI)

    with pytest.raises(Refusal, match="expired 1 s ago"):
        check_window(header, now=1678684257)


# --- verdicts on header variants -------------------------------------------------------------------------------------


def verdict(case: dict[str, Any], now: int, profile: Profile) -> str:
    fault = None
    try:
        header = authorization.parse(case["header"])
        check_window(header, now=now)
        verify(case["body_utf8"].encode(), header, key=PublicKey.read(case["public_key_b64"]), profile=profile)
    except Refusal as refusal:
        fault = refusal.fault
    assert fault in {None, SIGNATURE_INVALID, KEY_UNUSABLE}
    return "accept" if fault is None else "reject"


BECKN_CASES = read("header-acceptance.json")["variants"] + read("header-acceptance.json")["boundaries"]
UHI_CASES = read("header-acceptance-uhi.json")["cases"]


@pytest.mark.case("SIG-12")
@pytest.mark.parametrize("case", BECKN_CASES, ids=lambda case: case["id"])
def test_header_variant_gets_its_verdict(case: dict[str, Any]) -> None:
    """27 forms met in practice and 18 boundaries: parse liberally, verify strictly."""
    assert verdict(case, read("header-acceptance.json")["now"], BECKN) == case["verdict"]


@pytest.mark.case("SIG-12")
@pytest.mark.parametrize("case", UHI_CASES, ids=lambda case: case["id"])
def test_uhi_header_variant_gets_its_verdict(case: dict[str, Any]) -> None:
    """The same question for the JSON form, with the profile that is pinned to the key."""
    profile = PROFILES[case["profile"].lower()]

    assert verdict(case, read("header-acceptance-uhi.json")["now"], profile) == case["verdict"]


def test_every_verdict_file_is_complete() -> None:
    """A file cut short would pass unseen."""
    assert (len(BECKN_CASES), len(UHI_CASES)) == (45, 35)
    assert sum(case["verdict"] == "accept" for case in BECKN_CASES[:27]) == 12


# --- Ed25519 edge cases ----------------------------------------------------------------------------------------------


@pytest.mark.case("SIG-13")
def test_wycheproof_verdicts_are_reproduced() -> None:
    """151 cases: 88 verify, 63 are refusals, and nothing else is raised."""
    taken = 0
    for case in read("wycheproof-ed25519.json")["cases"]:
        key = PublicKey(bytes.fromhex(case["public_key_hex"]))
        signature, message = bytes.fromhex(case["signature_hex"]), bytes.fromhex(case["message_hex"])
        if case["valid"]:
            verify_bytes(message, signature, key=key)
            taken += 1
        else:
            with pytest.raises(Refusal):
                verify_bytes(message, signature, key=key)

    assert (taken, len(read("wycheproof-ed25519.json")["cases"])) == (88, 151)


@pytest.mark.case("SIG-14")
def test_low_order_keys_are_refused_as_keys_and_in_verification() -> None:
    """526 signatures under 14 encodings; the second line of defence is tried with a key that skipped the first."""
    cases = read("low-order-keys.json")["cases"]
    for case in cases:
        raw = bytes.fromhex(case["public_key_hex"])
        with pytest.raises(Refusal) as caught:
            PublicKey(raw)
        assert caught.value.fault is KEY_UNUSABLE
        unchecked = object.__new__(PublicKey)
        object.__setattr__(unchecked, "raw", raw)
        with pytest.raises(Refusal):
            verify_bytes(case["message_utf8"].encode(), bytes.fromhex(case["signature_hex"]), key=unchecked)

    assert (len(cases), len({case["public_key_hex"] for case in cases})) == (526, 14)


# --- Beckn and ONDC, from beside the repository ----------------------------------------------------------------------


def beckn_signer(name: str) -> Signer:
    key = read_beside("beckn.json")["keys"][name]
    return Signer(key["subscriber_id"], key["unique_key_id"], PrivateKey.read(key["seed32_b64"]), BECKN)


def test_beckn_keys_are_the_same_in_every_encoding() -> None:
    """Seed, 64-byte secret, PKCS#8, raw and SPKI public."""
    for key in read_beside("beckn.json")["keys"].values():
        private = {PrivateKey.read(key[form]) for form in ("seed32_b64", "secret64_b64", "pkcs8_b64")}
        public = {PublicKey.read(key[form]) for form in ("public32_b64", "spki_b64")}

        assert (len(private), len(public)) == (1, 1)
        assert private.pop().public == public.pop()


def test_beckn_vectors_are_reproduced_and_verify() -> None:
    """Published vectors of BECKN-006, ONDC and version 2, corrected where the document is wrong."""
    for vector in read_beside("beckn.json")["vectors"]:
        signer, body = beckn_signer(vector["key"]), vector["body_utf8"].encode()
        digest, times = body_digest(body), {"created": vector["created"], "expires": vector["expires"]}

        assert digest == vector["body_digest_b64"]
        assert signing_string(BECKN, **times, digest=digest) == vector["signing_string"]
        assert sign(body, signer, **times) == vector["header"]
        verify(body, authorization.parse(vector["header"]), key=signer.key.public, profile=BECKN)


def test_wrongly_printed_signatures_are_refused() -> None:
    """Two documents print a signature that does not belong to their body."""
    printed = [vector for vector in read_beside("beckn.json")["vectors"] if "printed_signature_b64" in vector]
    for vector in printed:
        signer = beckn_signer(vector["key"])
        signature = b64(vector["printed_signature_b64"])
        header = SignatureHeader(signer.subscriber_id, signer.key_id, vector["created"], vector["expires"], signature)

        refused(header, vector["body_utf8"].encode(), signer.key.public)

    assert len(printed) == 2


@pytest.mark.case("SIG-02")
def test_beckn_vector_verifies_under_its_profile_only() -> None:
    """BECKN-006, consumer's vector, at 1641287880."""
    vector = next(vector for vector in read_beside("beckn.json")["vectors"] if vector["id"] == "beckn-006-bap")
    header, body = authorization.parse(vector["header"]), vector["body_utf8"].encode()
    key = beckn_signer("bap").key.public

    check_window(header, now=1641287880)
    verify(body, header, key=key, profile=BECKN)

    refused(header, body, key, UHI)


def test_independent_implementations_are_reproduced_byte_for_byte() -> None:
    """60 signatures of six implementations, with the header as each of them returns it."""
    interop = read_beside("interop.json")
    for vector in interop["vectors"]:
        signer, body = beckn_signer(vector["key"]), b64(interop["bodies"][vector["body"]]["bytes_b64"])
        header = authorization.parse(vector["header"])

        assert sign(body, signer, created=vector["created"], expires=vector["expires"]) == vector["header"]
        assert header.signature == b64(vector["signature_b64"])
        assert authorization.parse(vector.get("header_as_returned", vector["header"])) == header
        verify(body, header, key=signer.key.public, profile=BECKN)

    assert len(interop["vectors"]) == 60


@pytest.mark.case("SIG-05")
def test_bytes_written_anew_by_an_implementation_do_not_verify() -> None:
    """What was given to it, or what it puts on the wire, where that differs from what it signed."""
    interop = read_beside("interop.json")
    tried = 0
    for vector in interop["vectors"]:
        header, key = authorization.parse(vector["header"]), beckn_signer(vector["key"]).key.public
        for other in {vector.get("given"), vector.get("sent")} - {None}:
            refused(header, b64(interop["bodies"][other]["bytes_b64"]), key)
            tried += 1

    assert tried > 0


def test_bodies_have_the_digests_of_other_implementations() -> None:
    """17 bodies, from no bytes at all to escaped and unescaped text."""
    for body in read_beside("interop.json")["bodies"].values():
        assert body_digest(b64(body["bytes_b64"])) == body["digest_b64"]


def test_answer_signature_with_four_parts_is_not_read_as_a_request() -> None:
    """The version 2 form signs a fourth line; a parser of requests refuses it."""
    for vector in read_beside("interop.json")["ack_vectors"]:
        with pytest.raises(Refusal, match="signs other parts"):
            authorization.parse(vector["header"])


def test_published_private_keys_are_refused() -> None:
    """Anyone can sign with a key that stands in a public document."""
    texts = [vector["private_key_pkcs8_b64"] for vector in read("uhi.json")["vectors"]]
    keys = [PrivateKey.read(text).public for text in texts if text is not None]
    keys += [PublicKey.read(BECKN_CASES[0]["public_key_b64"])]
    for key in keys:
        with pytest.raises(SetupError, match="published"):
            refuse_published(key)


def test_list_of_published_keys_is_complete() -> None:
    """Every key whose private half stands in these vectors, and no other."""
    texts = [vector["private_key_pkcs8_b64"] for vector in read("uhi.json")["vectors"]]
    texts += [key["seed32_b64"] for key in read_beside("beckn.json")["keys"].values()]

    assert {PrivateKey.read(text).public.raw.hex() for text in texts if text} == set(PUBLISHED_PUBLIC_KEYS)
