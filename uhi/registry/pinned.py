"""The registry's keys as settings spell them: `keyid=base64 public key`, separated by commas.

Above: composition roots. Source: this network's settings `UHI_REGISTRY_ID` and `UHI_REGISTRY_KEYS`.
"""

from __future__ import annotations

from uhi.errors import Refusal, SetupError
from uhi.exchange.trust import RegistryTrust
from uhi.signing import PublicKey
from uhi.signing.authorization import KEY_ID_PART


def read_trust(registry_id: str, keys: str) -> RegistryTrust | None:
    """The pinned registry, or None where neither id nor keys are given.

    Raises: SetupError naming the setting that is missing or wrong.
    """
    if not registry_id and not keys.strip():
        return None
    if not KEY_ID_PART.fullmatch(registry_id):
        raise SetupError(
            "UHI_REGISTRY_KEYS needs the registry's id",
            got=f"UHI_REGISTRY_ID={ascii(registry_id)[:60]}",
            expected="1 to 255 letters, digits and ._:-",
        )
    return RegistryTrust(registry_id, dict(_key(entry) for entry in keys.split(",") if entry.strip()))


def _key(entry: str) -> tuple[str, PublicKey]:
    key_id, _, text = entry.strip().partition("=")
    if not KEY_ID_PART.fullmatch(key_id):
        raise SetupError("UHI_REGISTRY_KEYS cannot be read", expected="keyid=base64 public key, separated by commas")
    try:
        return key_id, PublicKey.read(text)
    except Refusal as refusal:
        problem = str(refusal)
    raise SetupError(f"UHI_REGISTRY_KEYS: key {key_id}: {problem}", next_step="copy it from the network's operator")
