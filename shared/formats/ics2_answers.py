"""What ICS2 says of filings: registration (IE3R01), errors (N99, N01, N07), incompleteness (N02, N11), referrals (Q01 to Q03; N04, N05 to
carriers), assessment (N03), control (N08, N09), amendment and invalidation (N10, R07), arrival (R04).

Each house, receptacle or referral named becomes one answer; a message that names none is about the whole filing. A house is keyed by its
S10 number or its carrier (see :func:`shared.formats.customs_answers.house_key`); where nobody says whose it is, by the MRN, and its number
is kept in ``extra``. Other keys are ``lrn:`` (R01, N99, N01, R04), ``master:`` (N11, which has no MRN), ``receptacle:``, else ``mrn:``.

IE3N03 ends referrals before loading and releases nothing; where it names only containers it is about some pieces, not the filing.
Another IE3N, Q or R than those listed is a hold with its raw code. The elements that errors and requests point at become dataset paths in
``requested``, in ``extra`` they stand as they were written.

Written is IE3N99 alone: the errors of a filing that the hub did not take, so that nothing of it goes to customs. It names the filing by
its LRN (an amendment by its MRN) and no member state, because no customs speak here; ``validationCode`` is the rule of ICS2 where the
error is about an element that has one, else the first letters of the hub's own code, which stands whole before the description. What says
more (registered, assessed, referred) says it under an MRN: that is for customs, the hub has none to give. A receipt is a matter of AS4.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache, lru_cache, partial
from posixpath import normpath
from types import MappingProxyType
from typing import Final, NamedTuple

from shared.contracts import TYPE_OF, Answer, FilingRejected, Notice
from shared.errors import MalformedMessage
from shared.formats import checks, customs_xml, ics2, xml
from shared.formats.base import ITEM_LIMIT, UNLIKE, Certainty, Likeness, Parsed, Received, Sketch
from shared.formats.customs_answers import answer, house_key, meaning
from shared.formats.customs_xml import Document, misfits, shape
from shared.formats.edifact_answers import error_code
from shared.formats.filings import Item, message_id_of, reject
from shared.formats.ics2_tables import NAMESPACE
from shared.formats.outlines import Outlines
from shared.formats.xml_writing import group, leaf
from shared.identifiers import air_waybill, lrn, mrn
from shared.model import Dialect, Finding, MessageHead, RawMessage, Rejection, Severity

NAME: Final = "ics2-answers"
TITLE: Final = "IE3R01, N01 to N11, N99, Q01 to Q03, R04, R07: answers of ICS2"
CONTENT_TYPES: Final = customs_xml.CONTENT_TYPES
_LISTED = "IE3R01 IE3R04 IE3R07 IE3N01 IE3N02 IE3N03 IE3N04 IE3N05 IE3N07 IE3N08 IE3N09 IE3N10 IE3N11 IE3N99 IE3Q01 IE3Q02 IE3Q03"
VERSIONS: Final[tuple[str, ...]] = tuple(_LISTED.split())
SOURCE: Final = ics2.SOURCE
CERTAINTY: Final[Certainty] = "published"
PATHS: Final[Mapping[str, str]] = MappingProxyType(
    {"/key": "MRN", "/issued_at": "documentIssueDate", "/reference": "MRN", "/message_id": "MRN", "/requested": "error/pointer"}
)
_ROOT = re.compile(r"IE3[NQR][0-9]{2}").fullmatch
_OURS: Final = frozenset({"IE3N06", "IE3Q04", "IE3Q05", "IE3R02", "IE3R03"})
"""What traders send to customs."""

# --- tables ------------------------------------------------------------------------------------------------------------------------------

_PARTS: Final = ("~",) * 13
_HEAD, _MASTER, _HOUSES, _RECEPTACLES, _ERRORS, _LATE, _DOCUMENTS, _NOTES, _POINTERS, _METHODS, _KEPT, _OWN_HOUSE, _EQUIPMENT = range(13)
_DATES: Final = ("completionDate", "registrationDate", "notificationDate", "documentIssueDate")
_PARTIES: Final = ("declarant", "representative", "carrier")


def _document(spaces: tuple[str, ...], part: int, opens: int = -1) -> xml.Shape:
    return shape(spaces, {"documentNumber": (part, "number"), "type": (part, "type")}, opens=opens)


@lru_cache(maxsize=xml.SPELLINGS)
def _scope(spaces: tuple[str, ...]) -> xml.Shape:
    """Return the table of ``assessmentComplete`` and ``doNotLoadDetails``."""
    bag = shape(spaces, {"receptacleIdentificationNumber": (_RECEPTACLES, "number")}, opens=_RECEPTACLES)
    house = _document(spaces, _HOUSES, _HOUSES)
    inner = {"receptacle": bag, "transportDocument": house, "transportDocumentHouse": house, "transportDocumentHouseLevel": house}
    inner["transportEquipment"] = shape(spaces, {"containerIdentificationNumber": (_EQUIPMENT, "number")}, opens=_EQUIPMENT)
    return shape(spaces, {}, inner)


@lru_cache(maxsize=xml.SPELLINGS)
def _referral(spaces: tuple[str, ...]) -> xml.Shape:
    """Return the table of one ``referralRequestDetails``."""
    note = {"code": (_NOTES, "code"), "text": (_NOTES, "text"), "type": (_NOTES, "type")}
    inner = {
        "transportDocumentHouse": _document(spaces, _OWN_HOUSE),
        "transportDocumentHouseLevel": _document(spaces, _OWN_HOUSE),
        "transportDocumentMaster": _document(spaces, _MASTER),
        "supportingDocuments": shape(spaces, {"referenceNumber": (_DOCUMENTS, "number"), "type": (_DOCUMENTS, "type")}, opens=_DOCUMENTS),
        "additionalInformation": shape(spaces, note, opens=_NOTES),
        "pointer": shape(spaces, {"messageElementPath": (_POINTERS, "path")}, opens=_POINTERS),
        "recommendedHRCMScreeningMethod": shape(spaces, {"method": (_METHODS, "method")}, opens=_METHODS),
    }
    return shape(spaces, {"referralRequestReference": (_HEAD, "reference"), "requestType": (_HEAD, "type")}, inner)


@lru_cache(maxsize=xml.SPELLINGS)
def _message(spaces: tuple[str, ...]) -> xml.Shape:
    """Return the table of a whole message but its referrals."""
    error = {name: (_ERRORS, name) for name in ("technicalErrorMessage", "description", "validationCode")}
    inner = {
        "transportDocument": _document(spaces, _MASTER),
        "transportDocumentMasterLevel": _document(spaces, _MASTER),
        "transportDocumentHouse": _document(spaces, _HOUSES, _HOUSES),
        "transportDocumentHouseLevel": _document(spaces, _HOUSES, _HOUSES),
        "assessmentComplete": _scope(spaces),
        "doNotLoadDetails": _scope(spaces),
        "customsOfficeOfFirstEntry": shape(spaces, {"referenceNumber": (_KEPT, "customsOfficeOfFirstEntry")}),
        "addressedMemberState": shape(spaces, {"country": (_HEAD, "addressed")}),
        "responsibleMemberState": shape(spaces, {"country": (_HEAD, "responsible")}),
        "supplementaryDeclarant": shape(spaces, {"identificationNumber": (_LATE, "number")}, opens=_LATE),
        "error": shape(spaces, error, {"pointer": shape(spaces, {"messageElementPath": (_ERRORS, "path")})}, opens=_ERRORS),
    }
    leaves = {name: (_HEAD, name) for name in (*_DATES, "LRN", "MRN", "functionalReference")}
    leaves["SpecificCircumstanceIndicator"] = (_KEPT, "SpecificCircumstanceIndicator")
    for party in _PARTIES:
        inner[party] = shape(spaces, {"identificationNumber": (_KEPT, party)}, left=("name", "address", "communication", "status"))
    return shape(spaces, leaves, inner, left=("referralRequestDetails",))


# --- reading -----------------------------------------------------------------------------------------------------------------------------


def recognise(sketch: Sketch) -> Likeness:
    """An XML document whose root is a message of customs to traders."""
    if sketch.kind != "xml":
        return UNLIKE
    if not _ROOT(sketch.root) or sketch.root in _OURS:
        return Likeness(0.2, f"XML, but its root is {sketch.root or 'unreadable'} and no answer of ICS2")
    if sketch.namespace and not sketch.namespace.startswith(ics2.ZONED):
        return Likeness(0.8, f"root {sketch.root}, but in the namespace {sketch.namespace}")
    return Likeness(1.0, f"root {sketch.root}")


class _Said(NamedTuple):
    """A message: what it says as a whole."""

    document: Document
    record: xml.Record
    head: MessageHead
    at: datetime | None
    raw: RawMessage


class _About(NamedTuple):
    """What one answer is about: its key, how far it reaches, what tells it from the others of the message."""

    key: str
    level: str | None
    mark: str
    extra: Mapping[str, str]


_KNOWN: Final = Outlines(prepare=ics2.flatten)


def parse(raw: RawMessage, dialect: Dialect) -> Parsed:
    """Read a message. Raises :class:`shared.errors.MalformedMessage` when it is refused as a whole."""
    document = customs_xml.open_document(raw, dialect, _KNOWN)
    if not _ROOT(document.name):
        raise xml.malformed("MSG-SYNTAX", f"The document element is {document.name}, no answer of ICS2.", path=document.name)
    record = xml.walk(document.root, _message(document.spaces), len(_PARTS))
    item = Item(document.name, PATHS, dialect, element=document.root, source=document.source)
    if document.namespace not in (NAMESPACE, ""):
        item.note("MSG-VERSION", value=document.namespace[:100])
    misfits(record, _PARTS, item)
    said = record.parts[_HEAD]
    issued = next((said[name] for name in _DATES if name in said), None)
    if issued is None:
        item.note("FLD-WANTED", "/issued_at")
    at = None if issued is None else checks.moment(issued, item, "/issued_at")
    number = said.get("MRN") or said.get("LRN") or said.get("functionalReference")
    identity = f"{document.name}/{number[:40]}/{issued}"[:100] if number and issued else message_id_of(raw.body)
    whole = _Said(document, record, MessageHead(NAME, identity, at), at, raw)
    details = customs_xml.children(document.root, "referralRequestDetails", document.spaces)
    if len(details) + len(record.lists[_HOUSES]) + len(record.lists[_RECEPTACLES]) > ITEM_LIMIT:
        raise xml.malformed("MSG-ITEMS", path=document.name)
    answers = _referrals(whole, details, item) if details else _answers(whole, item)
    return Parsed(whole.head, answers, max(len(details), len(record.lists[_HOUSES]) + len(record.lists[_RECEPTACLES]), 1))


def _filer(whole: _Said) -> str:
    kept = whole.record.parts[_KEPT]
    return kept.get("declarant") or kept.get("representative") or kept.get("carrier") or ""


def _authority(whole: _Said) -> str:
    said = whole.record.parts[_HEAD]
    return said.get("responsible") or said.get("addressed") or ""


def _whole_filing(whole: _Said, item: Item) -> _About | None:
    """Return what a message is about that names no house: filing, master document, or nothing."""
    said = whole.record.parts[_HEAD]
    own = said.get("LRN") or said.get("functionalReference")
    number = said.get("MRN")
    if number is not None:
        number = checks.identifier(number, mrn.problem(number), mrn.normalise(number), "/key", item)
    if own is not None:
        return _About(f"lrn:{own}", None, "", {"MRN": number or ""})
    if number is not None:
        return _About(f"mrn:{number}", None, "", {})
    master = whole.record.parts[_MASTER].get("number")
    return None if master is None else _About(f"master:{_waybill(master)}", "master", "", {})


def _waybill(said: str) -> str:
    return said if air_waybill.problem(said) else air_waybill.normalise(said)


def _house(house: str, whole: _Said, item: Item, whole_filing: Callable[[], _About | None]) -> _About | None:
    """Return what a message about one house is about."""
    key = house_key(house, _filer(whole), item.dialect)
    if key is not None:
        return _About(key, "house", house, {"MRN": whole.record.parts[_HEAD].get("MRN", "")})
    filing = whole_filing()
    return None if filing is None else filing._replace(level="house", mark=house, extra={"house_transport_document_id": house})


def _answers(whole: _Said, item: Item) -> Iterator[Answer | Rejection]:
    """Yield an answer for each house and receptacle named, or one about the whole."""
    record = whole.record
    whole_filing = cache(partial(_whole_filing, whole, item))
    abouts: list[_About | None] = []
    for house in record.lists[_HOUSES]:
        if "number" in house:
            abouts.append(_house(house["number"], whole, item, whole_filing))
    for bag in record.lists[_RECEPTACLES]:
        if "number" in bag:
            number = bag["number"].replace(" ", "").upper()
            abouts.append(_About(f"receptacle:{number}", "receptacle", number, {"MRN": record.parts[_HEAD].get("MRN", "")}))
    notes, requested, extra = _errors(record)
    if record.lists[_EQUIPMENT] and not abouts:
        filing = whole_filing()
        named = " ".join(each.get("number", "") for each in record.lists[_EQUIPMENT])
        abouts.append(filing and filing._replace(level="pieces", mark="equipment", extra={**filing.extra, "transportEquipment": named}))
    for about in abouts or [whole_filing()]:
        yield _answer(whole, about, item, whole.document.name, notes=notes, requested=requested, extra=extra)


def _answer(
    whole: _Said,
    about: _About | None,
    item: Item,
    code: str,
    *,
    notes: list[str],
    requested: list[str],
    extra: Mapping[str, str],
    referral: str | None = None,
) -> Answer | Rejection:
    if about is None:
        item.note("FLD-KEY", "/key", remedy="Name the filing (MRN, LRN) or the transport document.")
        return reject(item, whole.head, whole.raw)
    record = whole.record
    kept = {**record.parts[_KEPT], **extra, **about.extra}
    master = record.parts[_MASTER].get("number")
    if master is not None and about.level != "master":
        kept["master_transport_document_id"] = _waybill(master)
    mark = "/".join(part for part in (referral, about.mark) if part)
    number = about.extra.get("MRN") or record.parts[_HEAD].get("MRN")
    return answer(
        item,
        whole.head,
        whole.raw,
        meaning("ics2", code, item.dialect),
        identity=f"{whole.head.message_id}/{mark}" if mark else whole.head.message_id,
        key=about.key,
        code=whole.document.name,
        at=whole.at,
        authority=_authority(whole),
        level=about.level,
        notes=notes,
        reference=mrn.normalise(number)[:35] if number else None,
        referral=referral,
        requested=requested,
        extra=kept,
    )


def _errors(record: xml.Record) -> tuple[list[str], list[str], dict[str, str]]:
    """Return notes, elements pointed at and what is kept of errors and of declarants who are late."""
    notes, requested, extra = [], [], {}
    for number, error in enumerate(record.lists[_ERRORS], 1):
        code, path = error.get("validationCode", ""), error.get("path", "")
        text = error.get("description") or error.get("technicalErrorMessage") or ""
        notes.append(f"{code} {text}".strip())
        if number <= 100:
            extra[f"error[{number}]"] = " ".join(part for part in (code, path, text) if part)
        if path:
            requested.append(dataset_path(path))
    late = [each["number"] for each in record.lists[_LATE] if "number" in each]
    if late:
        extra["supplementaryDeclarant"] = " ".join(late)
    return notes, requested, extra


def _referrals(whole: _Said, details: list[xml.Element], shared: Item) -> Iterator[Answer | Rejection]:
    """Yield an answer for each referral; its house, else its master, else the filing is its key."""
    table = _referral(whole.document.spaces)
    for number, element in enumerate(details, 1):
        item = shared.another(f"referralRequestDetails[{number}]", element)
        try:
            record = xml.walk(element, table, len(_PARTS))
        except MalformedMessage as exc:
            item.note(exc.finding_code, at=item.position, message=str(exc))
            yield reject(item, whole.head, whole.raw)
            continue
        misfits(record, _PARTS, item)
        yield _one_referral(whole, record, item)


def _one_referral(whole: _Said, record: xml.Record, item: Item) -> Answer | Rejection:
    said = record.parts[_HEAD]
    house, master = record.parts[_OWN_HOUSE].get("number"), record.parts[_MASTER].get("number")
    if house is None:
        named = [each["number"] for each in whole.record.lists[_HOUSES] if "number" in each]
        house = named[0] if len(named) == 1 else None
    if house is not None:
        about = _house(house, whole, item, partial(_whole_filing, whole, item))
    elif master is not None:
        about = _About(f"master:{_waybill(master)}", "master", "", {"MRN": whole.record.parts[_HEAD].get("MRN", "")})
    else:
        about = _whole_filing(whole, item)
    if "reference" not in said:
        item.note("FLD-WANTED", at=f"{item.position}/referralRequestReference")
    requested = [dataset_path(each["path"]) for each in record.lists[_POINTERS] if "path" in each]
    extra = {"requestType": said.get("type", "")}
    for number, note in enumerate(record.lists[_NOTES], 1):
        extra[f"additionalInformation[{number}]"] = "/".join(note.get(name, "") for name in ("type", "code", "text"))
    extra["recommendedScreeningMethods"] = " ".join(each["method"] for each in record.lists[_METHODS] if "method" in each)
    documents = [f"/documents/{each['type'].removeprefix('N')}" for each in record.lists[_DOCUMENTS] if "type" in each]
    name = whole.document.name
    return _answer(
        whole,
        about,
        item,
        f"{name}+documents" if documents and name == "IE3Q02" else name,
        notes=[note["text"] for note in record.lists[_NOTES] if "text" in note],
        requested=[*requested, *documents],
        extra=extra,
        referral=said.get("reference", "")[:35] or None,
    )


_STEP = re.compile(r"\[([0-9]+)\]")
_DATASET: Final = {
    leaf: path for table in (ics2.paths("postalValue"), ics2.paths()) for path, leaf in table.items() if path[:7] != "/extra/"
}


def dataset_path(pointer: str) -> str:
    """Return the dataset path of an element that customs point at, or the pointer itself where the dataset has none.

    >>> dataset_path("IE3F32/consignmentMasterLevel/consignmentHouseLevel[1]/consignee/address/postCode")
    '/consignee/postcode'
    >>> dataset_path("/IE3F43/consignmentMasterLevel/consignmentHouseLevel[4]/goodsItem[2]/commodity/descriptionOfGoods")
    '/goods_items/1/goods_description'
    """
    house = re.split(r"consignmentHouseLevel(?:\[[0-9]+\])?/", pointer)[-1]
    line = re.match(r"goodsItem(?:\[([0-9]{1,5})\])?", house)
    plain = _STEP.sub("", house)
    if line:
        found = _DATASET.get(plain.replace("goodsItem", "goodsItem[*]", 1))
        return pointer if found is None else found.replace("*", str(max(int(line[1] or 1) - 1, 0)))
    return _DATASET.get(plain, pointer)


# --- writing -----------------------------------------------------------------------------------------------------------------------------

_REJECTED: Final = TYPE_OF[FilingRejected]
_RULES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "postCode": "C3034",
        "street": "R3002",
        "poBox": "R3002",
        "identificationNumber": "R3005",
        "identifier": "R3006",
        "goodsItemNumber": "R3017",
    }
)
"""Element → the rule or condition of ICS2 that an error about it breaks."""
_NUMBER = re.compile(rb"<(?:[\w.-]{1,40}:)?([LM]RN)(?:\s[^>]{0,200})?>\s*([A-Za-z0-9]{1,35})\s*<")
_NAMED = re.compile(rb"<(?:[\w.-]{1,40}:)?(IE3[A-Z][0-9]{2})[\s>]")
_HEAD_BYTES: Final = 65_536


def acknowledge(received: Received, dialect: Dialect) -> bytes | None:
    """Return the IE3N99 that answers *received*, when nothing of it was taken; else None, since ICS2 has no word for a mere receipt."""
    if not received.refusal and not (received.taken and all(each.refused for each in received.taken)):
        return None
    head = received.raw.body[:_HEAD_BYTES]
    number, root = _NUMBER.search(head), _NAMED.search(head)
    findings = [*received.refusal, *(made for each in received.taken for made in each.findings)]
    return _errors_of(number and number[2].decode(), received.raw.received_at, findings, root[1].decode() if root else "")


def render(notices: Sequence[Notice], dialect: Dialect) -> bytes:
    """Write the rejections among *notices* as one IE3N99; the same notices always give the same bytes. No bytes where there is none."""
    rejected = [notice for notice in notices if notice.type == _REJECTED]
    if not rejected:
        return b""
    findings = [made for notice in rejected for made in notice.findings or ()]
    number = (rejected[0].message_id or "").partition("/")[0]
    return _errors_of(number if lrn.problem(number) is None or mrn.problem(number) is None else None, rejected[0].at, findings)


def _errors_of(number: str | None, at: datetime, findings: Iterable[Finding], root: str = "") -> bytes:
    errors = [made for made in findings if made.severity is Severity.ERROR]
    parts = [
        leaf("functionalReference", number),
        leaf("notificationDate", f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"),
        *(_error(made, root) for made in dict.fromkeys(errors)),
    ]
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<IE3N99 xmlns="{NAMESPACE}">{"".join(parts)}</IE3N99>\n'.encode()


def _error(made: Finding, root: str) -> str:
    place = _place(made.sender_path or "", root)
    rule = _RULES.get(place.rpartition("/")[2])
    return group(
        "error",
        leaf("description", f"{made.code}: {made.message} {made.remedy} {made.place}".strip()[:512]),
        leaf("validationCode", rule or error_code(made.code)),
        group("pointer", leaf("messageElementPath", place[:512] or None)),
    )


def _place(path: str, root: str) -> str:
    """Return *path* from the root on, without steps upwards.

    >>> _place("consignmentMasterLevel/consignmentHouseLevel[1]/../../declarant", "IE3F32")
    'IE3F32/declarant'
    """
    if not path:
        return root
    return normpath(path if not root or path.startswith(root) else f"{root}/{path}")
