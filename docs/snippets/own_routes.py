"""A REST interface of one's own behind the same door: a patient reads the letters that are theirs."""

from uhi.api import Answer, Call, Nothing, Routes
from uhi.identity import Permission, Relation, Rule, Target

LETTERS = {"pat-1": ("Bring your last report.",)}
OWN_LETTERS = Rule(Permission.RECORDS_OWN, Relation.OWN_RECORD, reads_patients=True)

letters = Routes("letters")


class Letters(Answer):
    letters: tuple[str, ...]


@letters.route("GET", "/v1/patients/{id}/letters", OWN_LETTERS, body=Nothing, answer=Letters)
async def list_letters(call: Call[Nothing]) -> Letters:
    """A patient's letters."""
    call.permit(Target(patient_id=call.path["id"]))
    return Letters(letters=LETTERS.get(call.path["id"], ()))
