"""What a filing does to what is held: the table of postal-messages, section 4.3, for every format.

==================================================  ==========================================================
incoming                                            effect
==================================================  ==========================================================
key unknown                                         ``created``; a REPLACE is noted (files come in any order)
lower version, or prepared earlier, than held       ``stale``: kept in the history, nothing changes
same content as held                                ``repeated``: nothing changes
ORIGINAL with other content                         ``changed``, noted (DQ-21)
REPLACE with other content                          ``changed``
CANCEL                                              ``withdrawn``; refused (DQ-22) after customs' final decision
anything after customs' final decision              ``changed``, noted (DQ-22): an amendment, never silent
by another participant than the one who filed       refused (KEY-HELD): nobody joins another's consignment
same message id and position, other content         refused (MSG-CONFLICT)
==================================================  ==========================================================
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

from services.router.building import build
from services.router.dossier import Dossier, Held
from shared.contracts import FilingRef
from shared.model import Filing, Finding, Severity

Effect = Literal["created", "changed", "repeated", "stale", "withdrawn", "refused"]


class Reception(NamedTuple):
    """The effect of a filing and what its sender should hear of it."""

    effect: Effect
    findings: tuple[Finding, ...] = ()


def receive(dossier: Dossier, filing: Filing, *, conflict: bool = False) -> Reception:
    """Return what *filing* does to *dossier*; *conflict* says that its id was seen before with other content."""
    if conflict:
        return Reception("refused", (MSG_CONFLICT,))
    held = dossier.filing
    if held is None:
        return _first(filing)
    if filing.participant != held.ref.participant:
        return Reception("refused", (KEY_HELD,))
    if _is_older(filing, held):
        return Reception("stale")
    if filing.function == "cancel":
        return _cancelled(dossier)
    if filing.content_digest == held.content_digest and not dossier.withdrawn:
        return Reception("repeated")
    return Reception("changed", _notes(dossier, filing))


def held(filing: Filing, ref: FilingRef | None = None) -> Held:
    """Return what the dossier keeps of *filing*."""
    return build(
        Held,
        ref=ref or ref_of(filing),
        cause_id=filing.filing_id,
        content_digest=filing.content_digest,
        prepared_at=filing.prepared_at,
        version=filing.version,
    )


def ref_of(filing: Filing) -> FilingRef:
    """Return which filing *filing* is, without its content."""
    return build(
        FilingRef,
        filing_id=filing.filing_id,
        participant=filing.participant,
        format=filing.format,
        message_id=filing.message_id,
        position=filing.position,
        function=filing.function,
        version=filing.version,
        received_at=filing.received_at,
        submission_id=filing.submission_id,
        kind="order" if filing.order is not None else "consignment",
        references=filing.references,
    )


def _first(filing: Filing) -> Reception:
    if filing.function == "cancel":
        return Reception("withdrawn", (CANCEL_UNKNOWN,))
    return Reception("created", (REPLACE_UNKNOWN,) if filing.function == "replace" else ())


def _is_older(filing: Filing, held: Held) -> bool:
    if filing.version is not None and held.version is not None and filing.version != held.version:
        return filing.version < held.version
    return filing.prepared_at is not None and held.prepared_at is not None and filing.prepared_at < held.prepared_at


def _cancelled(dossier: Dossier) -> Reception:
    if dossier.withdrawn:
        return Reception("repeated")
    return Reception("refused", (CANCEL_TOO_LATE,)) if finally_decided(dossier) else Reception("withdrawn")


def _notes(dossier: Dossier, filing: Filing) -> tuple[Finding, ...]:
    original = (ORIGINAL_AGAIN,) if filing.function == "original" and not dossier.withdrawn else ()
    return (*original, CHANGE_TOO_LATE) if finally_decided(dossier) else original


def finally_decided(dossier: Dossier) -> bool:
    """Whether customs said its last word: an answer marked final. A release before arrival is an advance decision, not that."""
    said = any(said.final for said in dossier.answers.values())
    return said or any(one.final and one.track == "clearance" for one in dossier.statements or ())


MSG_CONFLICT: Final = Finding(
    code="MSG-CONFLICT",
    message="This message id and position were used before for other content.",
    remedy="Give a correction its own message id, and send it as a replacement.",
)
KEY_HELD: Final = Finding(
    code="KEY-HELD",
    message="You may not file for this number.",
    remedy="Check the number; if it is yours, ask the hub's operator.",
)
CANCEL_TOO_LATE: Final = Finding(
    code="DQ-22",
    message="Customs has decided finally; the declaration can no longer be cancelled.",
    remedy="Turn to the customs office that decided.",
)
CHANGE_TOO_LATE: Final = Finding(
    code="DQ-22",
    severity=Severity.WARNING,
    message="Customs had decided finally; the change goes to it as an amendment.",
    remedy="Expect a new decision, or turn to the customs office that decided.",
)
ORIGINAL_AGAIN: Final = Finding(
    code="DQ-21",
    severity=Severity.WARNING,
    message="An original for this item was filed before with other content; this one replaces it.",
    remedy="Send corrections as REPLACE with a higher version.",
)
REPLACE_UNKNOWN: Final = Finding(
    code="REPLACE-UNKNOWN",
    severity=Severity.WARNING,
    message="A replacement came for an item the hub does not hold; it was taken as the first version.",
    remedy="Nothing to do if the original is on its way.",
)
CANCEL_UNKNOWN: Final = Finding(
    code="CANCEL-UNKNOWN",
    severity=Severity.WARNING,
    message="A cancellation came for an item the hub does not hold; an older original will find it withdrawn.",
    remedy="Check the number.",
)
