"""The registry's encrypted challenge: published and fresh vectors, each with exactly its answer, or refused.

Keys in `challenge.json` are test keys; its sources stand in the NOTICE file beside it.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from uhi.errors import Refusal
from uhi.signing.beckn_challenge import decrypt, encrypt, public_half

VECTORS = json.loads((Path(__file__).parent / "vectors" / "challenge.json").read_text(encoding="utf-8"))
CHALLENGES = pytest.mark.parametrize("vector", VECTORS["challenges"], ids=lambda vector: vector["id"])
MUST_FAIL = pytest.mark.parametrize("vector", VECTORS["must_fail"], ids=lambda vector: vector["id"])
FRESH = [vector for vector in VECTORS["challenges"] if "registry_private_raw32_b64" in vector]


@CHALLENGES
@pytest.mark.parametrize("private", ["private_pkcs8_b64", "private_raw32_b64"])
@pytest.mark.parametrize("public", ["public_spki_b64", "public_raw32_b64"])
def test_participant_answers_the_challenge(vector, private, public) -> None:
    """The vectors: keys come raw or as DER, and both give the text that was encrypted."""
    text = decrypt(vector["challenge"], vector["participant"][private], vector["registry"][public])

    assert text == vector["answer"]


@CHALLENGES
def test_challenge_is_encrypted_as_by_others(vector) -> None:
    """The vectors, from the other side: the shared secret is the same whoever makes it, and so is every byte."""
    made = encrypt(vector["answer"], vector["participant"]["private_raw32_b64"], vector["registry"]["public_raw32_b64"])

    assert made == vector["challenge"]


@pytest.mark.parametrize("vector", FRESH, ids=lambda vector: vector["id"])
def test_registry_makes_the_challenge_with_its_own_key(vector) -> None:
    """The fresh vectors carry both private keys: what a registry encrypts is the printed challenge."""
    participant = public_half(vector["participant"]["private_raw32_b64"])

    made = encrypt(vector["answer"], vector["registry_private_raw32_b64"], participant)

    assert made == vector["challenge"]
    assert public_half(vector["registry_private_raw32_b64"]) == vector["registry"]["public_spki_b64"]


@MUST_FAIL
def test_challenge_that_must_fail_is_refused(vector) -> None:
    """The vectors: broken blocks, other padding, other keys and keys of small order end in a refusal, not a crash."""
    with pytest.raises(Refusal):
        decrypt(vector["challenge"], vector["participant_private_raw32_b64"], vector["registry_public_raw32_b64"])


def test_nothing_is_encrypted_for_a_key_of_small_order() -> None:
    """The vectors' zero key, from the other side: an all-zero secret is known to everybody."""
    zero = next(vector for vector in VECTORS["must_fail"] if vector["id"] == "zero_public_key")

    with pytest.raises(Refusal, match="small order"):
        encrypt("text", zero["participant_private_raw32_b64"], zero["registry_public_raw32_b64"])
