"""CUSRSP, XML hub profile ``urn:hub:postal:cusrsp:1``: what may be done with an item, told to its post.

Phases. ``REG``: the data were accepted, rejected or withdrawn. ``ADV``: a first decision that stops the item. ``FIN``: a release, and
every decision that supersedes another one, because a receiver lets only a ``FIN`` of higher sequence override a ``FIN``.

=================  ======================================================================================================
outcome            hub decision
=================  ======================================================================================================
release            ``RELEASE``
document_check     ``PAY`` when payment is due, ``QUERY`` when the post or addressee can supply something, else ``HOLD``
physical_check     ``EXAMINE``
referral           ``QUERY``, with a ``RequestedElement`` for each value asked for
hold               ``PAY`` when payment is due, else ``HOLD``
withdrawn          ``REGISTERED``: the sender took the data back, customs have decided nothing
=================  ======================================================================================================

``DecisionCd`` is the hub's own outcome as a number, ``ResponseId`` comes from the notice's id. Errors and requested elements carry paths
in the sender's own names. A message refused as a whole has no item: its errors stand in ``FileError`` after the header.
"""

from __future__ import annotations

import re
from base64 import b32encode
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache
from types import MappingProxyType
from typing import Final, NamedTuple
from uuid import UUID
from xml.sax.saxutils import escape, quoteattr

from shared.contracts import TYPE_OF, DecisionMade, FilingRejected, Notice, Outcome
from shared.errors import MalformedMessage
from shared.formats import xml
from shared.formats.base import Certainty
from shared.formats.itmatt import PATHS as ITMATT_PATHS
from shared.formats.provenance import sender_path
from shared.model import Dialect

NAME: Final = "cusrsp"
TITLE: Final = "CUSRSP customs response, XML hub profile"
CONTENT_TYPES: Final[tuple[str, ...]] = ("application/xml", "text/xml")
VERSIONS: Final[tuple[str, ...]] = ("1.0",)
SOURCE: Final = "UPU M44/M56 by their public leaf names; envelope urn:hub:postal:cusrsp:1"
CERTAINTY: Final[Certainty] = "reconstructed"
NAMESPACE: Final = "urn:hub:postal:cusrsp:1"
ROOT: Final = "CusrspFile"
SENDER: Final = "GUICHET"

_CODES: Final[Mapping[Outcome, str]] = MappingProxyType(
    {
        Outcome.RELEASE: "2",
        Outcome.DOCUMENT_CHECK: "4",
        Outcome.PHYSICAL_CHECK: "5",
        Outcome.REFERRAL: "6",
        Outcome.HOLD: "7",
        Outcome.WITHDRAWN: "8",
    }
)
"""``DecisionCd``: the hub's native code of each outcome; 99 registered, 98 data refused."""

_REGISTERED: Final = "99"
_REFUSED: Final = "98"
_SUPPLIED: Final = frozenset(
    {"data_missing", "description_unclear", "value_query", "documents_needed", "address_problem", "scheme_invalid"}
)
_TEXTS: Final = {
    "data_missing": "Data are missing",
    "description_unclear": "The description of the goods is unclear",
    "value_query": "The value is in question",
    "payment_due": "Import charges due",
    "documents_needed": "Documents are needed",
    "agency_control": "Another authority controls the goods",
    "restricted_goods": "The goods are restricted",
    "prohibited_goods": "The goods are prohibited",
    "address_problem": "The address is incomplete",
    "scheme_invalid": "The tax scheme number is not valid",
    "examination": "Customs examine the goods",
    "security": "Customs examine the goods",
    "no_answer": "An answer is outstanding",
    "officer": "An officer decided",
    "withdrawn_by_sender": "Withdrawn by the sender",
    "other": "Decided by customs",
}

_DECISION: Final = TYPE_OF[DecisionMade]
_REJECTED: Final = TYPE_OF[FilingRejected]
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


