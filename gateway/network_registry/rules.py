"""What a registry goes by: who it is, which addresses may be registered, what has to be proven.

Above: `register`; below: the address policy of `uhi.http`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from uhi.http.addresses import AddressPolicy, check_resolves, public_only

Resolves = Callable[[str, AddressPolicy], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterRules:
    """`registry_id` is the registry's own subscriber id. `is_local`: a network for development, where published keys
    may be used and nobody has to show that a site is theirs. `encryption_key` is the registry's private X25519 key
    (base64), which Beckn peers are asked with; without it none can apply. `resolves` looks a host up. At most
    `most_applicants` who never were members are waited for.
    """

    registry_id: str
    addresses: AddressPolicy = public_only
    is_local: bool = False
    encryption_key: str = field(default="", repr=False)
    resolves: Resolves = check_resolves
    most_applicants: int = 2_000

    async def check_resolves(self, url: str) -> None:
        """Refuse an address whose host leads to a number that is not public, or nowhere.

        Raises: Refusal(ADDRESS_REFUSED); Refusal(OVERLOADED).
        """
        await self.resolves(url, self.addresses)
