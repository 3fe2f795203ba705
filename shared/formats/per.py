"""PER, preliminary error report of the pre-loading programmes, in Cargo-IMP lines.

The waybill stands in the second line; its errors (``ERR/422/MISSING_CNE_NAME``, older ``ERR/MISSING_CNE_NAME``) become one answer on the
filing track: refused, with the elements that the words ask for (``shared/codes/data/placi_reasons.csv``). An error without a waybill
(``ERR/400/BAD_WBL_FORMAT``, the message could not be read) cannot be brought to a consignment and is told so.

Written from a rejection: each error in the programmes' word where they have one, else by the hub's own code, with text, remedy and place in
continuation lines. Without the master that a house is named with, the waybill is told in the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Final, NamedTuple

from shared.codes import decisions, placi
from shared.contracts import TYPE_OF, Answer, FilingRejected, Notice
from shared.formats import cargo_answers, cargo_imp, cargo_imp_answers, xfnm
from shared.formats.base import Certainty, Likeness, Parsed, Sketch, Written
from shared.formats.cargo_imp import Group
from shared.formats.cargo_imp_answers import Block, Job
from shared.formats.postal_files import Sheet
from shared.model import Dialect, Finding, RawMessage, Rejection

NAME: Final = "per"
TITLE: Final = "PER pre-loading error report, Cargo-IMP"
CONTENT_TYPES: Final = cargo_imp.CONTENT_TYPES
VERSIONS: Final[tuple[str, ...]] = ("PACT 1.9",)
SOURCE: Final = "Transport Canada PACT implementation guide (CAMIR responses)"
CERTAINTY: Final[Certainty] = "published"
PATHS: Final[Mapping[str, str]] = MappingProxyType(
    {"/key": "AWB", "/raw_code": "ERR/reason", "/note": "ERR/reason", "/requested": "ERR/reason"}
)
ERRORS: Final = frozenset({"ERR"})


def recognise(sketch: Sketch) -> Likeness:
    """A transmission whose first message is a PER."""
    return cargo_imp.recognise("PER", sketch)


# --- reading -----------------------------------------------------------------------------------------------------------------------------


class Error(NamedTuple):
    """One error: its number, the programme's word or text, further text."""

    number: str
    reason: str
    texts: tuple[str, ...]

    @property
    def note(self) -> str:
        return " ".join(each for each in (self.number, self.reason, *self.texts) if each)


_NUMBERED = re.compile(r"([0-9]{3})(?:[ -]+|(?=[A-Z]))(.+)").fullmatch


def error_of(group: Group) -> Error:
    """Return the error of one line: ``ERR/422/WORD``, ``ERR/WORD``, ``ERR/023TEXT``."""
    texts = cargo_imp_answers.texts_of([], group.continued)
    first, rest = group.element(0), [each.strip() for each in group.first[1:] if each.strip()]
    glued = _NUMBERED(first)
    if glued is not None:
        return Error(glued[1], glued[2].strip(), (*rest, *texts))
    if first.isdecimal():
        return Error(first, rest[0] if rest else "", (*rest[1:], *texts))
    return Error("", first, (*rest, *texts))


def parse(raw: RawMessage, dialect: Dialect) -> Parsed:
    """Read the reports of a transmission. Raises :class:`shared.errors.MalformedMessage` when there is none."""
    return cargo_imp_answers.parsed(raw, dialect, NAME, PATHS, lambda job: answers(job, "placi", "PER"))


def answers(job: Job, system: str, code: str) -> Iterator[Answer | Rejection]:
    """Yield one answer for each waybill with errors: what *code* of *system* says."""
    for number, block in enumerate(cargo_imp_answers.blocks(job.message, ERRORS)):
        yield _report(block, job, decisions.meaning(system, code), first=number == 0)


def _report(block: Block, job: Job, says: decisions.Meaning, *, first: bool) -> Answer | Rejection:
    item = cargo_imp_answers.item_of(job, block, block.said[0] if block.said else None, first=first)
    errors = [error for error in map(error_of, block.said) if error.note]
    if not errors:
        item.note("FLD-MISSING", "/raw_code")
    words = [word for error in errors for word in (error.reason, *error.texts)]
    requested = tuple(dict.fromkeys(path for word in words for path in placi.paths_of(word.replace(" ", "_"))))
    raw_code = (errors[0].reason if _is_word(errors[0]) else errors[0].number) if errors else ""
    notes = list(dict.fromkeys(error.note for error in errors))
    return cargo_imp_answers.answer(job, item, block, says, raw_code, None, notes, requested=requested)


def _is_word(error: Error) -> bool:
    """Whether an error is known by its word and not by its number."""
    return not error.number or bool(placi.paths_of(error.reason)) or "_" in error.reason


# --- writing -----------------------------------------------------------------------------------------------------------------------------

_REJECTED: Final = TYPE_OF[FilingRejected]
_UNREADABLE: Final = "BAD_WBL_FORMAT"
_WORD = re.compile(r"[^A-Z0-9_-]").sub


def render(notices: Sequence[Notice], dialect: Dialect) -> bytes:
    """Write the rejections among *notices*, a message each; the same notices always give the same bytes. Of anything else a PER says
    nothing."""
    return cargo_imp_answers.body_of(compose(notice, dialect) for notice in notices if notice.type == _REJECTED)


def compose(notice: Notice, dialect: Dialect) -> Written:
    """Write one rejection. A house whose master nobody knows, or that does not fit its line, is named in the text."""
    sheet = Sheet(notice.key, dialect)
    line = cargo_imp_answers.reference(notice, sheet)
    number, type_code = cargo_answers.document_of(notice)
    named = [f"WAYBILL {number}"] if type_code and not line else []
    kept = Sheet(notice.key, dialect)
    kept.findings += [each for each in sheet.findings if each.severity != "error"]
    errors = [each for each in notice.findings or () if each.severity == "error"]
    whole = notice.position is None and not type_code
    lines = [row for each in errors for row in _lines(each, named, whole=whole)]
    if not errors:
        texts = [*named, *cargo_imp_answers.reasons(notice)]
        lines = [f"ERR/400/{_UNREADABLE}", *cargo_imp_answers.text_lines("/", texts)] if texts else [f"ERR/400/{_UNREADABLE}"]
    return cargo_imp_answers.finished("PER", [line], lines, notice, kept)


def _lines(finding: Finding, named: Sequence[str], *, whole: bool) -> list[str]:
    """Return the lines of one error: the word, then whose it is, what is wrong, what to do, where it stands."""
    if whole:
        number, word = "400", _UNREADABLE
        texts = [finding.code]
    else:
        number, word = "422", _WORD("_", xfnm.reason_of(finding).upper())
        texts = []
    texts += [*named, f"{finding.message} {finding.remedy}", *([finding.sender_path] if finding.sender_path else [])]
    return [f"ERR/{number}/{word}", *cargo_imp_answers.text_lines("/", texts)]
