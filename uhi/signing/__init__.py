"""Signing as pure functions: keys, body digest, signing string, header codecs, and the profiles UHI and BECKN.

Below: `strict_json` and `errors`; above: the doors of `exchange`. No I/O but key files, no clock: times are arguments.
Sources: NHA's signing document (its vectors, not its prose) and Beckn document BECKN-006.
"""

from uhi.signing.authorization import SignatureHeader
from uhi.signing.keys import PrivateKey, PublicKey
from uhi.signing.profiles import BECKN, PROFILES, UHI, HeaderForm, Profile
from uhi.signing.sign import Signer, sign, sign_digest
from uhi.signing.signing_string import body_digest, signed_bytes, signing_string
from uhi.signing.verify import Window, check_digest_header, check_window, verify, verify_bytes, verify_digest

__all__ = [
    "BECKN",
    "PROFILES",
    "UHI",
    "HeaderForm",
    "PrivateKey",
    "Profile",
    "PublicKey",
    "SignatureHeader",
    "Signer",
    "Window",
    "body_digest",
    "check_digest_header",
    "check_window",
    "sign",
    "sign_digest",
    "signed_bytes",
    "signing_string",
    "verify",
    "verify_bytes",
    "verify_digest",
]