# --- writing ------------------------------------------------------------------------------------------------------------


def render(notices: Sequence[Notice], dialect: Dialect) -> bytes:
    """Write *notices* as one file, one item each; the same notices always give the same bytes. *notices* must not be empty."""
    items = [_item(notice) for notice in notices if notice.key.startswith("post:")]
    first = notices[0]
    prepared = max(notice.at for notice in notices)
    file_id = response_id(first.notice_id) if len(notices) == 1 else f"{response_id(first.notice_id)}-{len(notices)}"
    head = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<CusrspFile xmlns="{NAMESPACE}" version="1.0"><Header><FileId>{file_id}</FileId><MessageType>CUSRSP</MessageType>'
        f"<SenderOrgCd>{SENDER}</SenderOrgCd><RecipientOrgCd>{_text(first.participant, 17)}</RecipientOrgCd>"
        f"<PreparedDt>{prepared.isoformat()}</PreparedDt><ItemCount>{len(items)}</ItemCount></Header>"
    )
    whole = [error for notice in notices if not notice.key.startswith("post:") for error in _errors(notice, "FileError")]
    return "".join([head, *whole, *items, "</CusrspFile>\n"]).encode()


def response_id(notice: UUID) -> str:
    """Return the ``ResponseId`` of a notice: 28 characters that always are the same for the same notice."""
    return "GU" + b32encode(notice.bytes).decode().rstrip("=")


def _item(notice: Notice) -> str:
    summary = notice.consignment
    parts = ["<Item><MailObject><Id>", _text(notice.key.removeprefix("post:"), 35), "</Id>"]
    if summary is not None:
        parts += _element("MailClassCd", summary.mail_class)
        parts += _element("OrigPostOrgCd", summary.origin_post)
        parts += _element("DestPostOrgCd", summary.destination_post)
        parts += _element("PostingDt", summary.posted_at.isoformat() if summary.posted_at else None)
    parts += ["</MailObject><Response><ResponseId>", response_id(notice.notice_id), "</ResponseId><Phase>", phase(notice)]
    parts += ["</Phase><Sequence>", str(notice.sequence), "</Sequence>", _in_response_to(notice)]
    parts += [
        "<PostOrganizationCd>",
        _text(notice.participant, 17),
        f"</PostOrganizationCd><CustOrganizationCd>{SENDER}</CustOrganizationCd>",
    ]
    return "".join([*parts, "<Data>", *_data(notice), "</Data></Response></Item>"])


def _in_response_to(notice: Notice) -> str:
    """Name the file and the item's version judged, as far as the receiver sent it."""
    if notice.filing is None:
        return f"<InResponseTo>{_text(notice.message_id, 100)}</InResponseTo>" if notice.message_id else ""
    version = f' Version="{notice.filing.version}"' if notice.filing.version is not None else ""
    return f"<InResponseTo{version}>{_text(notice.filing.message_id, 100)}</InResponseTo>"


def phase(notice: Notice) -> str:
    """Return the phase of a notice."""
    if notice.type != _DECISION or notice.outcome is Outcome.WITHDRAWN:
        return "REG"
    return "FIN" if notice.outcome is Outcome.RELEASE or notice.supersedes is not None else "ADV"


def hub_decision(notice: Notice) -> str:
    """Return the hub decision of a notice (see the table above)."""
    if notice.type == _REJECTED:
        return "REJECTED_DATA"
    public = {reason.public for reason in notice.reasons}
    match notice.outcome:
        case Outcome.RELEASE:
            return "RELEASE"
        case Outcome.PHYSICAL_CHECK:
            return "EXAMINE"
        case Outcome.REFERRAL:
            return "QUERY"
        case Outcome.DOCUMENT_CHECK:
            return "PAY" if "payment_due" in public else "QUERY" if public & _SUPPLIED else "HOLD"
        case Outcome.HOLD:
            return "PAY" if "payment_due" in public else "HOLD"
        case _:
            return "REGISTERED"


