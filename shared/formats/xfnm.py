"""XFNM, the response of IATA Cargo-XML (``Response``, ``iata:response:3``): a document was received, or what is wrong with it.

Reasons are the words of the pre-loading programmes where they have one (``MISSING_CNE_NAME``; ``shared/codes/data/placi_reasons.csv``),
else the hub's own codes; text and remedy stand in ``Information``. ``BusinessHeaderDocument`` echoes the document's number and type,
``ConversationID`` the message that is answered.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final

from shared.codes import decisions, placi
from shared.contracts import TYPE_OF, Answer, FilingRejected, MessageAcknowledged, Notice
from shared.formats import cargo_answers, cargo_xml, xml
from shared.formats.base import Certainty, Likeness, Parsed, Received, Sketch, Taken
from shared.formats.cargo_xml import HEAD, Profile, leaf
from shared.formats.filings import Item
from shared.formats.outlines import Outlines
from shared.model import Dialect, Finding, MessageHead, RawMessage, Rejection

NAME: Final = "xfnm"
TITLE: Final = "XFNM acknowledgement and error report, IATA Cargo-XML"
CONTENT_TYPES: Final = cargo_xml.CONTENT_TYPES
VERSIONS: Final[tuple[str, ...]] = ("3.00", "2.00", "4.00", "5.00")
SOURCE: Final = cargo_xml.SOURCE
CERTAINTY: Final[Certainty] = "inferred"
PROFILE: Final = Profile(
    NAME, "Response", "iata:response:", "3", "Application acknowledgement and error report", "294", VERSIONS, common=True
)
PATHS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "/key": "BusinessHeaderDocument/ID",
        "/raw_code": "ResponseStatus/ConditionCode",
        "/note": "ResponseStatus/Reason",
        "/requested": "ResponseStatus/Reason",
        **cargo_xml.HEADER_PATHS,
    }
)
PARTS: Final = ("~", "~", "~")
_DOCUMENT, _STATUS = 1, 2
_ERROR: Final = "Error"
_ACKNOWLEDGED: Final = "Acknowledgement"
_FINE: Final = "No Errors"


@lru_cache(maxsize=xml.SPELLINGS)
def _shape(spaces: tuple[str, ...]) -> xml.Shape:
    """Return the walker's table of the whole message."""
    build = cargo_xml.tables(spaces)
    document = {"ID": "number", "Name": "name", "TypeCode": "type", "StatusCode": "status", "Information": "text"}
    status = {"ConditionCode": "condition", "Reason": "reason", "Information": "text"}
    return build.shape(
        {},
        {
            "MessageHeaderDocument": build.header(),
            "BusinessHeaderDocument": build.shape({name: (_DOCUMENT, key) for name, key in document.items()}),
            "ResponseStatus": build.shape({name: (_STATUS, key) for name, key in status.items()}, opens=_STATUS),
        },
    )


def recognise(sketch: Sketch) -> Likeness:
    """An XML document whose root is ``Response``, in the format's namespace."""
    return cargo_xml.recognise(PROFILE, sketch)


_KNOWN: Final = Outlines()


def parse(raw: RawMessage, dialect: Dialect) -> Parsed:
    """Read a response. Raises :class:`shared.errors.MalformedMessage` when it cannot be read at all."""
    document = cargo_xml.open_document(PROFILE, raw, dialect, _KNOWN)
    record = xml.walk(document.root, _shape(document.spaces), len(PARTS))
    head, item = cargo_xml.begin(PROFILE, document, record.parts[HEAD], raw, PROFILE.root, PATHS, dialect, answers=True)
    return Parsed(head, _read(record, item, head, raw), 1)


def _read(record: xml.Record, item: Item, head: MessageHead, raw: RawMessage) -> Iterator[Answer | Rejection]:
    if record.repeated or record.unknown:
        cargo_xml.misfits(record, PARTS, item)
    document, statuses = record.parts[_DOCUMENT], record.lists[_STATUS]
    number = document.get("number")
    if number is None:
        item.note("FLD-KEY", "/key")
        yield cargo_answers.conclude({}, item, head, raw)
        return
    key, scope = cargo_answers.key_of(number, document.get("type", ""), record.parts[HEAD], item)
    conditions = [each["condition"] for each in statuses if "condition" in each]
    code = next((each for each in conditions if each != _ACKNOWLEDGED), conditions[0] if conditions else "")
    if not code:
        item.note("FLD-MISSING", "/raw_code")
    says = decisions.meaning(NAME, item.dialect.code_maps.get(NAME, {}).get(code, code))
    reasons = [each["reason"] for each in statuses if each.get("reason", _FINE) != _FINE]
    told = [says.text] if says is decisions.UNKNOWN else []
    told += [" ".join(each[name] for name in ("reason", "text") if name in each) for each in statuses if each.get("reason") != _FINE]
    requested = dict.fromkeys(path for reason in reasons for path in placi.paths_of(reason))
    answer: dict[str, Any] = {
        "answer_id": cargo_answers.identity(head.message_id, code, number, record.parts[HEAD].get("issued", "")),
        "key": key,
        "scope": scope,
        "outcome": says.outcome,
        "issued_at": head.prepared_at or raw.received_at,
        "reason": says.reason,
        "note": "; ".join(each for each in told if each)[:255],
        "raw_code": code[:35],
        "decision": says.decision,
        "track": says.track,
        "requested": tuple(requested),
        "extra": {"ConversationID": record.parts[HEAD]["conversation"]} if "conversation" in record.parts[HEAD] else None,
    }
    yield cargo_answers.conclude(answer, item, head, raw)


