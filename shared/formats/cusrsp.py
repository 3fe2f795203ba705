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
hold               ``DNL`` when an authority forbids to load, ``PAY`` when payment is due, else ``HOLD``
withdrawn          ``REGISTERED``: the sender took the data back, customs have decided nothing
=================  ======================================================================================================

``DecisionCd`` is the hub's own outcome as a number, ``ResponseId`` comes from the notice's id. Errors and requested elements carry paths
in the sender's own names. A message refused as a whole has no item: its errors stand in ``FileError`` after the header.

Read, each item becomes an answer on its own track (:mod:`shared.formats.postal_answers`); duties, taxes and the fee are its ``charges``;
directives and errors, and the taxes in words, are kept in its ``extra``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import Final
from uuid import UUID

from shared.contracts import TYPE_OF, Answer, Charge, DecisionMade, FilingRejected, Notice, Outcome
from shared.formats import charges, postal_files, xml
from shared.formats.base import Certainty, Envelope, Likeness, Parsed, Sketch
from shared.formats.edifact_envelope import base32
from shared.formats.filings import Item
from shared.formats.itmatt import PATHS as ITMATT_PATHS
from shared.formats.postal_answers import Asked, decision
from shared.formats.postal_files import Profile, each_unit, open_file, plain, shape
from shared.formats.provenance import sender_path
from shared.formats.values import plain_number
from shared.formats.xml_writing import attribute, leaf, text
from shared.model import Dialect, RawMessage, Rejection

NAME: Final = "cusrsp"
TITLE: Final = "CUSRSP customs response, XML hub profile"
CONTENT_TYPES: Final = postal_files.CONTENT_TYPES
VERSIONS: Final = postal_files.VERSIONS
SOURCE: Final = "UPU M44/M56 by their public leaf names; envelope urn:hub:postal:cusrsp:1"
CERTAINTY: Final[Certainty] = "reconstructed"
PROFILE: Final = Profile(NAME, "CUSRSP", "CusrspFile", "Item")
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


# --- writing ------------------------------------------------------------------------------------------------------------


def render(notices: Sequence[Notice], dialect: Dialect) -> bytes:
    """Write *notices* as one file, one item each; the same notices always give the same bytes. *notices* must not be empty."""
    items = [_item(notice) for notice in notices if notice.key.startswith("post:")]
    envelope = Envelope(file_id(notices), SENDER, notices[0].participant[:17], max(notice.at for notice in notices))
    whole = [error for notice in notices if not notice.key.startswith("post:") for error in _errors(notice, "FileError")]
    return postal_files.write_file(PROFILE, envelope, items, len(items), before="".join(whole))


def file_id(notices: Sequence[Notice]) -> str:
    """Return the id of a file of *notices*."""
    first = response_id(notices[0].notice_id)
    return first if len(notices) == 1 else f"{first}-{len(notices)}"


def response_id(notice: UUID) -> str:
    """Return the ``ResponseId`` of a notice: 28 characters that always are the same for the same notice."""
    return "GU" + base32(notice.int << 2, 26)


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
        case Outcome.HOLD if any(referral.type == "DNL" for referral in notice.referrals or ()):
            return "DNL"
        case Outcome.HOLD:
            return "PAY" if "payment_due" in public else "HOLD"
        case _:
            return "REGISTERED"


def native_code(notice: Notice) -> str:
    """Return the hub's own ``DecisionCd``."""
    return _REFUSED if notice.type == _REJECTED else _CODES[notice.outcome] if notice.outcome else _REGISTERED


def reason_text(notice: Notice) -> str | None:
    """Return the public reasons as one text of at most 255 characters, each once."""
    texts = dict.fromkeys(_TEXTS[reason.public] for reason in notice.reasons)
    return "; ".join(texts)[:255] or None


def _data(notice: Notice) -> Iterator[str]:
    yield f"<DecisionCd>{native_code(notice)}</DecisionCd><HubDecision>{hub_decision(notice)}</HubDecision>"
    yield leaf("DecisionReasonNm", reason_text(notice))
    if phase(notice) == "FIN":
        yield f"<ClearanceDt>{notice.at.isoformat()}</ClearanceDt>"
    yield from _levied(notice)
    yield from _requested(notice)
    yield from _errors(notice, "Error")


def _levied(notice: Notice) -> Iterator[str]:
    """Name the duties and taxes, and the fee beside them."""
    taxes, fee = charges.apart(notice.charges or ())
    if taxes:
        yield "".join(["<Taxes>", *map(_tax, taxes), "</Taxes>"])
    if fee is not None:
        amount = fee.amount
        yield f"<TotalFee>{plain_number(amount.amount, 2)}</TotalFee><TotalFeeCurrencyCd>{amount.currency}</TotalFeeCurrencyCd>"


def _tax(charge: Charge) -> str:
    rate = None if charge.rate_percent is None else plain_number(charge.rate_percent, 3)
    leaves = [
        leaf("Type", charges.type_of(charge)),
        leaf("Rate", rate),
        leaf("Amount", plain_number(charge.amount.amount, 2)),
        leaf("CurrencyCd", charge.amount.currency),
        leaf("HS", charge.hs_code),
    ]
    return "".join(["<Tax>", *leaves, "</Tax>"])


