"""REST interfaces of ours: routes that each carry a rule, and what surrounds them.

Above: programs, which group routes and serve them; below: `uhi.identity`, `uhi.audit`, `uhi.http`.
"""

from uhi.api.doorkeeper import Doorkeeper, Pace
from uhi.api.identity import doorkeeper_of, identity_routes
from uhi.api.openapi import describe, description_page
from uhi.api.origins import Sites
from uhi.api.routes import Answer, Body, Call, Nothing, Route, Routes, Sent
from uhi.api.serving import Surroundings, add_api

__all__ = [
    "Answer",
    "Body",
    "Call",
    "Doorkeeper",
    "Nothing",
    "Pace",
    "Route",
    "Routes",
    "Sent",
    "Sites",
    "Surroundings",
    "add_api",
    "describe",
    "description_page",
    "doorkeeper_of",
    "identity_routes",
]