def _data(notice: Notice) -> Iterator[str]:
    native = _REFUSED if notice.type == _REJECTED else _CODES[notice.outcome] if notice.outcome else _REGISTERED
    yield f"<DecisionCd>{native}</DecisionCd><HubDecision>{hub_decision(notice)}</HubDecision>"
    if notice.reasons:
        texts = dict.fromkeys(_TEXTS[reason.public] for reason in notice.reasons)
        yield f"<DecisionReasonNm>{_text('; '.join(texts), 255)}</DecisionReasonNm>"
    if phase(notice) == "FIN":
        yield f"<ClearanceDt>{notice.at.isoformat()}</ClearanceDt>"
    yield from _requested(notice)
    yield from _errors(notice, "Error")


def _requested(notice: Notice) -> Iterator[str]:
    """Name what is asked for, and what is missing, in the sender's own names; each once."""
    asked = dict.fromkeys(notice.referred or (), "requested")
    for missing in notice.missing or ():
        asked.setdefault(missing.path, missing.view)
    for path, reason in asked.items():
        yield f"<RequestedElement reason={quoteattr(reason)}>{_text(_own_path(path), 255)}</RequestedElement>"


def _own_path(path: str) -> str:
    """Return a dataset path in ITMATT's names, where it has one."""
    return (sender_path(path if path.startswith("/") else f"/{path}", "Item", ITMATT_PATHS, {}) or path).removeprefix("Item/")


def _errors(notice: Notice, name: str) -> Iterator[str]:
    for finding in notice.findings or ():
        path = quoteattr(_ILLEGAL.sub("?", finding.sender_path or finding.path or ""))
        yield f"<{name} code={quoteattr(finding.code)} path={path}>{_text(f'{finding.message} {finding.remedy}', 512)}</{name}>"


def _element(name: str, value: str | None) -> list[str]:
    return [f"<{name}>{_text(value, 64)}</{name}>"] if value is not None else []


def _text(value: str | None, limit: int) -> str:
    """Return *value* as XML text, cut at *limit* characters; what XML cannot hold becomes a question mark."""
    return escape(_ILLEGAL.sub("?", (value or "")[:limit]))


# --- reading ------------------------------------------------------------------------------------------------------------


class Complaint(NamedTuple):
    """One error, or one element asked for (then ``code`` is the reason)."""

    code: str
    path: str
    text: str


class Response(NamedTuple):
    """What a CUSRSP says of one item."""

    s10: str
    response_id: str
    phase: str
    sequence: int
    decision_code: str
    hub_decision: str | None = None
    reason: str | None = None
    in_response_to: str | None = None
    version: int | None = None
    posted_at: datetime | None = None
    mail_class: str | None = None
    origin_post: str | None = None
    destination_post: str | None = None
    cleared_at: datetime | None = None
    requested: tuple[Complaint, ...] = ()
    errors: tuple[Complaint, ...] = ()


class ResponseFile(NamedTuple):
    """One CUSRSP file: who speaks to whom, what of each item, what of the file as a whole."""

    file_id: str
    sender: str
    recipient: str
    prepared_at: datetime
    responses: tuple[Response, ...]
    errors: tuple[Complaint, ...] = ()


_HEADER: Final = ("FileId", "MessageType", "SenderOrgCd", "RecipientOrgCd", "PreparedDt", "TestInd", "ItemCount")
_MAIL_OBJECT: Final = ("Id", "MailClassCd", "OrigPostOrgCd", "DestPostOrgCd", "PostingDt", "TypeCd", "PId")
_RESPONSE: Final = ("ResponseId", "Phase", "Sequence", "PostOrganizationCd", "CustOrganizationCd", "CustomsRef")
_DATA: Final = (
    "DecisionCd",
    "HubDecision",
    "DecisionReasonCd",
    "DecisionReasonNm",
    "ClearanceDt",
    "Dutiable",
    "TotalFee",
    "TotalFeeCurrencyCd",
)


