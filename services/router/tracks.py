"""What authorities said, on three tracks that are never mixed, and what of it still stops the consignment.

Kept is the last statement of each authority, track, unit, family of codes and referral; an older one is history only. What is open
follows from what is kept, so the order in which statements came changes nothing:

====================  ================================================================================================================
statement             ends, of the same authority, about the same unit, said before it
====================  ================================================================================================================
one that lifts        what has the same code; of one referral, where it names one
``RELEASE``           all that is open in clearance, and demands for data; not a hold that has a code of its own to end it
``ASSESSED_OK``       demands for data; where it lifts, all that is open before loading, a *do not load* included
``ACCEPTED``          all that is open about the filing
``RECEIVED``          a rejection of the filing: the corrected one is there
any that supersedes   the referral it names
====================  ================================================================================================================

A unit is the house, some of its pieces, or the master or receptacle above it: a word about the house ends nothing said of the master.

Pieces have a number and no name, so a word about some of them reaches no further than it says:

* A word about at least as many pieces as the consignment has is one about the house, and a word about the house is one about all pieces.
* A word about fewer ends a stop of just as many pieces: those are the ones meant. It ends no other.
* Releases of parts (and lifts of one code) add up. A stop ends when what was said after it covers the house, the goods are free when all
  that was said does; a quantity taken back (disposition 14, 15, 16) is subtracted. Two parts are two when they were said at two instants
  or differ in number: the same again is a repetition, and a status repeated carries its own time.
* Where the consignment's pieces are not known, parts are never the whole; nor are pieces of a master, which may hold other houses, unless
  the consignment travels under the master itself (a direct waybill).
* Words with a phase (CUSRSP) replace each other and never add up.

Source: reference of customs answers, sections 9 and 10 (a code applies to the pieces it carries; a release must cover all pieces); where
that is silent, never more is free than was said.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from pydantic import AwareDatetime

from services.router.building import build
from shared.contracts import Answer, Charge, DecisionCode, Outcome, Phase, PublicReason, Summary, Track, rank_of
from shared.model import Model

NUMBERS_RETURN_AFTER: Final = timedelta(days=90)
"""A master or receptacle of that number seen so much later is another: numbers are used again, air waybills about every year."""
HOUSE: Final = "house"
PIECES: Final = "pieces:"

_NO_CAUSE: Final = UUID(int=0)
_OPENS: Final = frozenset(
    {
        "REJECTED",
        "INFO_REQUESTED",
        "DOCS_REQUESTED",
        "SCREEN_REQUESTED",
        "PAYMENT_REQUIRED",
        "EXAMINE",
        "HOLD",
        "DO_NOT_LOAD",
        "REFUSE",
    }
)
_HOLD_OF: Final[Mapping[str, str]] = {
    "1F": "1G",
    "1I": "1H",
    "2I": "2H",
    "3I": "3H",
    "5I": "5H",
    "7I": "7H",
    **{code: code for code in ("1G", "1H", "2H", "3H", "5H", "7H")},
}
"""Disposition codes of holds that several agencies lay on one consignment: each ends by its own code only."""


class Statement(Model):
    """One message of an authority, as far as it counts. ``unit`` is what it is about: ``house``, ``pieces:<number>``, or the key of the
    master or receptacle. ``cause_id`` is the transition of this dossier that brought it, ``taken_at`` when."""

    authority: str
    track: Track
    decision: DecisionCode
    unit: str
    lifted: bool = False
    referral_id: str | None = None
    supersedes: str | None = None
    cause_id: UUID
    answer_id: str
    issued_at: AwareDatetime
    taken_at: AwareDatetime
    outcome: Outcome
    reason: PublicReason | None = None
    note: str | None = None
    format: str | None = None
    raw_code: str | None = None
    reference: str | None = None
    phase: Phase | None = None
    phase_sequence: int | None = None
    final: bool | None = None
    pieces: int | None = None
    requested: tuple[str, ...] | None = None
    due_at: AwareDatetime | None = None
    contact: str | None = None
    charges: tuple[Charge, ...] | None = None

    @property
    def code(self) -> str:
        """Return the authority's own code, with the system it belongs to: ``CUSRES-7``."""
        return f"{self.format or self.authority}-{self.raw_code or self.decision}".upper()

    @property
    def why(self) -> str:
        """Return what the authority said, in words."""
        return self.note or f"{self.authority} said {self.decision.lower().replace('_', ' ')}."

    @property
    def opens(self) -> bool:
        """Whether this stops or asks for something until it is ended. Only in clearance does a cancelled decision stop anything: what was
        released is so no longer."""
        return not self.lifted and (self.decision in _OPENS or (self.decision == "CANCELLED" and self.track == "clearance"))

    @property
    def releases(self) -> bool:
        """Whether this releases goods: a release in clearance, never the end of an assessment before loading."""
        return self.decision == "RELEASE" and self.track == "clearance" and not self.lifted

    @property
    def takes_back(self) -> bool:
        """Whether this says that goods that were released are so no longer."""
        return self.decision == "CANCELLED" and self.track == "clearance" and not self.lifted

    @property
    def is_part(self) -> bool:
        """Whether this is about some pieces and may add up with others of its kind to the whole."""
        ends = self.lifted or self.releases or self.takes_back
        return ends and self.pieces is not None and self.phase is None


