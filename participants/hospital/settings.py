"""Settings of a hospital's program, from `UHI_…` environment variables: those of every program that people use, and its
own.

Above: `bootstrap`, the command line. Long-lived keys come from files.
"""

from __future__ import annotations

from dataclasses import replace

from pydantic import Field

from participants.hospital.organisations.belonging import check_belongs
from uhi.booking import JoinLinks, RoomLinks
from uhi.conversation.settings import FilesSettings
from uhi.identity.parts import IdentityOptions
from uhi.ports import Transport


class HospitalSettings(FilesSettings):
    """The settings of `uhi.people` and `uhi.conversation`; `name` stands over the catalogues too.

    `hold_minutes` is how long a slot is kept for a patient who has not confirmed yet; `hold_share_percent` of a
    doctor's day one application may keep so at a time, one slot in any case. `offer_hours` is how long one is kept that
    the facility offers instead of an appointment it calls off. A patient may cancel until `patient_notice_hours` before
    the start (0: until it begins); where the facility does so later than `facility_notice_hours` before, that is
    recorded. `messaging_support` tells patients that they may write to the facility, `deep_link` and `chatbot_link`
    where else they reach it. Of consultations online: `meetings_url` is a server like Jitsi Meet where each has a room
    (empty: calls are set up by signals alone), `grievance_contact` is told as who hears complaints.
    """

    name: str = "UHI hospital"
    hold_minutes: int = Field(default=15, ge=1, le=60)
    hold_share_percent: int = Field(default=5, ge=1, le=100)
    offer_hours: int = Field(default=24, ge=1, le=168)
    patient_notice_hours: int = Field(default=0, ge=0, le=168)
    facility_notice_hours: int = Field(default=2, ge=0, le=168)
    messaging_support: bool = True
    deep_link: str = Field(default="", max_length=2_000)
    chatbot_link: str = Field(default="", max_length=2_000)
    meetings_url: str = Field(default="", max_length=500)
    grievance_contact: str = Field(default="", max_length=500)

    @property
    def join_links(self) -> JoinLinks | None:
        """Who makes the links to calls, if anybody.

        Raises: SetupError for an address that cannot be used.
        """
        return RoomLinks(self.meetings_url) if self.meetings_url else None

    def identity(self, transport: Transport) -> IdentityOptions:
        """As of every program that people use; staff belong to organisations that are there.

        Raises: SetupError when letters or text messages cannot leave as told.
        """
        return replace(super().identity(transport), belongs=check_belongs)
