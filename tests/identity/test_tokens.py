"""Access tokens: what one of ours says, and everything that is none."""

from __future__ import annotations

import hmac
import json
from base64 import urlsafe_b64encode
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.identity.lobby import AUDIENCE, ISSUER, an_rsa_key, key_folder
from uhi.errors import Refusal, SetupError
from uhi.faults import TOKEN_INVALID
from uhi.identity.principals import Grant, Principal, PrincipalKind
from uhi.identity.roles import AccessRole
from uhi.identity.token_keys import TokenKeys
from uhi.identity.tokens import MOST_BYTES, TOKEN_SECONDS, AccessTokens
from uhi.testing import FakeClock

NOW = int(FakeClock().now())
ASHA = Principal(
    kind=PrincipalKind.PERSON,
    id="asha",
    grants=frozenset({Grant(AccessRole.CLINICIAN, "clinic.example"), Grant(AccessRole.REGISTRY_ADMIN)}),
    tenant="clinic.example",
    session_id="s1",
    signed_in_at=NOW - 5,
    has_second_factor=True,
    facility_id="f",
    practitioner_id="d",
    patient_id="p",
)
KEY_ID = an_rsa_key().thumbprint()
HEADER = {"alg": "RS256", "typ": "at+jwt", "kid": KEY_ID}
NAMES = {"iss": ISSUER, "aud": AUDIENCE, "sub": "asha", "tenant": "", "jti": "j", "sid": "s1"}
CLAIMS = {**NAMES, "roles": [], "amr": ["pwd"], "iat": NOW, "nbf": NOW, "exp": NOW + 600, "auth_time": NOW}
OTHER_KEY = rsa.generate_private_key(65_537, 2_048)


@pytest.fixture(scope="module")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> AccessTokens:
    folder = key_folder(Path(tmp_path_factory.mktemp("tokens")) / "keys", signs_from=NOW)
    keys = TokenKeys.open(folder, clock=FakeClock(jumps=False))
    return AccessTokens(keys, issuer=ISSUER, audience=AUDIENCE)


def part(value: object) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def signed(header: object, claims: object, *, key: rsa.RSAPrivateKey | None = None, algorithm=None) -> str:
    said = f"{part(header)}.{part(claims)}"
    private = key or an_rsa_key().private_key
    signature = private.sign(said.encode(), padding.PKCS1v15(), algorithm or hashes.SHA256())
    return f"{said}.{part(signature)}"


def refused(tokens: AccessTokens, token: str, *, now: float = NOW) -> str:
    with pytest.raises(Refusal) as refusal:
        tokens.read(token, now=now)
    assert refusal.value.fault is TOKEN_INVALID
    # A letter or two stand in any sentence.
    assert len(token) < 8 or token[-40:] not in str(refusal.value)
    return str(refusal.value)


def test_a_token_says_who_signed_in_and_how(tokens: AccessTokens):
    """Security, IAM: the claims of an access token."""
    token = tokens.issue(ASHA, methods=("pwd", "otp"), now=NOW)

    assert tokens.read(token, now=NOW) == ASHA
    assert len(token) <= MOST_BYTES


def test_no_two_tokens_are_the_same(tokens: AccessTokens):
    """Security, IAM: jti."""
    assert tokens.issue(ASHA, methods=("pwd",), now=NOW) != tokens.issue(ASHA, methods=("pwd",), now=NOW)


def test_one_method_is_no_second_factor(tokens: AccessTokens):
    """Security, IAM: staff and administrators sign in with two factors."""
    token = tokens.issue(ASHA, methods=("pwd",), now=NOW)

    assert not tokens.read(token, now=NOW).has_second_factor


@pytest.mark.case("IAM-05")
def test_a_token_counts_for_ten_minutes_and_thirty_seconds(tokens: AccessTokens):
    """Security, IAM: 10 min, leeway 30 s."""
    token = tokens.issue(ASHA, methods=("pwd",), now=NOW)

    tokens.read(token, now=NOW - 30)
    tokens.read(token, now=NOW + TOKEN_SECONDS + 29.9)

    assert "expired" in refused(tokens, token, now=NOW + TOKEN_SECONDS + 30)
    assert "not valid yet" in refused(tokens, token, now=NOW - 30.1)


def hmac_signed() -> str:
    said = f"{part({**HEADER, 'alg': 'HS256'})}.{part(CLAIMS)}"
    return f"{said}.{part(hmac.new(an_rsa_key().as_pem(private=False), said.encode(), sha256).digest())}"


def without(name: str) -> dict[str, object]:
    return {each: value for each, value in CLAIMS.items() if each != name}


