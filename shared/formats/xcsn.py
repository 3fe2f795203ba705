"""XCSN, the customs status notification of IATA Cargo-XML (``CustomsStatusNotification``, ``iata:customsstatusnotification:1``).

An authority says before loading: request for information (``RI``), request for screening (``RS``), do not load (``CD``), complete
(``CO``). ``CO`` closes whatever was open; where ``Information`` says which hold was removed, it lifts that one. A code that the table does
not have is a hold with its raw text.

A message has one status (``BusinessHeaderDocument/StatusCode``, once) about as many documents as it names (``AssociatedReferenceDocument``,
once or more). Each house named (``703``) gets an answer, without houses each master; a house belongs to the last master named before it. A
sender who repeats ``BusinessHeaderDocument`` all the same is read status by status, so that no hold is lost behind another; two codes in
one are refused.

Written, a decision becomes the status that stops as much: release ``CO``, what the sender can supply ``RI``, examination ``RS``, any other
hold, and what an authority forbids to load, ``CD``. What is no decision yet (accepted, rejected, an answer outstanding, withdrawn) is told
as XFNM, the other answer of the family.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final

from shared.codes import decisions
from shared.codes.decisions import Meaning
from shared.contracts import TYPE_OF, Answer, DecisionMade, Notice, Outcome, PublicReason
from shared.formats import cargo_answers, cargo_xml, checks, xfnm, xml
from shared.formats.base import Certainty, Likeness, Parsed, Sketch
from shared.formats.cargo_answers import DIRECT, HOUSE, MASTER, document_of
from shared.formats.cargo_xml import HEAD, Profile, group, leaf
from shared.formats.filings import Item
from shared.formats.outlines import Outlines
from shared.model import Dialect, MessageHead, RawMessage, Rejection

NAME: Final = "xcsn"
TITLE: Final = "XCSN customs status notification, IATA Cargo-XML"
CONTENT_TYPES: Final = cargo_xml.CONTENT_TYPES
VERSIONS: Final[tuple[str, ...]] = ("1.00", "2.00", "3.00")
SOURCE: Final = cargo_xml.SOURCE
CERTAINTY: Final[Certainty] = "inferred"
ACKNOWLEDGED_BY: Final = "xfnm"
PROFILE: Final = Profile(
    NAME, "CustomsStatusNotification", "iata:customsstatusnotification:", "1", "Document Response Customs", "962", VERSIONS
)
PATHS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "/key": "MasterConsignment/AssociatedReferenceDocument/ID",
        "/raw_code": "BusinessHeaderDocument/StatusCode",
        "/issued_at": "BusinessHeaderDocument/IssueDateTime",
        "/note": "BusinessHeaderDocument/Information",
        **cargo_xml.HEADER_PATHS,
    }
)
PARTS: Final = ("~", "", "~", "~")
_STATUS, _REFERENCE, _LEG = 1, 2, 3

_REMOVED: Final = ("REMOV", "LIFT", "RESOLV", "CLEARED", "RELEASED", "CLOSED")
_WHICH: Final = (("SCREEN", "RS"), ("RFS", "RS"), ("INFORMATION", "RI"), ("RFI", "RI"), ("LOAD", "CD"), ("DNL", "CD"))
"""Words of ``Information`` that tell which hold was removed; as met, not published."""


@lru_cache(maxsize=xml.SPELLINGS)
def _shape(spaces: tuple[str, ...]) -> xml.Shape:
    """Return the walker's table of the whole message."""
    build = cargo_xml.tables(spaces)
    names = {
        "StatusCode": "raw_code",
        "ActionTypeCode": "action",
        "ActionTypeName": "direction",
        "Information": "note",
        "IssueDateTime": "issued_at",
        "ID": "document",
        "Name": "name",
        "TypeCode": "type",
    }
    reference = {"ID": (_REFERENCE, "number"), "TypeCode": (_REFERENCE, "type"), "IssueDate": (_REFERENCE, "issued")}
    master = build.shape(
        {},
        {
            "AssociatedReferenceDocument": build.shape(reference, left=("Name", "IssueDateTime"), opens=_REFERENCE),
            "SpecifiedLogisticsTransportMovement": build.movement(_LEG),
        },
        left=("OriginLocation", "FinalDestinationLocation"),
    )
    return build.shape(
        {},
        {
            "MessageHeaderDocument": build.header(),
            "BusinessHeaderDocument": build.shape({name: (_STATUS, key) for name, key in names.items()}, opens=_STATUS),
            "MasterConsignment": master,
        },
    )


def recognise(sketch: Sketch) -> Likeness:
    """An XML document whose root is ``CustomsStatusNotification``, in the format's namespace or in none."""
    return cargo_xml.recognise(PROFILE, sketch)


_KNOWN: Final = Outlines()


