"""Answers of customs systems that write XML (ICS2, UK declarations, ASYCUDA World): from codes and references to ``Answer``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from shared.codes import decisions
from shared.codes.decisions import Meaning
from shared.contracts import Answer, Outcome, express_key, freight_key, post_key
from shared.formats import postal_answers
from shared.formats.filings import Item
from shared.identifiers import s10
from shared.model import Dialect, MessageHead, RawMessage, Rejection


def meaning(system: str, code: str, dialect: Dialect) -> Meaning:
    """Return what *code* says, after the dialect's own map of national codes (``{"cds": {"53": "05"}}``)."""
    return decisions.meaning(system, dialect.code_maps.get(system, {}).get(code, code))


def house_key(house: str, filer: str, dialect: Dialect) -> str | None:
    """Return the key of a house document, or None when nothing says whose it is.

    An S10 number names itself. Any other needs its carrier: the dialect's, or what its code map ``carrier`` makes of the *filer*'s number
    (``{"BE0999888777": "jx"}``; ``freight:fwd`` for one of general cargo).
    """
    if s10.problem(house) is None:
        return post_key(s10.normalise(house))
    carrier = dialect.code_maps.get("carrier", {}).get(filer, dialect.carrier or "")
    channel, _, name = carrier.rpartition(":")
    if not name:
        return None
    return (freight_key if channel == "freight" else express_key)(name, house)


def answer(
    item: Item,
    head: MessageHead,
    raw: RawMessage,
    says: Meaning,
    *,
    identity: str,
    key: str,
    code: str,
    at: datetime | None,
    authority: str | None = None,
    level: str | None = None,
    notes: Iterable[str] = (),
    reference: str | None = None,
    referral: str | None = None,
    requested: Sequence[str] = (),
    extra: Mapping[str, str] | None = None,
) -> Answer | Rejection:
    """Return the answer *identity*; *level* is how far it reaches where the message says so. A code that is in no table is a hold."""
    told = [*(["unknown_code"] if says.text == decisions.UNKNOWN.text else []), *notes]
    said = {
        "answer_id": identity[:100],
        "key": key,
        "service": postal_answers.service(item, raw, authority),
        "outcome": Outcome(says.outcome),
        "issued_at": at or head.prepared_at or raw.received_at,
        "reason": says.reason,
        "note": "; ".join(dict.fromkeys(note for note in told if note))[:255],
        "raw_code": code[:35],
        "reference": reference,
        "final": True if says.decision in ("RELEASE", "REFUSE") else None,
        "decision": says.decision,
        "track": says.track,
        "lifted": says.lifted or None,
        "scope": {"level": level} if level else None,
        "referral_id": referral,
        "requested": tuple(dict.fromkeys(requested)),
        "extra": {name: value for name, value in (extra or {}).items() if value},
    }
    return postal_answers.conclude(item, said, head, raw)
