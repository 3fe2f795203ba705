"""PSN, preliminary status notification of the pre-loading programmes, in Cargo-IMP lines.

The waybill stands in the second line, each status (``CSN/8H/01MAR0522/REQUEST FOR SCREENING HOLD``) becomes an answer on the pre-loading
track: hold set (``H``), still set (``J``), removed (``I``) for information (7), screening (8) and *do not load* (6), received (``SR``),
assessment complete (``SF``). A code that the table does not have is a hold with its raw text. Lines that continue a status belong to its
text; the programmes' words for missing data among them (``MISSING CNE NAME``) tell what is asked for. A status without a waybill, as the
programmes answer a flight manifest, cannot be brought to a consignment and is told so.

Written, a decision becomes the status that stops as much: release ``SF``, what the sender can supply ``7H``, examination ``8H``, any other
hold ``6H``; reasons and what is asked for follow in continuation lines. What is no decision yet is ``SR``, refused data are a PER, the
other answer of the family. A hold told before that stands no longer, or another instead, is written first as removed (``7I``, ``8I``,
``6I``): it has to be cleared by its own code.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from shared.codes import placi
from shared.contracts import TYPE_OF, Answer, FilingRejected, Notice, Outcome
from shared.formats import cargo_imp, cargo_imp_answers, per, xcsn
from shared.formats.base import Certainty, Likeness, Parsed, Sketch, Written
from shared.formats.cargo_imp import Group, LineItem
from shared.formats.cargo_imp_answers import Block, Job
from shared.formats.postal_files import Sheet
from shared.model import Dialect, RawMessage, Rejection

NAME: Final = "psn"
TITLE: Final = "PSN pre-loading status notification, Cargo-IMP"
CONTENT_TYPES: Final = cargo_imp.CONTENT_TYPES
VERSIONS: Final[tuple[str, ...]] = ("PACT 1.9",)
SOURCE: Final = "Transport Canada PACT implementation guide (CAMIR responses)"
CERTAINTY: Final[Certainty] = "published"
PATHS: Final[Mapping[str, str]] = MappingProxyType(
    {"/key": "AWB", "/raw_code": "CSN/code", "/issued_at": "CSN/time", "/note": "CSN/text", "/requested": "CSN/text"}
)
_STATUSES: Final = frozenset({"CSN"})


def recognise(sketch: Sketch) -> Likeness:
    """A transmission whose first message is a PSN."""
    return cargo_imp.recognise("PSN", sketch)


# --- reading -----------------------------------------------------------------------------------------------------------------------------


def parse(raw: RawMessage, dialect: Dialect) -> Parsed:
    """Read the notifications of a transmission. Raises :class:`shared.errors.MalformedMessage` when there is none."""
    return cargo_imp_answers.parsed(raw, dialect, NAME, PATHS, _answers)


def _answers(job: Job) -> Iterator[Answer | Rejection]:
    for status, block, item in cargo_imp_answers.each_status(job, _STATUSES):
        yield _status(status, block, item, job)


def _status(status: Group | None, block: Block, item: LineItem, job: Job) -> Answer | Rejection:
    code = status.element(0) if status else ""
    if status is None or not code:
        item.note("FLD-MISSING", "/raw_code")
        return cargo_imp_answers.answer(job, item, block, cargo_imp_answers.meaning("placi", "", job.dialect, "pre_loading"), "", None, ())
    at = cargo_imp_answers.moment(status.first[1:2], item, job)
    timed = cargo_imp_answers.is_moment(status.element(1))
    texts = cargo_imp_answers.texts_of(status.first[2 if timed else 1 :], status.continued)
    says = cargo_imp_answers.meaning("placi", code, job.dialect, "pre_loading")
    requested = tuple(dict.fromkeys(path for text in texts for path in placi.paths_of(text.replace(" ", "_"))))
    return cargo_imp_answers.answer(job, item, block, says, code, at, texts, requested=requested)


# --- writing -----------------------------------------------------------------------------------------------------------------------------

_REJECTED: Final = TYPE_OF[FilingRejected]
_CODES: Final[Mapping[str | None, str]] = MappingProxyType({"CO": "SF", "RI": "7H", "RS": "8H", "CD": "6H", None: "SR"})
_TEXTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "SR": "NO ERRORS",
        "SF": "ASSESSMENT COMPLETE",
        "7H": "REQUEST FOR INFORMATION HOLD",
        "8H": "REQUEST FOR SCREENING HOLD",
        "6H": "DO NOT LOAD HOLD",
    }
)
_REMOVED: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "RI": ("7I", "REQUEST FOR INFORMATION HOLD REMOVED"),
        "RS": ("8I", "REQUEST FOR SCREENING HOLD REMOVED"),
        "CD": ("6I", "DO NOT LOAD HOLD REMOVED"),
    }
)


def status_of(notice: Notice) -> str:
    """Return the code that a notice, not one of refused data, amounts to."""
    return _CODES[xcsn.status_of(notice)]


def texts_for(notice: Notice) -> list[str]:
    """Return what is told with the status: its own text, why, what is asked for."""
    code = status_of(notice)
    texts = [_TEXTS[code]]
    if code not in ("SR", "SF"):
        texts += cargo_imp_answers.reasons(notice)
        texts += dict.fromkeys(_wanted(path) for path in notice.referred or ())
    elif notice.outcome is Outcome.WITHDRAWN:
        texts.append("WITHDRAWN")
    return texts


def _wanted(path: str) -> str:
    """Return what is asked for in the programmes' word, else by its path."""
    return (placi.reason(path, missing=True) or f"WANTED {path}").replace("_", " ").replace("/", " ")


def render(notices: Sequence[Notice], dialect: Dialect) -> bytes:
    """Write *notices*, a message each; the same notices always give the same bytes.

    Raises :class:`shared.errors.InvalidConsignment`, with every finding, when one of them cannot be said (see :func:`compose`).
    """
    return cargo_imp_answers.body_of(compose(notice, dialect) for notice in notices)


def compose(notice: Notice, dialect: Dialect) -> Written:
    """Write *notice* as one message, with what its lines cannot say: a house without its master, or whose number does not fit."""
    if notice.type == _REJECTED:
        return per.compose(notice, dialect)
    sheet = Sheet(notice.key, dialect)
    code = status_of(notice)
    named = cargo_imp_answers.reference(notice, sheet)
    if not named and code != "SR":
        sheet.note("WRITE-MISSING", "/consignment", message="A status names its waybill.")
    at = cargo_imp_answers.stamp(notice.at, dialect)
    before = xcsn.status_before(notice)
    lines = cargo_imp_answers.text_lines(f"CSN/{_REMOVED[before][0]}/{at}/", _REMOVED[before][1:]) if before is not None else []
    lines += cargo_imp_answers.text_lines(f"CSN/{code}/{at}/", texts_for(notice))
    return cargo_imp_answers.finished("PSN", [named], lines, notice, sheet)