def _requested(notice: Notice) -> Iterator[str]:
    """Name what is asked for, and what is missing, in the sender's own names."""
    for path, reason in asked_for(notice):
        yield f"<RequestedElement reason={attribute(reason)}>{_text(own_path(path), 255)}</RequestedElement>"


def asked_for(notice: Notice) -> list[tuple[str, str]]:
    """Return the dataset paths of what is asked for, and of what is missing, each once with its reason."""
    asked = dict.fromkeys(notice.referred or (), "requested")
    for missing in notice.missing or ():
        asked.setdefault(missing.path, missing.view)
    return list(asked.items())


def own_path(path: str) -> str:
    """Return a dataset path in ITMATT's names, where it has one."""
    return (sender_path(path if path.startswith("/") else f"/{path}", "Item", ITMATT_PATHS, {}) or path).removeprefix("Item/")


def _errors(notice: Notice, name: str) -> Iterator[str]:
    for finding in notice.findings or ():
        path = attribute(finding.sender_path or finding.path or "")
        said = _text(f"{finding.message} {finding.remedy} {finding.place}".rstrip(), 512)
        yield f"<{name} code={attribute(finding.code)} path={path}>{said}</{name}>"


def _element(name: str, value: str | None) -> list[str]:
    return [f"<{name}>{_text(value, 64)}</{name}>"] if value is not None else []


def _text(value: str | None, limit: int) -> str:
    """Return *value* as XML text, cut at *limit* characters; what XML cannot hold becomes a question mark."""
    return text((value or "")[:limit])


# --- reading -----------------------------------------------------------------------------------------------------------------------------

_MAIL_OBJECT: Final = ("MailClassCd", "OrigPostOrgCd", "DestPostOrgCd", "PostingDt", "TypeCd", "PId")
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
_TAX: Final = ("Type", "Rate", "Amount", "CurrencyCd", "HS", "Description", "NetWeight", "Number")
_PARTS: Final = ("", "/taxes/*")
_TAXES: Final = 1

PATHS: Final[Mapping[str, str]] = MappingProxyType(
    {"/house_transport_document_id": "MailObject/Id"}
    | {f"/{name}": f"MailObject/{name}" for name in _MAIL_OBJECT}
    | {f"/{name}": f"Response/{name}" for name in _RESPONSE}
    | {f"/{name}": f"Response/Data/{name}" for name in _DATA}
    | {"/TotalFee/amount": "Response/Data/TotalFee", "/TotalFee/currency": "Response/Data/TotalFeeCurrencyCd"}
    | {f"/taxes/*/{name}": f"Response/Data/Taxes/Tax[*]/{name}" for name in _TAX}
    | {"/taxes/*/amount": "Response/Data/Taxes/Tax[*]/Amount", "/taxes/*/currency": "Response/Data/Taxes/Tax[*]/CurrencyCd"}
    | {"/answer_id": "Response/ResponseId", "/raw_code": "Response/Data/DecisionCd", "/reference": "Response/CustomsRef"}
    | {"/issued_at": "Response/Data/ClearanceDt", "/version_judged": "Response/InResponseTo"}
)


@lru_cache(maxsize=xml.SPELLINGS)
def _shape(namespace: str) -> xml.Shape:
    tax = shape(namespace, plain(_TAX, _TAXES), opens=_TAXES)
    taxes = shape(namespace, {}, {"Tax": tax})
    data = shape(namespace, plain(_DATA), {"Taxes": taxes}, ("Error", "RequestedElement", "Directive", "ExtraField"))
    mail_object = shape(namespace, {"Id": (0, "house_transport_document_id"), **plain(_MAIL_OBJECT)})
    response = shape(namespace, plain(_RESPONSE), {"Data": data}, ("InResponseTo",))
    return shape(namespace, {}, {"MailObject": mail_object, "Response": response})


def recognise(sketch: Sketch) -> Likeness:
    """An XML document whose root is ``CusrspFile``."""
    return postal_files.recognise(PROFILE, sketch)


def parse(raw: RawMessage, dialect: Dialect) -> Parsed:
    """Read a CUSRSP file: an answer per item. Raises :class:`MalformedMessage` when the file is refused as a whole."""
    file = open_file(PROFILE, raw, dialect)

    def read(_: xml.Element, record: xml.Record, item: Item) -> Iterator[Answer | Rejection]:
        said = record.parts[0]
        if "ResponseId" not in said:
            item.note("FLD-MISSING", "/ResponseId")
        extra: dict[str, str] = {}
        asked = []
        counted: dict[str, int] = {}
        for key, content, attributes in record.marked:
            if key == "RequestedElement":
                asked.append(Asked(content, attributes.get("reason", "")))
            elif key == "InResponseTo":
                said |= {"InResponseTo": content, "InResponseToVersion": attributes.get("Version", "")}
            elif key == "ExtraField":
                extra[attributes.get("name", key)] = content
            else:
                counted[key] = counted.get(key, 0) + 1
                extra[f"{key}[{counted[key]}]"] = " ".join(each for each in (*attributes.values(), content) if each)
        yield decision(said, item, file.head, raw, asked=asked, taxes=record.lists[_TAXES], extra=extra)

    return Parsed(file.head, each_unit(PROFILE, file, raw, dialect, PATHS, _shape(file.namespace), _PARTS, read), len(file.units))
