"""An account in a patient application without a letter, by whoever has its machine: for trying it out."""

import asyncio

from cli.people_admin import invite_person
from participants.patient.settings import PatientSettings
from uhi.identity.joining import Invitation
from uhi.identity.principals import Grant
from uhi.identity.roles import AccessRole

RAVI = Invitation(email="ravi@app.example", name="Ravi Kumar", grant=Grant(AccessRole.PATIENT, "patients"))

if __name__ == "__main__":
    print(asyncio.run(invite_person(PatientSettings.read(), RAVI)).token)
