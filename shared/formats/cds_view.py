"""``CDSView`` of the UPU customs declaration system: what posts and customs push to and pull from its web service.

A message is one ``CDSView``, an ``ArrayOfCDSView``, or a SOAP envelope around either (``CreateOrUpdateDeclarations``,
``CreateOrUpdateResponses``, the result of ``Load``). A ``Declaration`` is read like an item of ITMATT, a ``Response`` like one of CUSRSP;
a view with both gives both. Elements come in alphabetical order, all optional; they are read in any order, in the service's namespaces or
in none. Extra data come as the parallel arrays ``ExtraFieldNames`` and ``ExtraFieldValues``; ``TaxId.<scheme>.<role>`` and
``DutyPaidRef`` among them are what they say.

The web service names no message and no version: the message's id is the digest of its bytes, a declaration is filed as original, and its
``PId`` stays outside of the content. ``CDSStateCd`` passes through. ``DCResponse``, what customs at the departure said, is kept in
``extra``: it frees nothing at the destination.

``XMLData`` is the declaration as the service stores it: one element, ``DecData``, with short attributes. Ten of them are known; the other
party's are read by the same letters (``SCty`` after ``RCty``). They are read where ``Data`` is absent, and passed over where it is there.
How content pieces are stored is not known: such a declaration is taken without goods, with a warning, and whatever else ``DecData`` holds
is named in a note. What ``XMLData`` of a response holds nobody has published: a response without ``Data`` has no decision and is refused.

Written are responses: to declarations that came in (taken or not), and of decisions. Order is that of the service's types, each
alphabetical, what all objects share before ``Data``; the service passes over what stands out of order. The native code is the dialect's
(``code_maps = {"native": {"RELEASE": "2"}}``), else the hub's own of CUSRSP; the decision in words, errors and what is
asked for are extra fields (``HubDecision``, ``Error[1]``, ``RequestedElement[1]``). ``DCResponse`` is not written, since the hub speaks
for the destination, nor ``XMLData``, in which the service stores what ``Data`` says. Security tokens are not read and never written.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from types import MappingProxyType
from typing import Any, Final

from shared.contracts import TYPE_OF, Answer, FilingRejected, MessageAcknowledged, Notice, derived_id
from shared.errors import MalformedMessage
from shared.formats import cusrsp, postal_files, xml
from shared.formats.base import ITEM_LIMIT, UNLIKE, Certainty, Likeness, Parsed, Received, Sketch, Taken
from shared.formats.filings import Item, message_id_of, reject
from shared.formats.outlines import Outlines
from shared.formats.postal_answers import decision
from shared.formats.postal_declarations import LOOSE, PARTS, declared, item_shape, paths
from shared.formats.postal_files import plain, qualified
from shared.formats.postal_items import filing
from shared.formats.provenance import sender_path
from shared.formats.xml_places import Tree
from shared.formats.xml_writing import leaf
from shared.model import Dialect, Filing, MessageHead, RawMessage, Rejection

NAME: Final = "cds-view"
TITLE: Final = "CDSView of the customs declaration system, plain or in SOAP"
CONTENT_TYPES: Final[tuple[str, ...]] = (*postal_files.CONTENT_TYPES, "application/soap+xml")
VERSIONS: Final[tuple[str, ...]] = ("CDS.BusinessLayer.Operational",)
SOURCE: Final = "public client classes of the CDS web service"
CERTAINTY: Final[Certainty] = "published"
ACKNOWLEDGED_BY: Final = NAME
NAMESPACE: Final = "http://schemas.datacontract.org/2004/07/CDS.BusinessLayer.Operational"
_SERVICE: Final = "http://tempuri.org/"
_ARRAYS: Final = "http://schemas.microsoft.com/2003/10/Serialization/Arrays"
_ROOTS: Final = frozenset({"CDSView", "ArrayOfCDSView", "cdsViews", "LoadResult"})

_OF_OBJECT: Final = ("CDSStateCd", "CustOrganizationCd", "PostOrganizationCd", "MailObjectPId", "MailStateCd")
_RESPONSE_DATA: Final = (
    "DecisionCd",
    "DecisionReasonCd",
    "DecisionReasonNm",
    "ClearanceDt",
    "Dutiable",
    "TotalFee",
    "TotalFeeCurrencyCd",
)
_OF_DEPARTURE: Final = ("ClearanceDt", "DecisionCd", "DecisionReasonCd", "DecisionReasonNm")
_DEPARTURE: Final = tuple(f"DCResponse/{name}" for name in _OF_DEPARTURE)
_TAX: Final = ("Type", "Rate", "Amount", "CurrencyCd", "HS", "Description", "NetWeight", "Number")
_PASSED_OVER: Final = ("EntityState", "XMLData")
_CONSIGNMENT, _CONSIGNOR, _CONSIGNEE = range(3)
_TOTAL: Final = "TotCPVal"
_PROLOGUE: Final = re.compile(r"^\s*<\?xml[^>]*\?>")
"""What a document inside a text may begin with: it names the character set of another place."""
_STORED: Final[Mapping[str, tuple[int, str]]] = MappingProxyType(
    {
        "GWgt": (_CONSIGNMENT, "gross_mass_kg"),
        "NTyp": (_CONSIGNMENT, "nature_of_transaction"),
        "TrDat": (_CONSIGNMENT, "departure_on"),
        _TOTAL: (LOOSE, f"~{_TOTAL}"),
    }
    | {
        f"{side}{name}": (part, field)
        for side, part in (("S", _CONSIGNOR), ("R", _CONSIGNEE))
        for name, field in {
            "Nm": "name",
            "AdL1": "street_line",
            "Cty": "city",
            "Sta": "country_subdivision",
            "Ctr": "country",
        }.items()
    }
)
"""Attribute of ``DecData`` → record of the walk and field. The published ones are ``GWgt``, ``NTyp``, ``TrDat``, ``TotCPVal``, ``SNm``,
``SSta``, ``SCtr``, ``RNm``, ``RAdL1`` and ``RCty``."""
_RESPONSE, _TAXES = len(PARTS), len(PARTS) + 1
_ALL_PARTS: Final = (*PARTS, "", "/taxes/*")

PATHS: Final[Mapping[str, str]] = MappingProxyType(
    paths()
    | {f"/extra/{name}": f"Declaration/{name}" for name in _OF_OBJECT}
    | {f"/extra/{name}": name.replace("/", "/Data/") for name in _DEPARTURE}
    | {f"/{name}": f"Response/Data/{name}" for name in _RESPONSE_DATA}
    | {"/taxes/*/amount": "Response/Data/Taxes/Tax[*]/Amount", "/taxes/*/currency": "Response/Data/Taxes/Tax[*]/CurrencyCd"}
    | {f"/extra/{_TOTAL}": f"Declaration/XMLData/@{_TOTAL}"}
    | {"/TotalFee/amount": "Response/Data/TotalFee", "/TotalFee/currency": "Response/Data/TotalFeeCurrencyCd"}
)


@cache
def _shape() -> xml.Shape:
    """The table of one view: an item of ITMATT, and the response beside it."""
    spaces = (NAMESPACE, _SERVICE, "")
    item = item_shape(spaces, {name: f"~{name}" for name in (*_OF_OBJECT, "XMLData")})
    skipped = qualified(spaces, dict.fromkeys(_PASSED_OVER, xml.LEFT))
    arrays = _arrays(spaces, "")
    response = xml.Shape(
        qualified(spaces, plain((*_OF_OBJECT, "PId"), _RESPONSE)),
        {},
        qualified(spaces, {"Data": _response_data(spaces)}) | skipped,
    )
    beside = qualified(spaces, {"Response": response, "DCResponse": _departure(spaces)})
    inner = {tag: _with(shape, skipped, arrays, spaces) for tag, shape in item.inner.items()}
    return xml.Shape({}, {}, inner | beside | skipped)


def _with(shape: xml.Shape, skipped: Mapping[str, xml.Shape], arrays: Mapping[str, xml.Shape], spaces: Sequence[str]) -> xml.Shape:
    """Return *shape* with what every object of the service may have."""
    inner = {tag: _with(below, skipped, arrays, spaces) for tag, below in shape.inner.items()}
    return xml.Shape(shape.leaves, shape.marked, {**skipped, **inner, **arrays}, shape.opens)


def _arrays(spaces: Sequence[str], prefix: str) -> dict[str, xml.Shape]:
    strings = qualified((*spaces, _ARRAYS), {"string": "string"})
    return qualified(
        spaces,
        {name: xml.Shape({}, dict.fromkeys(strings, f"{prefix}{name}"), {}) for name in ("ExtraFieldNames", "ExtraFieldValues")},
    )


def _departure(spaces: Sequence[str]) -> xml.Shape:
    """The table of a response at the departure: its decision alone."""
    decision = qualified(spaces, {name: (LOOSE, f"~DCResponse/{name}") for name in _OF_DEPARTURE})
    others = (*_RESPONSE_DATA, "Taxes", "ExtraFieldNames", "ExtraFieldValues", "EntityState")
    data = xml.Shape(decision, {}, qualified(spaces, {name: xml.LEFT for name in others if name not in _OF_DEPARTURE}))
    own = dict.fromkeys((*_OF_OBJECT, "PId", *_PASSED_OVER), xml.LEFT)
    return xml.Shape({}, {}, qualified(spaces, {**own, "Data": data}))


def _response_data(spaces: Sequence[str]) -> xml.Shape:
    arrays = _arrays(spaces, "~")
    skipped = qualified(spaces, {"EntityState": xml.LEFT})
    tax = xml.Shape(qualified(spaces, plain(_TAX, _TAXES)), {}, arrays | skipped, _TAXES)
    taxes = xml.Shape({}, {}, qualified(spaces, {"Tax": tax, "DecTax": tax}))
    inner = qualified(spaces, {"Taxes": taxes}) | arrays | skipped
    return xml.Shape(qualified(spaces, plain(_RESPONSE_DATA, _RESPONSE)), {}, inner)


# --- reading -----------------------------------------------------------------------------------------------------------------------------


def recognise(sketch: Sketch) -> Likeness:
    """An XML document whose root is a view or an array of views, or a SOAP envelope that holds one."""
    if sketch.kind != "xml":
        return UNLIKE
    if sketch.root in _ROOTS:
        return Likeness(1.0, f"root {sketch.root}")
    if sketch.root == "Envelope":
        if "CDSView" in sketch.keys or "cdsViews" in sketch.keys:
            return Likeness(1.0, "a SOAP envelope with a CDSView")
        return Likeness(0.3, "a SOAP envelope, but no CDSView in its beginning")
    return Likeness(0.1, f"XML, but its root is {sketch.root or 'unreadable'} and not CDSView")


_KNOWN: Final = Outlines("CDSView")


def parse(raw: RawMessage, dialect: Dialect) -> Parsed:
    """Read a message of the service. Raises :class:`MalformedMessage` when it is refused as a whole."""
    root, _ = _KNOWN.read(raw.body, dialect.encoding)
    views = _elements(root)
    if not views:
        raise xml.malformed("MSG-NO-ITEMS", path="CDSView")
    if len(views) > ITEM_LIMIT:
        raise xml.malformed("MSG-ITEMS", path="CDSView", value=str(len(views)))
    head = MessageHead(NAME, message_id_of(raw.body))
    return Parsed(head, _views(views, head, raw, dialect), len(views))


def _elements(root: xml.Element) -> list[xml.Element]:
    return [root] if str(root.tag).rpartition("}")[2] == "CDSView" else list(root.iter("{*}CDSView"))


def _views(views: list[xml.Element], head: MessageHead, raw: RawMessage, dialect: Dialect) -> Iterator[Filing | Answer | Rejection]:
    source = Tree(raw.body, dialect.encoding)
    for number, view in enumerate(views, 1):
        item = Item(f"CDSView[{number}]", PATHS, dialect, element=view, source=source)
        try:
            record = xml.walk(view, _shape(), len(_ALL_PARTS))
            yield from _view(view, record, item, head, raw)
        except MalformedMessage as exc:
            item.note(exc.finding_code, at=item.position, message=str(exc))
            yield reject(item, head, raw)


def _view(view: xml.Element, record: xml.Record, item: Item, head: MessageHead, raw: RawMessage) -> Iterator[Filing | Answer | Rejection]:
    postal_files.misfits(record, _ALL_PARTS, item)
    answered = bool(record.parts[_RESPONSE])
    if answered:
        own = item.another(item.position)
        yield _response(dict(record.parts[0]), record, own, head, raw)
    stored = record.parts[LOOSE].pop("~XMLData", None)
    if stored is not None and xml.like(view).find("{*}Declaration/{*}Data") is None:
        _stored(stored, record, item)
    else:
        stored = None
    if not answered or stored is not None or record.parts[_CONSIGNOR] or record.lists[5]:
        yield _declaration(record, item, head, raw, goods=stored is None)


def _stored(said: str, record: xml.Record, item: Item) -> None:
    """Read the declaration as the service stores it. What is not read of it is noted; the bytes stay with the message."""
    at = f"{item.position}/Declaration/XMLData"
    try:
        root = xml.parse(_PROLOGUE.sub("", said).encode())
    except MalformedMessage as exc:
        item.note("FLD-FORM", at=at, message=str(exc))
        return
    for name, text in ((str(name), str(text)) for name, text in root.items()):
        place = _STORED.get(name)
        if place is None:
            item.note("FLD-IGNORED", at=f"{at}/@{name}", value=text)
        elif text.strip():
            part, field = place
            record.parts[part][field] = text.strip()
            if part != LOOSE:
                item.paths[f"{_ALL_PARTS[part]}/{field}"] = f"{at}/@{name}"
    for name in list(dict.fromkeys(str(child.tag).rpartition("}")[2] for child in root))[:20]:
        item.note("FLD-IGNORED", at=f"{at}/{name}")


def _declaration(record: xml.Record, item: Item, head: MessageHead, raw: RawMessage, *, goods: bool) -> Filing | Rejection:
    loose = record.parts[LOOSE]
    extra = {name: loose[f"~{name}"] for name in (*_OF_OBJECT, *_DEPARTURE, _TOTAL) if f"~{name}" in loose}
    said = declared(record)
    said = said._replace(marked=_fields(record.marked, ""))
    for marked in list(said.marked):
        if marked.attributes.get("name") == "DutyPaidRef":
            loose["~DutyPaidRef"] = marked.text
            said.marked.remove(marked)
    return filing(said, item, head, raw, function="original", version=None, extra=extra, goods=goods)


def _fields(marked: list[xml.Marked], prefix: str) -> list[xml.Marked]:
    """Return the parallel arrays as extra fields and tax numbers."""
    names = [each.text for each in marked if each.key == f"{prefix}ExtraFieldNames"]
    contents = [each.text for each in marked if each.key == f"{prefix}ExtraFieldValues"]
    fields = [each for each in marked if each.key in ("TaxId", "ExtraField")] if not prefix else []
    for name, content in zip(names, contents, strict=False):
        first, _, rest = name.partition(".")
        if first == "TaxId" and rest:
            scheme, _, role = rest.partition(".")
            fields.append(xml.Marked("TaxId", content, {"scheme": scheme, "role": role}))
        else:
            fields.append(xml.Marked("ExtraField", content, {"name": name}))
    return fields


def _response(said: dict[str, Any], record: xml.Record, item: Item, head: MessageHead, raw: RawMessage) -> Answer | Rejection:
    said |= record.parts[_RESPONSE]
    pid = said.pop("PId", None)
    if pid is not None:
        said["ResponseId"] = pid
    extra = {field.attributes.get("name", field.key): field.text for field in _fields(record.marked, "~")}
    if _WORD in extra:
        said.setdefault(_WORD, extra.pop(_WORD))
    extra |= {name: record.parts[LOOSE][f"~{name}"] for name in _DEPARTURE if f"~{name}" in record.parts[LOOSE]}
    return decision(said, item, head, raw, taxes=record.lists[_TAXES], extra=extra)


# --- writing -----------------------------------------------------------------------------------------------------------------------------

CHANGED: Final = "1"
"""``EntityState`` of an object that is pushed because it changed."""
_WORD: Final = "HubDecision"
"""The extra field with the decision in the hub's words, for whoever has not agreed what the native codes mean."""


