"""Who did what to which record, when, from where, with what outcome: rows chained by hash, checkpoints signed.

Above: whoever changes or reads what must be provable afterwards; below: the database of `uhi.storage`.
Source: security rules "Audit log".
"""

from uhi.audit.entries import Acting, ActorKind, Entry, Outcome, digest_of

__all__ = ["Acting", "ActorKind", "Entry", "Outcome", "digest_of"]
