"""What CUSRES, CONTRL and APERAK share: from an authority's references and codes to answers, and from notices to an interchange.

An answer's key is that of the house where the message names it. The carrier of the key is the dialect's, else the receiver of the
interchange by the dialect's code map ``carrier`` (``{"JXEXPRESS": "jx"}``), else the receiver's code in lower case. Without a house it is
a reference: ``mrn:`` (ABT), ``master:`` (MWB), ``lrn:`` (the originator's own: ABO, ACW).

The hub's and the receiver's addresses are data of the receiver's dialect (code map ``edifact``: ``hub``, ``address``, each with its
qualifier: ``JXEXPRESS:ZZZ``); default are ``GUICHET`` and the participant's id in capitals.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from shared.codes import decisions
from shared.codes.decisions import Meaning
from shared.contracts import Answer, Notice, Outcome, Scope, express_key, post_key
from shared.formats import edifact
from shared.formats.base import ITEM_LIMIT, Envelope, Parsed
from shared.formats.edifact import Composer, Job, Segment, value, whole
from shared.formats.edifact_envelope import control_reference, unb
from shared.formats.xml import malformed
from shared.identifiers import s10
from shared.model import Dialect, RawMessage, Rejection

HUB: Final = "GUICHET"
TEXTS: Final = ("ACD", "AAO", "CIP", "AAI")
"""FTX qualifiers that tell why: reason, error, clearance instruction, general."""


def parsed(
    raw: RawMessage,
    dialect: Dialect,
    name: str,
    versions: Sequence[str],
    repeated: str,
    read: Callable[[Job, RawMessage, Dialect], Iterable[Answer | Rejection]],
    *,
    number: Callable[[str, str], str] = lambda document, icr: document or icr,
) -> Parsed:
    """Read the messages of a file; *read* gives the answers of one of them, *repeated* is the segment that there may be too many of.

    Raises :class:`shared.errors.MalformedMessage` when the file is refused as a whole.
    """
    found, rejected = edifact.jobs(raw, dialect, name=name, type=name.upper(), versions=versions, number=number)
    items = [*rejected, *(item for job in found for item in read(job, raw, dialect))]
    if len(items) > ITEM_LIMIT:
        raise malformed("MSG-ITEMS", path=repeated, value=str(len(items)))
    return Parsed(edifact.first_head(found, rejected, name), items, len(items))


class References(NamedTuple):
    """What an authority's message names."""

    house: str = ""
    master: str = ""
    mrn: str = ""
    own: str = ""


def references(said: Mapping[str, str], house: str = "") -> References:
    """Return the references of RFF qualifiers to numbers."""
    own = said.get("ABO") or said.get("ACW") or said.get("AGO") or ""
    return References(house or said.get("HWB", ""), said.get("MWB") or said.get("AWB") or "", said.get("ABT", ""), own)


def key_of(found: References, job: Job, dialect: Dialect) -> tuple[str, Scope | None] | None:
    """Return the key of an answer and how far it reaches; None when nothing is named."""
    if found.house:
        if s10.problem(found.house) is None:
            return post_key(s10.normalise(found.house)), Scope(level="house")
        receiver = job.interchange.recipient
        carrier = dialect.carrier or dialect.code_maps.get("carrier", {}).get(receiver, receiver.lower())
        return express_key(carrier, found.house), Scope(level="house")
    if found.mrn:
        return f"mrn:{found.mrn}", None
    if found.master:
        return f"master:{found.master}", Scope(level="master")
    return (f"lrn:{found.own}", None) if found.own else None


def meaning(system: str, code: str, dialect: Dialect) -> Meaning:
    """Return what *code* says, after the dialect's own map of national codes (``{"cusres": {"Z1": "4"}}``)."""
    says = decisions.meaning(system, dialect.code_maps.get(system, {}).get(code, code))
    return says._replace(track="filing") if says is decisions.UNKNOWN and system != "cusres" else says


def answer(
    identity: str,
    key: tuple[str, Scope | None],
    says: Meaning,
    code: str,
    job: Job,
    raw: RawMessage,
    *,
    at: datetime | None = None,
    notes: Iterable[str] = (),
    reference: str = "",
    requested: Sequence[str] = (),
    charges: Sequence[Mapping[str, Any]] = (),
) -> Answer:
    """Return the answer *identity* of an authority, with what is wrong with its envelope."""
    told = [*(["unknown_code"] if says.text == decisions.UNKNOWN.text else []), *notes]
    text = "; ".join(dict.fromkeys(note for note in told if note))
    return Answer.model_validate(
        {
            "answer_id": identity[:100],
            "key": key[0],
            "service": raw.participant,
            "outcome": Outcome(says.outcome),
            "issued_at": at or job.head.prepared_at or raw.received_at,
            "reason": says.reason,
            "note": text[:255] or None,
            "raw_code": code[:35],
            "reference": reference[:100] or None,
            "final": True if says.decision in ("RELEASE", "REFUSE") else None,
            "decision": says.decision,
            "track": says.track,
            "lifted": says.lifted or None,
            "scope": key[1],
            "requested": tuple(requested) or None,
            "charges": tuple(charges) or None,
            "findings": job.findings or None,
            "format": job.head.format,
            "message_id": job.head.message_id,
            "position": job.message.position,
        }
    )


def free_text(segment: Segment) -> str:
    """Return the text of FTX."""
    return whole(segment, 4, 70) or value(segment, 3)


# --- writing -----------------------------------------------------------------------------------------------------------------------------


def rendered(
    notices: Sequence[Notice],
    dialect: Dialect,
    identifier: Sequence[str],
    application: str,
    write: Callable[[Composer, Envelope, Notice], None],
) -> bytes:
    """Return *notices* as one interchange, a message each; *write* adds the segments of one. *notices* must not be empty."""
    envelope = envelope_of(notices, dialect)
    composer = Composer("UNOC", dialect)
    for number, notice in enumerate(notices, 1):
        composer.begin(str(number), identifier)
        write(composer, envelope, notice)
        composer.end(str(number))
    return finish(composer, envelope, application, len(notices))


def envelope_of(notices: Sequence[Notice], dialect: Dialect) -> Envelope:
    """Return who writes *notices* to whom, when, under which number: all of it follows from the notices."""
    addresses = dialect.code_maps.get("edifact", {})
    first = notices[0]
    return Envelope(
        control_reference(f"{first.notice_id}/{len(notices)}"),
        addresses.get("hub", HUB),
        addresses.get("address", first.participant.upper()[:35]),
        max(notice.at for notice in notices),
    )


def finish(composer: Composer, envelope: Envelope, application: str, messages: int) -> bytes:
    """Return the interchange."""
    return composer.interchange(unb(envelope, envelope.message_id, application), messages, envelope.message_id)


def house_of(notice: Notice) -> str | None:
    """Return the house document that a notice is about."""
    if notice.consignment is not None:
        return notice.consignment.house_transport_document_id
    kind, _, rest = notice.key.partition(":")
    if kind == "post":
        return rest
    return rest.partition(":")[2] or None if kind in ("express", "freight") else None


def document_of(notice: Notice) -> str | None:
    """Return the receiver's own document number that a notice answers (the first part of the message id; see CUSCAR)."""
    said = notice.filing.message_id if notice.filing else notice.message_id
    return said.rpartition("/")[0][:35] or said[:35] if said else None


def error_code(code: str) -> str:
    """Return a finding's code as 9321 (an..8): its first eight letters and digits. The whole code stands in the text beside it.

    >>> error_code("FLD-CODE-MAPPED")
    'FLDCODEM'
    """
    return "".join(mark for mark in code if mark.isalnum())[:8]