FORGED = {
    "none": f"{part({'alg': 'none', 'typ': 'at+jwt', 'kid': KEY_ID})}.{part(CLAIMS)}.",
    "None spelled otherwise": f"{part({**HEADER, 'alg': 'nOnE'})}.{part(CLAIMS)}.",
    "HS256 with the public key": hmac_signed(),
    "RS384": signed({**HEADER, "alg": "RS384"}, CLAIMS, algorithm=hashes.SHA384()),
    "SHA-384 called RS256": signed(HEADER, CLAIMS, algorithm=hashes.SHA384()),
    "another key": signed(HEADER, CLAIMS, key=OTHER_KEY),
    "kid ../../x": signed({**HEADER, "kid": "../../x"}, CLAIMS, key=OTHER_KEY),
    "kid as a path": signed({**HEADER, "kid": "/dev/null"}, CLAIMS),
    "kid missing": signed({"alg": "RS256", "typ": "at+jwt"}, CLAIMS),
    "kid no text": signed({**HEADER, "kid": [KEY_ID]}, CLAIMS),
    "jku": signed({**HEADER, "jku": "https://evil.example/jwks"}, CLAIMS, key=OTHER_KEY),
    "jku beside our signature": signed({**HEADER, "jku": "https://evil.example/jwks"}, CLAIMS),
    "x5u": signed({**HEADER, "x5u": "https://evil.example/cert"}, CLAIMS),
    "jwk": signed({**HEADER, "jwk": {"kty": "oct", "k": "AA"}}, CLAIMS),
    "crit": signed({**HEADER, "crit": ["exp"]}, CLAIMS),
    "b64": signed({**HEADER, "crit": ["b64"], "b64": False}, CLAIMS),
    "of another type": signed({**HEADER, "typ": "JWT"}, CLAIMS),
    "issuer": signed(HEADER, {**CLAIMS, "iss": "https://evil.example"}),
    "audience": signed(HEADER, {**CLAIMS, "aud": "another.example"}),
    "several audiences": signed(HEADER, {**CLAIMS, "aud": [AUDIENCE, "another.example"]}),
    "expired": signed(HEADER, {**CLAIMS, "exp": NOW - 31}),
    "not valid yet": signed(HEADER, {**CLAIMS, "nbf": NOW + 31}),
    "of the future": signed(HEADER, {**CLAIMS, "iat": NOW + 31}),
    "times as text": signed(HEADER, {**CLAIMS, "exp": str(NOW + 600)}),
    "endless": signed(HEADER, json.dumps({**CLAIMS, "exp": 0}).replace('"exp": 0', '"exp": Infinity').encode()),
    "claims of a list": signed(HEADER, [CLAIMS]),
    "claims that are no JSON": signed(HEADER, b"asha"),
    "a claim twice": signed(HEADER, json.dumps(CLAIMS).replace('"sub"', '"sub": "eve", "sub"').encode()),
    "1 MB": signed(HEADER, {**CLAIMS, "sub": "a" * 1_000_000}),
    "a deep header": f"{part(b'[' * 6_000)}.{part(CLAIMS)}.AA",
    "a deep body": signed(HEADER, b"[" * 4_000),
    "four parts": signed(HEADER, CLAIMS) + ".AA",
    "two parts": signed(HEADER, CLAIMS).rpartition(".")[0],
    "nothing": "",
    **{f"{name} missing": signed(HEADER, without(name)) for name in CLAIMS},
}


@pytest.mark.case("IAM-05")
@pytest.mark.parametrize("forged", FORGED.values(), ids=FORGED)
def test_what_is_not_a_token_of_ours_is_refused(tokens: AccessTokens, forged: str):
    """Security, IAM: one algorithm, keys by id from a fixed set, every claim required, 8 KiB at most."""
    refused(tokens, forged)


def test_the_pattern_that_the_forgeries_depart_from_is_accepted(tokens: AccessTokens):
    """Ours: else the cases above would prove nothing."""
    assert tokens.read(signed(HEADER, CLAIMS), now=NOW).id == "asha"


def test_a_role_that_is_not_known_here_allows_nothing(tokens: AccessTokens):
    """Security, IAM: deny by default, also while releases differ."""
    claims = {**CLAIMS, "roles": ["emperor@x", "patient", "@", ""]}

    assert tokens.read(signed(HEADER, claims), now=NOW).grants == {Grant(AccessRole.PATIENT)}


def test_a_token_that_would_be_too_large_is_not_made(tokens: AccessTokens):
    """Security, IAM: 8 KiB; the operator is told whose roles are too many."""
    grants = frozenset(Grant(AccessRole.FINANCE, f"hospital-{number}.example") for number in range(300))

    with pytest.raises(SetupError, match="too many roles"):
        tokens.issue(Principal(kind=PrincipalKind.PERSON, id="asha", grants=grants), methods=("pwd",), now=NOW)


@given(text=st.text() | st.from_regex(r"[A-Za-z0-9_=-]*\.[A-Za-z0-9_=-]*\.[A-Za-z0-9_=-]*", fullmatch=True))
def test_no_text_signs_anybody_in(tokens: AccessTokens, text: str):
    """The issue: no crash and no wrong acceptance, whatever comes."""
    refused(tokens, text)


JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists, max_leaves=4)


@settings(max_examples=50)
@given(claims=st.dictionaries(st.sampled_from(sorted(CLAIMS)), JSON, min_size=1))
def test_claims_of_another_kind_are_refused_or_read_as_they_stand(tokens: AccessTokens, claims: dict[str, object]):
    """Ours: even what our own key signed is read strictly."""
    said = {**CLAIMS, **claims}

    with suppress(Refusal):
        assert tokens.read(signed(HEADER, said), now=NOW).id == said["sub"]