def render(notices: Sequence[Notice], dialect: Dialect) -> bytes:
    """Write the decisions of *notices* as an ``ArrayOfCDSView``; the same notices always give the same bytes. Notices about anything but
    postal items are left out; where none is left there is no message (no bytes)."""
    views = [_written(notice, dialect) for notice in notices if notice.key.startswith("post:")]
    return _array(views) if views else b""


def _array(views: Sequence[str]) -> bytes:
    start = f'<?xml version="1.0" encoding="UTF-8"?>\n<ArrayOfCDSView xmlns="{NAMESPACE}">'
    return "".join([start, *views, "</ArrayOfCDSView>\n"]).encode()


def _written(notice: Notice, dialect: Dialect) -> str:
    summary = notice.consignment
    mail_object = [
        f"<EntityState>{CHANGED}</EntityState>",
        leaf("DestPostOrgCd", summary.destination_post if summary else None),
        leaf("Id", notice.key.removeprefix("post:")),
        leaf("MailClassCd", summary.mail_class if summary else None),
        leaf("OrigPostOrgCd", summary.origin_post if summary else None),
        leaf("PostingDt", summary.posted_at.isoformat() if summary and summary.posted_at else None),
        "<TypeCd>MI</TypeCd>",
    ]
    response = [
        f"<EntityState>{CHANGED}</EntityState>",
        leaf("CDSStateCd", dialect.code_maps.get("native", {}).get("CDSStateCd")),
        leaf("CustOrganizationCd", cusrsp.SENDER),
        f"<PId>{notice.notice_id}</PId>",
        leaf("PostOrganizationCd", notice.participant[:17]),
        "<Data>",
        *_data(notice, dialect),
        "</Data>",
    ]
    return "".join(
        [
            f"<CDSView><EntityState>{CHANGED}</EntityState><MailObject>",
            *mail_object,
            "</MailObject><Response>",
            *response,
            "</Response></CDSView>",
        ]
    )