def statement_of(answer: Answer, cause_id: UUID, now: datetime) -> Statement:
    """Return what is kept of *answer*, which must have a decision."""
    assert answer.decision is not None
    return build(
        Statement,
        authority=answer.service,
        track=answer.track or "clearance",
        decision=answer.decision,
        unit=_unit(answer),
        lifted=bool(answer.lifted),
        referral_id=answer.referral_id,
        supersedes=(answer.extra or {}).get("SupersedesId"),
        cause_id=cause_id,
        answer_id=answer.answer_id,
        issued_at=answer.issued_at,
        taken_at=now,
        outcome=answer.outcome,
        reason=answer.reason,
        note=answer.note,
        format=answer.format,
        raw_code=answer.raw_code,
        reference=answer.reference,
        phase=answer.phase,
        phase_sequence=answer.phase_sequence,
        final=answer.final,
        pieces=answer.scope.pieces if answer.scope is not None else None,
        requested=answer.requested,
        due_at=answer.due_at,
        contact=(answer.extra or {}).get("ContactPoint"),
        charges=answer.charges,
    )


def _unit(answer: Answer) -> str:
    if answer.key.startswith(("master:", "receptacle:")):
        return answer.key
    scope = answer.scope
    if scope is None or (scope.level == "house" and scope.pieces is None):
        return HOUSE
    return f"{PIECES}{scope.pieces or ''}" if scope.level in ("house", "pieces") else scope.level


def take(held: Sequence[Statement], new: Statement) -> tuple[Statement, ...] | None:
    """Return *held* with *new* in the place of what it replaces, or None when what is held is as new or newer."""
    slot = _slot(new)
    before = next((one for one in held if _slot(one) == slot), None)
    if before is not None and _age(new) <= _age(before):
        return None
    return tuple(sorted((*(one for one in held if one is not before), new), key=_slot))


def _slot(one: Statement) -> tuple[str, ...]:
    """Return what one statement replaces another by. Those with a phase are a series of their own: phases order them, not only time. Parts
    stand beside each other, each at its instant."""
    referral = "" if one.decision == "ASSESSED_OK" else one.referral_id or ""
    series = "phased" if one.phase is not None else ""
    part = f"{one.pieces} {one.issued_at.astimezone(UTC).isoformat()}" if one.is_part else ""
    return one.authority, one.track, one.unit, _family(one), "lifted" if one.lifted else "", referral, series, part


def _family(one: Statement) -> str:
    hold = _HOLD_OF.get(one.raw_code or "") if one.decision == "HOLD" else None
    return f"HOLD {hold}" if hold is not None else one.decision


def _age(one: Statement) -> tuple[tuple[int, int], datetime, str]:
    return rank_of(one.phase, one.phase_sequence), one.issued_at, one.answer_id


# --- what is open ------------------------------------------------------------------------------------------------------------------------


def still_open(held: Sequence[Statement], about: Summary | None = None) -> tuple[Statement, ...]:
    """Return the statements of *held* that stop or ask for something now: the authorities' part of the hold stack.

    *about* is the consignment they are about, which knows how many pieces are all.
    """
    return tuple(one for one in held if one.opens and not _is_ended(one, held, about))


def _is_ended(one: Statement, held: Sequence[Statement], about: Summary | None) -> bool:
    parts: dict[tuple[str, bool], list[Statement]] = {}
    for later in held:
        if _ends(later, one):
            if _is_whole(later, about) or (later.pieces is not None and later.pieces == one.pieces):
                return True
            if later.is_part:
                parts.setdefault((later.decision, later.lifted), []).append(later)
    for (decision, _), said in parts.items():
        if decision == "RELEASE":
            said += (back for back in held if back.takes_back and _is_beside(back, one) and _is_later(back, one))
        if _covers(_sum_of(said), one, about):
            return True
    return False


