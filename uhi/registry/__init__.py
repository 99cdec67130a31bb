"""Who is who: a registry in memory, one from a YAML file, and the network's own, asked over HTTP and remembered."""

from uhi.registry.budget import LookupBudget
from uhi.registry.cache import CacheTimes
from uhi.registry.memory import Member, MemoryRegistry
from uhi.registry.network import LONGEST_PROVIDER_LIST, LookupScope, NetworkRegistry, RegistryAccess
from uhi.registry.yaml_file import load_registry

__all__ = [
    "LONGEST_PROVIDER_LIST",
    "CacheTimes",
    "LookupBudget",
    "LookupScope",
    "Member",
    "MemoryRegistry",
    "NetworkRegistry",
    "RegistryAccess",
    "load_registry",
]