# --- writing -----------------------------------------------------------------------------------------------------------------------------

_REJECTED: Final = TYPE_OF[FilingRejected]
_RECEIVED: Final = TYPE_OF[MessageAcknowledged]
_MISSING: Final = frozenset({"FLD-MISSING", "FLD-WANTED", "FLD-KEY", "DQ-06", "DQ-07", "DQ-10", "DQ-13"})
"""Findings about a value that is missing, or as good as missing."""


def render(notices: Sequence[Notice], dialect: Dialect) -> bytes:
    """Write *notices* as one message. Of several it is about the first one's document; the others are named in ``Information``."""
    return _write(notices[0], notices, any(notice.type == _REJECTED for notice in notices), dialect)


def acknowledge(received: Received, dialect: Dialect) -> bytes:
    """Return the XFNM that answers *received*: about its one document, or about the message with an error for each document refused.

    It is *Rejected* only when nothing was taken.
    """
    refused = [each for each in received.taken if each.refused]
    nothing = bool(received.refusal) or (bool(refused) and len(refused) == len(received.taken))
    if len(received.taken) == 1:
        about = _about(received, received.taken[0])
        return _write(about, [about], nothing, dialect)
    about = _about(received, Taken(None, None, bool(received.refusal), received.refusal))
    return _write(about, [_about(received, each) for each in refused] or [about], nothing, dialect)


def _about(received: Received, taken: Taken) -> Notice:
    """Return what is told of one document of the message; without a key, of the message."""
    return Notice(
        notice_id=received.id,
        subscription=received.id,
        participant=received.raw.participant,
        feed_sequence=0,
        type=_REJECTED if taken.refused else _RECEIVED,
        at=received.raw.received_at,
        key=taken.key or "message",
        sequence=0,
        message_id=received.head.message_id if received.head is not None else None,
        findings=taken.findings,
    )


def _write(first: Notice, notices: Sequence[Notice], refused: bool, dialect: Dialect) -> bytes:
    """Write a message about *first*'s document that tells *notices*."""
    number, type_code = cargo_answers.document_of(first)
    business = "".join(
        [
            leaf("ID", number),
            leaf("Name", cargo_answers.NAMES.get(type_code)),
            leaf("TypeCode", type_code or None),
            leaf("StatusCode", "Rejected" if refused else "Received"),
        ]
    )
    groups = [f"<rsm:BusinessHeaderDocument>{business}</rsm:BusinessHeaderDocument>"]
    for notice in notices:
        about = "" if notice is first else f"{cargo_answers.document_of(notice)[0]}: "
        groups += [f"<rsm:ResponseStatus>{status}</rsm:ResponseStatus>" for status in _statuses(notice, about)]
    envelope = cargo_answers.envelope_of(first, number, dialect)
    conversation = cargo_answers.conversation_of(first)
    return cargo_xml.write_document(PROFILE, envelope, groups, purpose="Response", conversation=conversation, scheme="C")


def _statuses(notice: Notice, about: str) -> Iterator[str]:
    """One status for each thing wrong; an acknowledgement when nothing is."""
    errors = [finding for finding in notice.findings or () if finding.severity == "error"]
    for finding in errors:
        yield _status(_ERROR, reason_of(finding), about + f"{finding.message} {finding.remedy} {finding.where}".strip())
    if notice.type == _REJECTED and not errors:
        public = ", ".join(reason.public for reason in notice.reasons)
        yield _status(_ERROR, "BAD_WBL_FORMAT", (about + public) or None)
    elif not errors:
        told = [f"{finding.code}: {finding.message}" for finding in notice.findings or ()]
        if notice.outcome is not None:
            told.insert(0, notice.outcome.value.replace("_", " ").upper())
        yield _status(_ACKNOWLEDGED, _FINE, (about + "; ".join(told))[:1000] or None)


def _status(condition: str, reason: str, information: str | None) -> str:
    return leaf("ConditionCode", condition) + leaf("Reason", reason) + leaf("Information", information)


def reason_of(finding: Finding) -> str:
    """Return a finding in the programmes' words, where they have one."""
    if finding.code == "UNIT-ASSUMED":
        return placi.UNITS_MISSING
    return placi.reason(finding.path or "", missing=finding.code in _MISSING) or finding.code