def _ends(later: Statement, one: Statement) -> bool:
    """Whether what *later* says ends *one*, as far as it reaches."""
    if not _is_beside(later, one) or not _is_later(later, one):
        return False
    if later.supersedes is not None and later.supersedes == one.referral_id and later.track == one.track:
        return True
    if later.lifted and _family(later) == _family(one) and later.track == one.track:
        return later.referral_id in (None, one.referral_id)
    match later.decision:
        case "RELEASE":
            ends_goods = one.track == "clearance" and (one.decision != "HOLD" or one.raw_code not in _HOLD_OF)
            return later.releases and (ends_goods or one.track == "filing")
        case "ASSESSED_OK":
            return one.track == "filing" or (later.lifted and one.track == "pre_loading")
        case "ACCEPTED":
            return one.track == "filing"
        case "RECEIVED":
            return one.track == "filing" and one.decision == "REJECTED"
    return False


def _is_later(later: Statement, one: Statement) -> bool:
    """Of two said at one instant neither is later: what stops goes on stopping."""
    if later.phase is not None and one.phase is not None:
        return _age(later)[:2] > _age(one)[:2]
    return later.issued_at > one.issued_at


# --- how far a word reaches --------------------------------------------------------------------------------------------------------------


def released_by(held: Sequence[Statement], about: Summary | None) -> frozenset[str]:
    """Return the authorities that released the whole of the consignment *about*, at once or part by part."""
    return frozenset(one.authority for one in held if one.releases and (_is_whole(one, about) or _are_whole(one, held, about)))


def is_released_in_part(held: Sequence[Statement], about: Summary | None) -> bool:
    """Return whether an authority released some of the pieces of the consignment *about* and not the others."""
    some = {one.authority for one in held if one.releases and one.unit.startswith(PIECES)}
    return bool(some) and not some <= released_by(held, about)


def charges(held: Sequence[Statement], about: Summary | None) -> tuple[Charge, ...]:
    """Return the duties, taxes and fees of what is open; once nothing is, those of the releases."""
    if not any(one.charges for one in held):
        return ()
    said = still_open(held, about) or [one for one in held if one.releases]
    return tuple(charge for one in said for charge in one.charges or ())


def last_release(held: Sequence[Statement], authority: str) -> Statement:
    """Return the latest release of *authority*, of the whole or a part; there must be one."""
    return max((one for one in held if one.releases and one.authority == authority), key=_age)


def _are_whole(part: Statement, held: Sequence[Statement], about: Summary | None) -> bool:
    """Return whether the releases beside *part*, less what was taken back, cover the whole."""
    if not part.is_part:
        return False
    back = [one for one in held if one.takes_back and _is_beside(one, part) and not _is_restored(one, held, about)]
    return _covers(_sum_of([*back, *(one for one in held if one.releases and one.is_part and _is_beside(one, part))]), part, about)


def _is_restored(back: Statement, held: Sequence[Statement], about: Summary | None) -> bool:
    """Return whether a release that was taken back counts again: not where goods were released anew."""
    return _is_ended(back, [one for one in held if not one.releases], about)


def _is_beside(one: Statement, other: Statement) -> bool:
    """Return whether two statements are of one authority about one unit or pieces of it."""
    return one.authority == other.authority and _whole_of(one) == _whole_of(other)


def _whole_of(one: Statement) -> str:
    return HOUSE if one.unit.startswith(PIECES) else one.unit


def _is_whole(one: Statement, about: Summary | None) -> bool:
    """Return whether *one* is about its whole unit."""
    return one.unit != PIECES if one.pieces is None else _covers(one.pieces, one, about)


def _covers(pieces: int, one: Statement, about: Summary | None) -> bool:
    if about is None or about.package_count is None:
        return False
    is_own = _whole_of(one) in (HOUSE, f"master:{about.house_transport_document_id}")
    return is_own and pieces >= about.package_count


def _sum_of(parts: Iterable[Statement]) -> int:
    """Return how many pieces are free after *parts*, in the order in which they were said."""
    free = 0
    for one in sorted(parts, key=_age):
        if one.takes_back:
            free = max(0, free - one.pieces) if one.pieces is not None else 0
        else:
            free += one.pieces or 0
    return free


# --- for others --------------------------------------------------------------------------------------------------------------------------


def stops(answer: Answer) -> bool:
    """Return whether *answer* stops something or asks for it, instead of ending or releasing."""
    return answer.decision is not None and statement_of(answer, _NO_CAUSE, answer.issued_at).opens


def handed_on(ref: str, held: Sequence[Statement], now: datetime, *, disputed: bool = False) -> tuple[Statement, ...]:
    """Return what a consignment hears that is linked to *ref* after it was said: of a master or receptacle what is still open and not too
    old, of an MRN or LRN, which names that consignment itself, everything; of a *disputed* one only what is still open."""
    if not ref.startswith(("master:", "receptacle:")):
        return still_open(held) if disputed else tuple(held)
    return tuple(one for one in still_open(held) if now - one.taken_at < NUMBERS_RETURN_AFTER)
