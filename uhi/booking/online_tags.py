"""What the agent of a consultation online tells besides: registrations, and who takes part as the second doctor.

One order has one fulfilment with one agent; the second doctor stands in the tags that the older reference has for a
group consultation, whose two orders it does not need. Pure. Above: `catalog`, `found`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from uhi.booking.hospital import Doctor
from uhi.messages.tags import (
    COUNCIL,
    FIRST_DOCTOR_ADDRESS,
    FIRST_DOCTOR_NAME,
    GROUP_CONSULTATION,
    REGISTRATION_NUMBER,
    SECOND_COUNCIL,
    SECOND_DOCTOR_ADDRESS,
    SECOND_DOCTOR_GENDER,
    SECOND_DOCTOR_NAME,
    SECOND_REGISTRATION_NUMBER,
    our_tag,
    write_our_tags,
)
from uhi.messages.values import Agent, Tags, tag, write_tags


def write_online_tags(doctor: Doctor, others: Sequence[Doctor]) -> Tags:
    """Return the tags of a doctor who sees patients online, with the first of the others."""
    ours = {REGISTRATION_NUMBER: doctor.registration_number, COUNCIL: doctor.council}
    if not others:
        return write_our_tags(ours)
    second = others[0]
    group = write_tags(
        {
            GROUP_CONSULTATION: "true",
            FIRST_DOCTOR_NAME: doctor.name,
            FIRST_DOCTOR_ADDRESS: doctor.id,
            SECOND_DOCTOR_NAME: second.name,
            SECOND_DOCTOR_ADDRESS: second.id,
            SECOND_DOCTOR_GENDER: second.gender or None,
        }
    )
    told = {**ours, SECOND_REGISTRATION_NUMBER: second.registration_number, SECOND_COUNCIL: second.council}
    return {**group, **write_our_tags(told)}


def read_registration(tags: Mapping[str, object] | None) -> tuple[str, str]:
    """Return a doctor's registration number and the council it is with, each empty where it is not told."""
    return our_tag(tags, REGISTRATION_NUMBER), our_tag(tags, COUNCIL)


def read_others(agent: Agent | None, first: Doctor) -> tuple[Doctor, ...]:
    """Return who takes part besides the first doctor, at the same facility and in the same price."""
    tags = agent.tags if agent else None
    address = tag(tags, SECOND_DOCTOR_ADDRESS)
    if (tag(tags, GROUP_CONSULTATION) or "").lower() != "true" or not address or address == first.id:
        return ()
    second = Doctor(
        id=address,
        name=tag(tags, SECOND_DOCTOR_NAME) or address,
        facility=first.facility,
        price=first.price,
        gender=tag(tags, SECOND_DOCTOR_GENDER) or "",
        registration_number=our_tag(tags, SECOND_REGISTRATION_NUMBER),
        council=our_tag(tags, SECOND_COUNCIL),
        fulfilments=first.fulfilments,
    )
    return (second,)
