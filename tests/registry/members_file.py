"""The file of a registry that tests write, as `load_registry` reads it."""

from __future__ import annotations

import yaml

from uhi.registry.memory import Member, MemoryRegistry
from uhi.registry.rows import moment_text


def members_file(registry: MemoryRegistry) -> str:
    """The YAML text of a registry."""
    return yaml.safe_dump([_entry(member) for member in registry.members()], sort_keys=False, allow_unicode=True)


def _entry(member: Member) -> dict[str, object]:
    subscriber = member.subscriber
    return {
        "id": subscriber.id,
        "role": subscriber.role.value,
        "url": subscriber.url,
        "status": subscriber.status,
        "country": subscriber.country,
        "domains": list(subscriber.domains),
        "cities": list(subscriber.cities),
        "fulfilment_types": list(subscriber.fulfilment_types),
        "keys": [
            {
                "id": key.id,
                "public_key": key.public.spki_base64(),
                "profile": key.profile.name,
                "valid_from": moment_text(key.valid_from),
                "valid_until": moment_text(key.valid_until),
            }
            for key in member.keys
        ],
    }
