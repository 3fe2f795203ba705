"""FSN, freight status notification of the import manifest of the United States, in Cargo-IMP lines.

Lines: cargo control location (``LGGXX``), waybill, arrival (``ARR/XX8012/01MAR-A``), status (``CSN/1C-25/01MAR0522/…``). Each status
becomes an answer on the clearance track about so many pieces as it names, so a release may be one of a part; without a quantity it is
about all. Location, arrival with its part letter and every other line are kept beside it. A code that the table does not have, or whose
quantity cannot be read, is a hold with its raw text.

Written, a decision becomes the disposition that stops as much: release ``1C``, examination ``1A``, an agency's hold ``3H``, any other
``1H``, withdrawn data ``4E``, with the pieces where they are known; reasons follow in continuation lines. What is no decision yet is an
FMA, refused data an FNA. The location is data of the receiver's dialect (code map ``cargo_imp``: ``location``). A hold told before that
stands no longer, or another instead, is written first as removed (``1I``, ``3I``), for goods stay while any hold is on the bill; an
examination ends by a release, ``1B``. That an examination gave way to a hold has no code, which a finding tells.

The names of the lines are published, their elements reconstructed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from types import MappingProxyType
from typing import Final

from shared.codes import decisions
from shared.contracts import TYPE_OF, Answer, DecisionMade, FilingRejected, Notice, Outcome, PublicReason, Scope
from shared.formats import cargo_imp, cargo_imp_answers, fma
from shared.formats.base import Certainty, Likeness, Parsed, Sketch, Written
from shared.formats.cargo_imp import Group, LineItem
from shared.formats.cargo_imp_answers import Block, Job
from shared.formats.postal_files import Sheet
from shared.model import Dialect, RawMessage, Rejection

NAME: Final = "fsn"
TITLE: Final = "FSN import manifest status notification, Cargo-IMP"
CONTENT_TYPES: Final = cargo_imp.CONTENT_TYPES
VERSIONS: Final[tuple[str, ...]] = ("ACE Air",)
SOURCE: Final = "US CBP, ACE Air import manifest CAMIR: line identifiers and disposition codes"
CERTAINTY: Final[Certainty] = "reconstructed"
PATHS: Final[Mapping[str, str]] = MappingProxyType(
    {"/key": "AWB", "/raw_code": "CSN/code", "/issued_at": "CSN/time", "/note": "CSN/text", "/scope/pieces": "CSN/quantity"}
)
_STATUSES: Final = frozenset({"CSN"})
_CODE = re.compile(r"([A-Z0-9]{1,3})(?:-([1-9][0-9]{0,8}))?").fullmatch


def recognise(sketch: Sketch) -> Likeness:
    """A transmission whose first message is an FSN."""
    return cargo_imp.recognise("FSN", sketch)


# --- reading -----------------------------------------------------------------------------------------------------------------------------


def parse(raw: RawMessage, dialect: Dialect) -> Parsed:
    """Read the notifications of a transmission. Raises :class:`shared.errors.MalformedMessage` when there is none."""
    return cargo_imp_answers.parsed(raw, dialect, NAME, PATHS, _answers)


def _answers(job: Job) -> Iterator[Answer | Rejection]:
    for status, block, item in cargo_imp_answers.each_status(job, _STATUSES):
        yield _status(status, block, item, job)


def _status(status: Group | None, block: Block, item: LineItem, job: Job) -> Answer | Rejection:
    said = status.element(0) if status else ""
    if status is None or not said:
        item.note("FLD-MISSING", "/raw_code")
        return cargo_imp_answers.answer(job, item, block, decisions.UNKNOWN, "", None, ())
    code, pieces, after = _disposition(status)
    at = cargo_imp_answers.moment(status.first[after : after + 1], item, job)
    timed = cargo_imp_answers.is_moment(status.element(after))
    texts = cargo_imp_answers.texts_of(status.first[after + timed :], status.continued)
    says = cargo_imp_answers.meaning("us-air", code, job.dialect, "clearance")
    more = {} if pieces is None else {"scope": Scope(level="pieces" if _is_house(block) else "master", pieces=pieces)}
    return cargo_imp_answers.answer(job, item, block, says, code, at, texts, quantity=pieces, **more)


def _disposition(status: Group) -> tuple[str, int | None, int]:
    """Return the code of a status, its pieces, and the index of the element after them: ``1C-25/…`` or ``1C/25/…``."""
    said = status.element(0)
    found = _CODE(said)
    if found is None:
        return said, None, 1
    beside = status.element(1)
    if found[2] is None and beside.isascii() and beside.isdecimal() and len(beside) < 10 and int(beside):
        return found[1], int(beside), 2
    return found[1], int(found[2]) if found[2] else None, 1


def _is_house(block: Block) -> bool:
    return block.reference is not None and cargo_imp_answers.house_of(block.reference) is not None


# --- writing -----------------------------------------------------------------------------------------------------------------------------

_RELEASES: Final = frozenset({"1B", "1C"})
_REMOVED: Final[Mapping[str, str]] = MappingProxyType({"1H": "1I", "3H": "3I"})
_DECISION: Final = TYPE_OF[DecisionMade]
_REJECTED: Final = TYPE_OF[FilingRejected]
_CODES: Final[Mapping[Outcome, str]] = MappingProxyType(
    {
        Outcome.RELEASE: "1C",
        Outcome.DOCUMENT_CHECK: "1H",
        Outcome.PHYSICAL_CHECK: "1A",
        Outcome.REFERRAL: "1H",
        Outcome.HOLD: "1H",
        Outcome.WITHDRAWN: "4E",
    }
)


def disposition_of(notice: Notice) -> str | None:
    """Return the disposition that a notice amounts to; None when it is no decision yet."""
    if notice.type != _DECISION or notice.outcome is None:
        return None
    code = _disposition_of(notice.outcome, {reason.public for reason in notice.reasons})
    return "1B" if code == "1C" and _told_before(notice) == "1A" else code


def _disposition_of(outcome: Outcome, public: AbstractSet[PublicReason]) -> str | None:
    if outcome is Outcome.HOLD and public == {"no_answer"}:
        return None
    return "3H" if outcome is Outcome.HOLD and public == {"agency_control"} else _CODES[outcome]


def _told_before(notice: Notice) -> str | None:
    stop = notice.instead_of
    return _disposition_of(stop.outcome, set(stop.public)) if stop is not None else None


def texts_for(notice: Notice, code: str) -> list[str]:
    """Return what is told with the disposition: what it means, why, what is asked for."""
    texts = [_meaning(code)]
    if code not in _RELEASES:
        texts += cargo_imp_answers.reasons(notice)
        texts += [cargo_imp.transliterate(f"wanted {path}") for path in notice.referred or ()]
    return texts


def _meaning(code: str) -> str:
    return cargo_imp.transliterate(decisions.meaning("us-air", code).text)


def render(notices: Sequence[Notice], dialect: Dialect) -> bytes:
    """Write *notices*, a message each; the same notices always give the same bytes.

    Raises :class:`shared.errors.InvalidConsignment`, with every finding, when one of them cannot be said (see :func:`compose`).
    """
    return cargo_imp_answers.body_of(compose(notice, dialect) for notice in notices)


def compose(notice: Notice, dialect: Dialect) -> Written:
    """Write *notice* as one message, with what its lines cannot say: a house without its master, or whose number does not fit; an
    examination that ends without a release."""
    code = disposition_of(notice)
    if code is None:
        return fma.compose(notice, dialect)
    sheet = Sheet(notice.key, dialect)
    named = cargo_imp_answers.reference(notice, sheet)
    if not named:
        sheet.note("WRITE-MISSING", "/consignment", message="A status names its waybill.")
    pieces = notice.consignment.package_count if notice.consignment is not None else None
    behind = f"{f'-{pieces}' if pieces else ''}/{cargo_imp_answers.stamp(notice.at, dialect)}/"
    lines = _removed(_told_before(notice), code, behind, sheet)
    lines += cargo_imp_answers.text_lines(f"CSN/{code}{behind}", texts_for(notice, code))
    location = dialect.code_maps.get("cargo_imp", {}).get("location", "")
    return cargo_imp_answers.finished("FSN", [location, named], lines, notice, sheet)


def _removed(before: str | None, code: str, behind: str, sheet: Sheet) -> list[str]:
    """Return the line that takes off what was told *before*, where *code* does not do so itself."""
    if before in (None, code) or code == "4E":
        return []
    if before in _REMOVED:
        return cargo_imp_answers.text_lines(f"CSN/{_REMOVED[before]}{behind}", [_meaning(_REMOVED[before])])
    if code not in _RELEASES:
        sheet.note("WRITE-LOST", "/instead_of", before, "No disposition says that an examination ended and nothing was released.")
    return []
