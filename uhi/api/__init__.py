"""REST interfaces of ours: routes that each carry a rule, and what surrounds them.

Above: programs, which group routes and serve them; below: `uhi.identity`, `uhi.audit`, `uhi.http`.
"""

from uhi.api.routes import Call, Nothing, Route, Routes

__all__ = ["Call", "Nothing", "Route", "Routes"]