def _data(notice: Notice, dialect: Dialect) -> Iterator[str]:
    native = dialect.code_maps.get("native", {}).get(cusrsp.hub_decision(notice)) or cusrsp.native_code(notice)
    yield leaf("ClearanceDt", notice.at.isoformat() if cusrsp.phase(notice) == "FIN" else None)
    yield leaf("DecisionCd", native)
    yield leaf("DecisionReasonNm", cusrsp.reason_text(notice))
    fields = {_WORD: cusrsp.hub_decision(notice), **dict(_told(notice))}
    for name, texts in (("ExtraFieldNames", fields.keys()), ("ExtraFieldValues", fields.values())):
        strings = "".join(leaf("a:string", each) for each in texts)
        yield f'<{name} xmlns:a="{_ARRAYS}">{strings}</{name}>'


def _told(notice: Notice) -> Iterator[tuple[str, str]]:
    """Yield the extra fields of a response: what is wrong, and what is asked for, in the sender's own names."""
    for number, made in enumerate(notice.findings or (), 1):
        yield f"Error[{number}]", " ".join(each for each in (made.code, made.where, made.message, made.remedy) if each)
    for number, (path, reason) in enumerate(cusrsp.asked_for(notice), 1):
        path = path if path.startswith("/") else f"/{path}"
        yield f"RequestedElement[{number}]", f"{reason} {sender_path(path, 'CDSView', PATHS, {}) or path}"


