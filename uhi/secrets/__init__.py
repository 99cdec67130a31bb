"""Keys from where they are kept: a file of one's own, or HashiCorp Vault.

Above: composition roots; below: the port `uhi.ports.keys`. Source: security rules "Registry and key rules".
"""

from uhi.secrets.places import Places
from uhi.secrets.vault import Vault, VaultAccess

__all__ = ["Places", "Vault", "VaultAccess"]
