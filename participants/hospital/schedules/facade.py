"""Schedules of a hospital program: give it the database, serve its routes, ask the hospital's port.

Above: the program; below: routes, `hospital`.
"""

from __future__ import annotations

from participants.hospital.organisations.directory import Directory
from participants.hospital.schedules.attention_routes import AttentionRoutes
from participants.hospital.schedules.away_routes import AwayRoutes
from participants.hospital.schedules.program import ScheduleBook
from participants.hospital.schedules.timetables import Plan
from participants.hospital.schedules.week_routes import WeekRoutes
from uhi.api.routes import Routes
from uhi.ports import Clock
from uhi.storage.sql.database import Database


class Schedules:
    """The schedules of the practices in a directory. `provider_id` is whose bookings they are held against."""

    def __init__(self, database: Database, *, clock: Clock, directory: Directory, provider_id: str) -> None:
        self.book = ScheduleBook(database=database, clock=clock, directory=directory, provider_id=provider_id)
        self.plan = Plan()
        """Every timetable as of one version; replaced as a whole by whoever finds a newer one."""

    def routes(self) -> tuple[Routes, ...]:
        """The groups of routes."""
        group = Routes("schedules", explains=True)
        for part in (WeekRoutes(self.book), AwayRoutes(self.book), AttentionRoutes(self.book)):
            part.add_to(group)
        return (group,)

    def take(self, plan: Plan) -> None:
        """Go on with a plan that somebody read, unless a newer one was taken meanwhile."""
        if plan.version > self.plan.version:
            self.plan = plan
