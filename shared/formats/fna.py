"""FNA, rejection of a message, in Cargo-IMP lines; written only.

``ACK/`` says that the message was refused, then what is wrong, each error in a line of its own with its continuations: the hub's code,
where it stands, what it is, what to do. Below stands the refused message as it came (:func:`shared.formats.fma.acknowledge`); from a
notice, which has no bytes, the message and its waybill are named instead. The layout is reconstructed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from shared.contracts import TYPE_OF, FilingRejected, Notice
from shared.formats import cargo_answers, cargo_imp, cargo_imp_answers
from shared.formats.base import Certainty, Written
from shared.formats.postal_files import Sheet
from shared.model import Dialect, Finding

NAME: Final = "fna"
TITLE: Final = "FNA rejection of a message, Cargo-IMP"
CONTENT_TYPES: Final = cargo_imp.CONTENT_TYPES
VERSIONS: Final[tuple[str, ...]] = ("1",)
SOURCE: Final = cargo_imp.SOURCE
CERTAINTY: Final[Certainty] = "reconstructed"

_REJECTED: Final = TYPE_OF[FilingRejected]


def render(notices: Sequence[Notice], dialect: Dialect) -> bytes:
    """Write the rejections among *notices*, a message each; the same notices always give the same bytes. Of anything else an FNA says
    nothing."""
    return cargo_imp_answers.body_of(compose(notice, dialect) for notice in notices if notice.type == _REJECTED)


def compose(notice: Notice, dialect: Dialect) -> Written:
    """Write one rejection."""
    errors = [each for each in notice.findings or () if each.severity == "error"]
    lines = cargo_imp_answers.text_lines("ACK/", ["MESSAGE REFUSED", named(notice)])
    lines += error_lines(errors)
    if not errors:
        lines += [row for text in cargo_imp_answers.reasons(notice) for row in cargo_imp_answers.text_lines("ACK/", [text])]
    return cargo_imp_answers.finished("FNA", [], lines, notice, Sheet(notice.key, dialect))


def named(notice: Notice) -> str:
    """Return what a notice is about: the format of the message and the waybill, or the message's own number."""
    number, type_code = cargo_answers.document_of(notice)
    master = notice.consignment.master_transport_document_id if notice.consignment is not None else None
    format = notice.filing.format if notice.filing is not None else notice.format
    waybill = f"{master}-{number}" if master is not None and master != number and type_code == cargo_answers.HOUSE else number
    return f"{format or ''} {waybill}".strip()


def error_lines(errors: Sequence[Finding]) -> list[str]:
    """Return the lines of *errors*."""
    return [row for each in errors for row in cargo_imp_answers.text_lines("ACK/", [_told(each)])]


def _told(error: Finding) -> str:
    return " ".join(each for each in (error.code, error.where, error.message, error.remedy) if each)