def _tag(name: str) -> str:
    return xml.qualified(NAMESPACE, name)


@cache
def _shape() -> xml.Shape:
    def leaves(names: Sequence[str]) -> dict[str, xml.Leaf]:
        return {_tag(name): xml.Leaf(0, name) for name in names}

    data = xml.Shape(leaves(_DATA), {_tag(name): name for name in ("Error", "RequestedElement", "Directive", "ExtraField")}, {})
    response = xml.Shape(leaves(_RESPONSE), {_tag("InResponseTo"): "InResponseTo"}, {_tag("Data"): data})
    return xml.Shape({}, {}, {_tag("MailObject"): xml.Shape(leaves(_MAIL_OBJECT), {}, {}), _tag("Response"): response})


def read(body: bytes) -> ResponseFile:
    """Read a CUSRSP file. Raises :class:`MalformedMessage`."""
    root = xml.parse(body)
    if root.tag != _tag(ROOT):
        raise xml.malformed("MSG-SYNTAX", f"The document element is not {ROOT} of {NAMESPACE}.")
    header_element = next(root.iterchildren(_tag("Header")), None)
    if header_element is None:
        raise xml.malformed("MSG-HEAD", "The file has no Header.", path="Header")
    header = xml.walk(header_element, xml.Shape({_tag(name): xml.Leaf(0, name) for name in _HEADER}, {}, {}), 1).parts[0]
    responses = tuple(_read_item(xml.walk(item, _shape(), 1)) for item in root.iterchildren(_tag("Item")))
    try:
        if int(header["ItemCount"]) != len(responses):
            raise xml.malformed("MSG-COUNT", path="Header/ItemCount", value=header["ItemCount"])
        prepared = datetime.fromisoformat(header["PreparedDt"])
        return ResponseFile(header["FileId"], header["SenderOrgCd"], header["RecipientOrgCd"], prepared, responses, _file_errors(root))
    except (KeyError, ValueError) as exc:
        raise xml.malformed("MSG-HEAD", f"The Header is incomplete or wrong: {exc}.", path="Header") from exc


def _file_errors(root: xml.Element) -> tuple[Complaint, ...]:
    return tuple(
        Complaint(str(error.get("code", "")), str(error.get("path", "")), error.text or "")
        for error in root.iterchildren(_tag("FileError"))
    )


def _read_item(record: xml.Record) -> Response:
    said = record.parts[0]
    marked: dict[str, list[xml.Marked]] = {}
    for each in record.marked:
        marked.setdefault(each.key, []).append(each)
    answered = marked.get("InResponseTo", [None])[0]
    try:
        return Response(
            s10=said["Id"],
            response_id=said["ResponseId"],
            phase=said["Phase"],
            sequence=int(said["Sequence"]),
            decision_code=said["DecisionCd"],
            hub_decision=said.get("HubDecision"),
            reason=said.get("DecisionReasonNm"),
            in_response_to=answered.text if answered else None,
            version=int(answered.attributes["Version"]) if answered and "Version" in answered.attributes else None,
            posted_at=_instant(said.get("PostingDt")),
            mail_class=said.get("MailClassCd"),
            origin_post=said.get("OrigPostOrgCd"),
            destination_post=said.get("DestPostOrgCd"),
            cleared_at=_instant(said.get("ClearanceDt")),
            requested=tuple(Complaint(each.attributes.get("reason", ""), each.text, "") for each in marked.get("RequestedElement", ())),
            errors=tuple(
                Complaint(each.attributes.get("code", ""), each.attributes.get("path", ""), each.text) for each in marked.get("Error", ())
            ),
        )
    except (KeyError, ValueError) as exc:
        raise MalformedMessage(f"An item is incomplete or wrong: {exc}", code="FLD-MISSING", path="Item") from exc


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