def parse(raw: RawMessage, dialect: Dialect) -> Parsed:
    """Read a status notification. Raises :class:`shared.errors.MalformedMessage` when it cannot be read at all."""
    document = cargo_xml.open_document(PROFILE, raw, dialect, _KNOWN)
    record = xml.walk(document.root, _shape(document.spaces), len(PARTS))
    head, item = cargo_xml.begin(PROFILE, document, record.parts[HEAD], raw, PROFILE.root, PATHS, dialect, answers=True)
    about = _documents(record.lists[_REFERENCE])
    statuses = record.lists[_STATUS] or [{}]
    return Parsed(head, _read(record, statuses, about, item, head, raw), max(len(about), 1) * len(statuses))


def _documents(named: Sequence[Mapping[str, str]]) -> list[Mapping[str, str]]:
    """Return the houses, each with its ``master``; without houses all documents that have a number."""
    houses = []
    master = next((each.get("number") for each in named if each.get("type") in (MASTER, DIRECT)), None)
    for each in named:
        if each.get("type") in (MASTER, DIRECT):
            master = each.get("number")
        elif each.get("type") == HOUSE and "number" in each:
            houses.append({**each, "master": master} if master else each)
    return houses or [each for each in named if "number" in each]


def _read(
    record: xml.Record,
    statuses: Sequence[Mapping[str, str]],
    about: Sequence[Mapping[str, str]],
    first: Item,
    head: MessageHead,
    raw: RawMessage,
) -> Iterator[Answer | Rejection]:
    if record.repeated or record.unknown:
        cargo_xml.misfits(record, PARTS, first, ((_STATUS, "note"), (_STATUS, "issued_at")))
    if not about:
        if not all("raw_code" in status for status in statuses):
            first.note("FLD-MISSING", "/raw_code")
        first.note("FLD-KEY", "/key")
        yield cargo_answers.conclude({}, first, head, raw)
        return
    for number, status in enumerate(statuses, 1):
        place = f"BusinessHeaderDocument[{number}]" if len(statuses) > 1 else ""
        yield from _one_status(record, status, about, place, first.another(place or first.position), head, raw)


def _one_status(
    record: xml.Record,
    status: Mapping[str, str],
    about: Sequence[Mapping[str, str]],
    place: str,
    first: Item,
    head: MessageHead,
    raw: RawMessage,
) -> Iterator[Answer | Rejection]:
    """Yield an answer for each document; *place* is that of the status where there are several."""
    code = status.get("raw_code", "")
    if not code:
        first.note("FLD-MISSING", "/raw_code")
    issued = checks.moment(status["issued_at"], first, "/issued_at") if "issued_at" in status else None
    says = _meaning(code, status.get("note", ""), first.dialect)
    told = [place, code] if place else [code]
    for number, each in enumerate(about, 1):
        document = f"AssociatedReferenceDocument[{number}]"
        item = first if len(about) == 1 else first.another(f"{place}/{document}" if place else document)
        key, scope = cargo_answers.key_of(each["number"], each.get("type", ""), record.parts[HEAD], item)
        said: dict[str, Any] = {
            "answer_id": cargo_answers.identity(head.message_id, *told, each["number"], status.get("issued_at", "")),
            "key": key,
            "scope": scope,
            "outcome": says.outcome,
            "issued_at": issued or head.prepared_at or raw.received_at,
            "reason": says.reason,
            "note": _note(says, status.get("note")),
            "raw_code": code[:35],
            "decision": says.decision,
            "track": says.track,
            "lifted": says.lifted or None,
            "extra": _extra(record, status, each.get("master")),
        }
        yield cargo_answers.conclude(said, item, head, raw)


def _meaning(code: str, information: str, dialect: Dialect) -> Meaning:
    """Return what a status says; a completion that names the hold it removed lifts that one."""
    agreed = dialect.code_maps.get("xcsn", {}).get(code, code)
    says = decisions.meaning("xcsn", agreed)
    told = information.upper()
    if says.lifted and any(word in told for word in _REMOVED):
        which = next((hold for word, hold in _WHICH if word in told), None)
        if which is not None:
            return decisions.meaning("xcsn", which)._replace(lifted=True, outcome=says.outcome, reason=says.reason)
    return says


def _note(says: Meaning, information: str | None) -> str | None:
    told = [says.text] if says is decisions.UNKNOWN else []
    return "; ".join([*told, *([information] if information else [])])[:255] or None


def _extra(record: xml.Record, status: Mapping[str, str], master: str | None) -> dict[str, str]:
    extra = {name: status[key] for name, key in (("ActionTypeCode", "action"), ("ActionTypeName", "direction")) if key in status}
    if "conversation" in record.parts[HEAD]:
        extra["ConversationID"] = record.parts[HEAD]["conversation"]
    if master is not None:
        extra["master"] = master
    for leg in record.lists[_LEG]:
        extra["SpecifiedLogisticsTransportMovement"] = " ".join(leg[name] for name in ("flight", "from", "to", "departs") if name in leg)
    return extra