# --- answering a message -----------------------------------------------------------------------------------------------------------------


def acknowledge(received: Received, dialect: Dialect) -> bytes | None:
    """Return a response to each declaration of *received*: registered, or refused with the errors.

    None when it holds no declaration that names its item: responses are not answered.
    """
    try:
        root = xml.parse(received.raw.body, dialect.encoding)
    except MalformedMessage:
        return None
    taken: dict[str | None, Taken] = {}
    for each in received.taken:
        before = taken.get(each.position)
        taken[each.position] = each if before is None or each.refused else before
    written = []
    for number, view in enumerate(map(xml.parsed, _elements(root)), 1):
        identifier = next((each.text.strip() for each in view.iterfind("{*}MailObject/{*}Id") if each.text), "")
        outcome = taken.get(f"CDSView[{number}]", Taken(None, None, True, received.refusal) if received.refusal else None)
        if identifier and outcome is not None and view.find("{*}Declaration") is not None:
            written.append(_written(_about(received, outcome, identifier, number), dialect))
    return _array(written) if written else None


def _about(received: Received, outcome: Taken, identifier: str, number: int) -> Notice:
    return Notice(
        notice_id=derived_id(received.id, number),
        subscription=received.id,
        participant=received.raw.participant,
        feed_sequence=0,
        type=TYPE_OF[FilingRejected if outcome.refused else MessageAcknowledged],
        at=received.raw.received_at,
        key=f"post:{identifier}",
        sequence=0,
        findings=outcome.findings or None,
    )
