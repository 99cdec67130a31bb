"""Which web pages may send what: no other site's page acts with our cookie, and none reads answers unless it is listed.

Pure. Above: `doorkeeper`, `serving`. Source: security rules "IAM", browsers; the Fetch standard.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from multidict import CIMultiDict, CIMultiDictProxy

from uhi.errors import Refusal
from uhi.faults import ORIGIN_REFUSED

Headers = CIMultiDictProxy[str] | CIMultiDict[str]

_SHOWN = "Content-Disposition, Idempotency-Replayed, Retry-After, X-Request-Id"
_OWN_PAGES = {"same-origin"}
_NO_PAGE = {"", "none", "same-origin"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sites:
    """The origins that count, each as browsers write it: `https://registry.example`, with a port that is not 443.

    `own` is where the interface itself is reached; `others` are pages elsewhere that may call it with an access token
    and read its answers. Only pages of `own` act with its cookie.
    """

    own: str
    others: frozenset[str] = frozenset()

    def check(self, headers: Headers, *, by_cookie: bool) -> None:
        """Refuse what changes something and comes from a page that may not.

        Raises: Refusal(ORIGIN_REFUSED).
        """
        origins = headers.getall("Origin", [])
        if not origins:
            self._check_fetch_site(headers.get("Sec-Fetch-Site", ""), by_cookie=by_cookie)
            return
        allowed = {self.own} if by_cookie else {self.own, *self.others}
        if len(origins) > 1 or origins[0] not in allowed:
            raise Refusal(ORIGIN_REFUSED, expected=f"a page of {self.own}")

    def shown_to(self, headers: Headers) -> Mapping[str, str]:
        """The headers that let a listed page read an answer; none for every other."""
        origin = headers.get("Origin", "")
        if origin not in self.others:
            return {}
        return {"Access-Control-Allow-Origin": origin, "Access-Control-Expose-Headers": _SHOWN}

    def preflight(self, headers: Headers, methods: tuple[str, ...]) -> Mapping[str, str]:
        """The answer to a browser that asks beforehand; none for a page that is not listed."""
        shown = self.shown_to(headers)
        if not shown:
            return {}
        return {
            **shown,
            "Access-Control-Allow-Methods": ", ".join(methods),
            "Access-Control-Allow-Headers": "Authorization, Content-Type, Idempotency-Key, Last-Event-ID",
            "Access-Control-Max-Age": "600",
        }

    def _check_fetch_site(self, site: str, *, by_cookie: bool) -> None:
        # A browser that sends neither header is too old to be trusted with a cookie.
        if site not in (_OWN_PAGES if by_cookie else _NO_PAGE):
            raise Refusal(ORIGIN_REFUSED, expected="a page of our own", got="a page elsewhere, or none is told")