# --- writing -----------------------------------------------------------------------------------------------------------------------------

_DECISION: Final = TYPE_OF[DecisionMade]
_SUPPLIED: Final = frozenset(
    {"data_missing", "description_unclear", "value_query", "documents_needed", "address_problem", "scheme_invalid"}
)
_TEXTS: Final = {
    "CO": "ASSESSMENT COMPLETE",
    "RI": "REQUEST FOR INFORMATION HOLD",
    "RS": "REQUEST FOR SCREENING HOLD",
    "CD": "DO NOT LOAD HOLD",
}


def status_of(notice: Notice) -> str | None:
    """Return the status that a notice amounts to; None when it says nothing about loading."""
    if notice.type != _DECISION or notice.outcome is None:
        return None
    return _status(notice.outcome, {reason.public for reason in notice.reasons}, cargo_answers.is_not_to_be_loaded(notice))


def status_before(notice: Notice) -> str | None:
    """Return the hold that was told before and that *notice* removes; None when there is none."""
    stop = notice.instead_of
    before = _status(stop.outcome, set(stop.public), bool(stop.do_not_load)) if stop is not None else None
    now = status_of(notice)
    return before if now is not None and before != now else None


def _status(outcome: Outcome, public: AbstractSet[PublicReason], do_not_load: bool) -> str | None:
    match outcome:
        case Outcome.HOLD if do_not_load:
            return "CD"
        case Outcome.RELEASE:
            return "CO"
        case Outcome.REFERRAL | Outcome.DOCUMENT_CHECK:
            return "RI"
        case Outcome.PHYSICAL_CHECK:
            return "RS"
        case Outcome.HOLD if public == {"no_answer"}:
            return None
        case Outcome.HOLD:
            return "RI" if public and public <= _SUPPLIED else "RS" if public == {"security"} else "CD"
        case _:
            return None


def render(notices: Sequence[Notice], dialect: Dialect) -> bytes:
    """Write *notices* as one message: of decisions that share a status an XCSN that names their documents, of anything else an XFNM.

    Raises ``ValueError`` when the notices have several statuses, which one message cannot say.
    """
    statuses = {status_of(notice) for notice in notices}
    if len(statuses) != 1:
        raise ValueError("one XCSN has one status: render notices of several statuses one by one")
    status = statuses.pop()
    if status is None:
        return xfnm.render(notices, dialect)
    return _write(notices, status, dialect)


def _write(notices: Sequence[Notice], status: str, dialect: Dialect) -> bytes:
    last = max(notices, key=lambda notice: notice.at)
    reasons = dict.fromkeys(reason.public.replace("_", " ").upper() for notice in notices for reason in notice.reasons)
    told = "; ".join([_TEXTS[status], *(reasons if status != "CO" else ())])
    business = "".join(
        [
            leaf("StatusCode", status),
            leaf("ActionTypeCode", "000"),
            leaf("ActionTypeName", "IMP"),
            leaf("Information", told[:255]),
            leaf("IssueDateTime", last.at.isoformat()),
        ]
    )
    groups = [
        f"<rsm:BusinessHeaderDocument>{business}</rsm:BusinessHeaderDocument>",
        f"<rsm:MasterConsignment>{_leg(notices[0])}{''.join(_references(notices))}</rsm:MasterConsignment>",
    ]
    envelope = cargo_answers.envelope_of(last, document_of(notices[0])[0], dialect)
    conversation = cargo_answers.conversation_of(notices[0])
    return cargo_xml.write_document(PROFILE, envelope, groups, purpose="Creation", conversation=conversation, scheme="C")


def _leg(notice: Notice) -> str:
    departure = notice.consignment.departure_on if notice.consignment is not None else None
    if departure is None:
        return ""
    return group(
        "SpecifiedLogisticsTransportMovement",
        group("DepartureEvent", leaf("ScheduledOccurrenceDateTime", f"{departure}T00:00:00")),
    )


def _references(notices: Sequence[Notice]) -> Iterator[str]:
    """Each master once, with its houses behind it."""
    masters: dict[str, list[str]] = {}
    for notice in notices:
        master = notice.consignment.master_transport_document_id if notice.consignment is not None else None
        number, type_code = document_of(notice)
        written = group("AssociatedReferenceDocument", leaf("ID", number), leaf("TypeCode", type_code or HOUSE))
        masters.setdefault(master if master is not None and master != number else "", []).append(written)
    for master, documents in masters.items():
        if master:
            yield group("AssociatedReferenceDocument", leaf("ID", master), leaf("TypeCode", MASTER))
        yield from dict.fromkeys(documents)
