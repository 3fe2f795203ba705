"""FMA, acknowledgement of a message, in Cargo-IMP lines; written only.

``ACK/`` says that the message was received; below stands the message as it came (:func:`acknowledge`). A message refused as a whole, or of
which nothing was taken, is answered with FNA, the other answer of the family; where only part of it was taken, FMA says how much, with the
errors. From a notice, which has no bytes, the message and its waybill are named instead.

An answer is a message of at most 1600 bytes: what is repeated stops at a whole line and the answer says at which; errors that do not fit
are counted. The layout is reconstructed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from shared.contracts import TYPE_OF, FilingRejected, Notice
from shared.errors import MalformedMessage
from shared.formats import cargo_imp, cargo_imp_answers, fna
from shared.formats.base import Certainty, Received, Written
from shared.formats.cargo_imp import ANSWERS, LINE, MESSAGE_BYTES, QUOTING, Envelope, Message
from shared.formats.postal_files import Sheet
from shared.model import Dialect, Finding

NAME: Final = "fma"
TITLE: Final = "FMA acknowledgement of a message, Cargo-IMP"
CONTENT_TYPES: Final = cargo_imp.CONTENT_TYPES
VERSIONS: Final[tuple[str, ...]] = ("1",)
SOURCE: Final = cargo_imp.SOURCE
CERTAINTY: Final[Certainty] = "reconstructed"

_REJECTED: Final = TYPE_OF[FilingRejected]


def render(notices: Sequence[Notice], dialect: Dialect) -> bytes:
    """Write *notices*, a message each, rejections as FNA; the same notices always give the same bytes."""
    return cargo_imp_answers.body_of(compose(notice, dialect) for notice in notices)


def compose(notice: Notice, dialect: Dialect) -> Written:
    """Write *notice* as an acknowledgement; a rejection as FNA."""
    if notice.type == _REJECTED:
        return fna.compose(notice, dialect)
    texts = ["MESSAGE RECEIVED", fna.named(notice)]
    if notice.outcome is not None:
        texts.append(notice.outcome.value.replace("_", " "))
    texts += [f"{each.code} {each.message}" for each in notice.findings or ()]
    return cargo_imp_answers.finished("FMA", [], cargo_imp_answers.text_lines("ACK/", texts), notice, Sheet(notice.key, dialect))


# --- answering a message -----------------------------------------------------------------------------------------------------------------


_ERRORS: Final = MESSAGE_BYTES // 2
"""Bytes that errors may take of an answer; the rest is for what is repeated."""
_PLACE = re.compile(r"[A-Z]{3} line ([0-9]+)").match


def acknowledge(received: Received, dialect: Dialect) -> bytes | None:
    """Return the answer to each message of the transmission *received*; None when none of them must be answered (answers are not).

    It goes back to the originator of the envelope, from its first address; without an envelope, where the dialect says.
    """
    body, at, refusal = received.raw.body, received.raw.received_at, received.refusal
    try:
        messages = cargo_imp.read(body, dialect)
    except MalformedMessage as exc:
        error = Finding(code=exc.finding_code, message=str(exc), remedy=exc.remedy, sender_path=exc.path or None)
        return _answer(
            "FNA", "MESSAGE REFUSED", refusal or [error], _lines(body.decode("latin-1")), cargo_imp_answers.envelope_of(dialect, at)
        )
    written = [_of_message(each, messages[index + 1 : index + 2], received, dialect) for index, each in enumerate(messages)]
    return b"".join(written) or None


def _of_message(message: Message, following: Sequence[Message], received: Received, dialect: Dialect) -> bytes:
    if message.type in QUOTING or message.type in ANSWERS:
        return b""
    end = following[0].line if following else None
    own = [each for each in received.taken if _within(each.position, message.line, end)]
    refused = [each for each in own if each.refused]
    errors = [*received.refusal, *(made for each in refused for made in each.findings if made.severity == "error")]
    if received.refusal or (refused and len(refused) == len(own)):
        type, told = "FNA", "MESSAGE REFUSED"
    else:
        type, told = "FMA", f"{len(own) - len(refused)} OF {len(own)} TAKEN" if refused else "MESSAGE RECEIVED"
    return _answer(type, told, errors, _lines(message.text), _back(message, dialect, received.raw.received_at))


def _within(position: str | None, start: int, end: int | None) -> bool:
    found = _PLACE(position or "")
    return found is not None and start <= int(found[1]) and (end is None or int(found[1]) < end)


def _back(message: Message, dialect: Dialect, at: datetime) -> Envelope | None:
    came = message.envelope
    if came is None:
        return cargo_imp_answers.envelope_of(dialect, at)
    return Envelope(came.priority, (came.originator,), came.addresses[0], cargo_imp_answers.sent(at))


def _answer(type: str, told: str, errors: Sequence[Finding], repeated: Sequence[str], envelope: Envelope | None) -> bytes:
    before = [type, *cargo_imp_answers.text_lines("ACK/", [told]), *_some(errors)]
    room = MESSAGE_BYTES - len(cargo_imp.join(before, envelope))
    if sum(len(line) + 2 for line in repeated) > room:
        room -= LINE
        kept = 0
        for line in repeated:
            room -= len(line) + 2
            if room < 0:
                break
            kept += 1
        before.append(f"ACK/REPEATED UP TO LINE {kept} OF {len(repeated)}")
        repeated = repeated[:kept]
    return cargo_imp.join([*before, *repeated], envelope)


def _some(errors: Sequence[Finding]) -> list[str]:
    """Return the lines of as many *errors* as there is room for, and how many more there are."""
    lines: list[str] = []
    for number, error in enumerate(errors):
        made = fna.error_lines([error])
        if sum(len(line) + 2 for line in (*lines, *made)) > _ERRORS:
            return [*lines, f"ACK/AND {len(errors) - number} MORE ERRORS"]
        lines += made
    return lines


def _lines(text: str) -> list[str]:
    """Return the lines of a message in the characters of the standard, strokes as they stand; the empty ones are left out."""
    lines = (line.rstrip() for line in text.splitlines())
    return [line if _PLAIN(line) else "/".join(cargo_imp.transliterate(part) for part in line.split("/")) for line in lines if line.strip()]


_PLAIN = re.compile(r"[A-Z0-9 .\-/]*").fullmatch
