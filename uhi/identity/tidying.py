"""Forgets what is over: codes, tokens of letters, sign-ins that were not finished, old counts of tries.

And accounts that nobody took up in time: an invitation must not keep an address from its owner for good.

Above: `parts`; below: the tables.
"""

from __future__ import annotations

from sqlalchemy import Connection, delete, exists, select

from uhi.audit import Acting, ActorKind
from uhi.audit.trail import append
from uhi.identity.letter_tokens import TokenPurpose
from uhi.identity.people import AccountState
from uhi.identity.throttles import forget_old
from uhi.storage.sql.identity_tables import account, account_grant, letter_token, one_time_code, pending_sign_in

KEPT_SECONDS = 86_400.0
"""For so long after its end a row is still there, so that a mistake can be looked into."""
_COUNTS_SECONDS = 3 * 86_400.0
_OURSELVES = Acting(actor="tidying", kind=ActorKind.SYSTEM)


def tidy(connection: Connection, *, now: float) -> int:
    """Delete what has been over for a day; returns how many rows."""
    before = now - KEPT_SECONDS
    over = (
        delete(table).where(table.c.expires_at < before) for table in (one_time_code, letter_token, pending_sign_in)
    )
    deleted = sum(connection.execute(each).rowcount for each in over)
    deleted += forget_old(connection, before=now - _COUNTS_SECONDS)
    return deleted + _forget_invited(connection, now)


def _forget_invited(connection: Connection, now: float) -> int:
    own = (letter_token.c.account_id == account.c.id, letter_token.c.purpose == TokenPurpose.INVITATION.spelled)
    is_over = (account.c.state == AccountState.INVITED.value, ~exists().where(*own))
    found = select(account.c.id).where(*is_over).order_by(account.c.id).with_for_update()
    gone = 0
    for account_id in connection.execute(found).scalars().all():
        # Asked again, now that it is locked: somebody may just have been invited anew.
        if connection.execute(delete(account).where(account.c.id == account_id, *is_over)).rowcount:
            connection.execute(delete(account_grant).where(account_grant.c.account_id == account_id))
            append(connection, _OURSELVES.entry("account.expire", f"account {account_id}", at=now))
            gone += 1
    return gone
