"""Notifications of the UK customs declaration service (DMS): what became of a declaration.

One message has one ``Response`` or several; each becomes an answer, keyed ``lrn:`` and the declaration's own reference (else ``mrn:``).
The meaning of function codes is data (system ``cds`` of ``decisions.csv``); code 11 is told apart by its status (39 granted, 41 denied).
Code 52 detains; it ends a detention only where the dialect's code map names the status that says so (``{"cds": {"52/<status>": "52/U"}}``).
Delivery is unordered: ``IssueDateTime`` orders answers. An error points into the declaration by sections and tags of the WCO data model; it
is kept as ``42A/67A/68A[1]``.

Written to whoever declares in this way: that his declaration came in (02) or was not taken (03), each error with its text, its section and
the number of the goods item; and what was decided, by the first code of the table that says it. No MRN is written, because only the
customs that register a declaration give one; nor is its acceptance in law (01), nor that it is closed (09).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from types import MappingProxyType
from typing import Final, NamedTuple
from uuid import UUID

from shared.codes import decisions
from shared.contracts import TYPE_OF, Answer, ConsignmentAccepted, DecisionMade, Notice, Outcome, derived_id
from shared.errors import MalformedMessage
from shared.formats import checks, cusres, customs_xml, xml
from shared.formats.base import ITEM_LIMIT, UNLIKE, Certainty, Likeness, Parsed, Received, Sketch, Taken
from shared.formats.customs_answers import answer, meaning
from shared.formats.customs_xml import misfits, shape
from shared.formats.edifact_answers import error_code
from shared.formats.filings import Item, message_id_of, reject
from shared.formats.outlines import Outlines
from shared.formats.places import Source
from shared.formats.xml_writing import group, leaf
from shared.identifiers import mrn
from shared.model import Dialect, Finding, MessageHead, RawMessage, Rejection, Severity

NAME: Final = "uk-notification"
TITLE: Final = "UK customs declaration service notifications (DMS)"
CONTENT_TYPES: Final = customs_xml.CONTENT_TYPES
VERSIONS: Final[tuple[str, ...]] = ("3.6",)
SOURCE: Final = "public declaration stub and schemas of the UK customs declaration service"
CERTAINTY: Final[Certainty] = "published"
PATHS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "/key": "Declaration/FunctionalReferenceID",
        "/reference": "Declaration/ID",
        "/raw_code": "FunctionCode",
        "/issued_at": "IssueDateTime/DateTimeString",
    }
)
META: Final = "urn:wco:datamodel:WCO:DocumentMetaData-DMS:"
RESPONSE: Final = "urn:wco:datamodel:WCO:RES-DMS:2"
TIMES: Final = "urn:wco:datamodel:WCO:Response_DS:DMS:2"
_PARTS: Final = ("~",) * 6
_HEAD, _ERRORS, _NOTES, _STATUS, _TAXES, _DECLARATION = range(6)
_STAMP: Final = re.compile(r"([0-9]{14})(Z|[+-][0-9]{2}(?::?[0-9]{2})?)?").fullmatch


def recognise(sketch: Sketch) -> Likeness:
    """A ``MetaData`` of the declaration service around a ``Response``, or a ``Response`` alone."""
    if sketch.kind != "xml":
        return UNLIKE
    if sketch.root == "Response" and "RES-DMS" in sketch.namespace:
        return Likeness(1.0, "a Response of the declaration service")
    if sketch.root == "MetaData" and "Response" in sketch.keys:
        return Likeness(1.0 if sketch.namespace.startswith(META) else 0.8, "MetaData around a Response")
    if sketch.root in ("MetaData", "Response"):
        return Likeness(0.3, f"root {sketch.root}, but no Response of the declaration service in sight")
    return Likeness(0.2, f"XML, but its root is {sketch.root or 'unreadable'} and not MetaData")


@lru_cache(maxsize=xml.SPELLINGS)
def _shape(spaces: tuple[str, ...]) -> xml.Shape:
    stamp = shape(spaces, {"DateTimeString": (_HEAD, "issued")})
    accepted = shape(spaces, {"DateTimeString": (_DECLARATION, "accepted")})
    pointer = shape(
        spaces,
        {"SequenceNumeric": (_ERRORS, "~sequence"), "DocumentSectionCode": (_ERRORS, "~section"), "TagID": (_ERRORS, "~tag")},
    )
    declaration = {"FunctionalReferenceID": (_DECLARATION, "own"), "ID": (_DECLARATION, "mrn"), "VersionID": (_DECLARATION, "version")}
    note = {"StatementCode": (_NOTES, "code"), "StatementDescription": (_NOTES, "text"), "StatementTypeCode": (_NOTES, "type")}
    error = {"ValidationCode": (_ERRORS, "code"), "Description": (_ERRORS, "text")}
    inner = {
        "IssueDateTime": stamp,
        "Error": shape(spaces, error, {"Pointer": pointer}, opens=_ERRORS),
        "AdditionalInformation": shape(spaces, note, opens=_NOTES, left=("Pointer",)),
        "Status": shape(spaces, {"NameCode": (_STATUS, "name")}, opens=_STATUS, left=("EffectiveDateTime", "ReleaseDateTime")),
        "Declaration": shape(spaces, declaration, {"AcceptanceDateTime": accepted}, left=("GoodsShipment", "Submitter", "Declarant")),
    }
    head = {"FunctionCode": (_HEAD, "function"), "FunctionalReferenceID": (_HEAD, "id")}
    return shape(spaces, head, inner)


_KNOWN: Final = Outlines("Response")


def parse(raw: RawMessage, dialect: Dialect) -> Parsed:
    """Read a message. Raises :class:`shared.errors.MalformedMessage` when it is refused as a whole."""
    document = customs_xml.open_document(raw, dialect, _KNOWN)
    if document.name not in ("MetaData", "Response"):
        raise xml.malformed("MSG-SYNTAX", f"The document element is {document.name}, not MetaData.", path=document.name)
    responses: list[xml.Element] = [document.root] if document.name == "Response" else list(document.root.iterchildren("{*}Response"))
    if not responses:
        raise xml.malformed("MSG-NO-ITEMS", "The message holds no Response: it is no notification.", path="Response")
    if len(responses) > ITEM_LIMIT:
        raise xml.malformed("MSG-ITEMS", path="Response", value=str(len(responses)))
    head = MessageHead(NAME, message_id_of(raw.body))
    return Parsed(head, _each(responses, document.source, head, raw, dialect), len(responses))


@lru_cache(maxsize=xml.SPELLINGS)
def _spaces(tag: str) -> tuple[str, ...]:
    """The namespace of the response, that of its times (whatever prefix stands for it), and none."""
    return tuple(dict.fromkeys((tag.rpartition("}")[0][1:], RESPONSE, TIMES, "")))


def _each(
    responses: list[xml.Element], source: Source, head: MessageHead, raw: RawMessage, dialect: Dialect
) -> Iterator[Answer | Rejection]:
    for place, element in enumerate(responses, 1):
        item = Item(f"Response[{place}]", PATHS, dialect, element=element, source=source)
        try:
            record = xml.walk(element, _shape(_spaces(str(element.tag))), len(_PARTS))
        except MalformedMessage as exc:
            item.note(exc.finding_code, at=item.position, message=str(exc))
            yield reject(item, head, raw)
            continue
        if record.unknown or any(name[0] != "~" for _, _, name in record.repeated):
            misfits(record._replace(repeated=[each for each in record.repeated if each[2][0] != "~"]), _PARTS, item)
        yield _answer(element, record, item, head, raw)


def _answer(element: xml.Element, record: xml.Record, item: Item, head: MessageHead, raw: RawMessage) -> Answer | Rejection:
    said, declaration = record.parts[_HEAD], record.parts[_DECLARATION]
    code = said.get("function")
    if code is None:
        item.note("FLD-MISSING", "/raw_code")
    own, number = declaration.get("own"), declaration.get("mrn")
    if number is not None:
        number = checks.identifier(number, mrn.problem(number), mrn.normalise(number), "/reference", item)
    if own is None and number is None:
        item.note("FLD-KEY", "/key", remedy="Name the declaration by its own reference or its MRN.")
    if item.refused:
        return reject(item, head, raw)
    names = [each["name"] for each in record.lists[_STATUS] if "name" in each]
    texts = [each["text"] for each in record.lists[_NOTES] if "text" in each]
    errors = _errors(element)
    at = _issued(said.get("issued"), item)
    native = code or ""
    says = meaning("cds", _code(native, names, item.dialect), item.dialect)
    return answer(
        item,
        head,
        raw,
        says,
        identity=said.get("id") or f"{own or number}/{native}/{said.get('issued', '')}",
        key=f"lrn:{own}" if own is not None else f"mrn:{number}",
        code="/".join([native, *names[:1]]),
        at=at,
        authority="GB",
        notes=[*([says.text] if native == "11" else []), *texts, *errors],
        reference=number[:35] if number else None,
        extra=_kept(record, errors, names, number),
    )


def _code(native: str, names: list[str], dialect: Dialect) -> str:
    """Return the code as the table has it: two digits, with the status where the table or the dialect knows it."""
    code = f"{native:0>2}" if native.isdecimal() else native
    own = dialect.code_maps.get("cds", {})
    if code in own:
        return code
    for name in names:
        if f"{code}/{name}" in own or (code == "11" and name in ("39", "41")):
            return f"{code}/{name}"
    return code


def _errors(element: xml.Element) -> list[str]:
    """Return each error as its code and the place it points at: sections, a tag, sequence numbers."""
    found = []
    for error in element.iterchildren("{*}Error"):
        code = next((child.text or "" for child in error.iterchildren("{*}ValidationCode")), "")
        steps = []
        for pointer in error.iterchildren("{*}Pointer"):
            said = {str(child.tag).rpartition("}")[2]: (child.text or "").strip() for child in pointer}
            step = "/".join(part for part in (said.get("DocumentSectionCode"), said.get("TagID")) if part)
            steps.append(step + (f"[{said['SequenceNumeric']}]" if said.get("SequenceNumeric") else ""))
        found.append(" ".join(part for part in (code.strip(), "/".join(step for step in steps if step)) if part))
    return [each for each in found if each]


def _kept(record: xml.Record, errors: list[str], names: list[str], number: str | None) -> dict[str, str]:
    declaration = record.parts[_DECLARATION]
    extra = {f"error[{place}]": text for place, text in enumerate(errors[:100], 1)}
    for place, note in enumerate(record.lists[_NOTES][:100], 1):
        extra[f"AdditionalInformation[{place}]"] = "/".join(note.get(name, "") for name in ("type", "code", "text")).strip("/")
    extra |= {"MRN": number or "", "VersionID": declaration.get("version", ""), "status": " ".join(names)}
    accepted = declaration.get("accepted")
    return extra | {"AcceptanceDateTime": accepted or ""}


def _issued(said: str | None, item: Item) -> datetime | None:
    """Return the time of issue: ``yyyyMMddHHmmss`` and a zone, or ISO 8601."""
    if said is None:
        item.note("FLD-WANTED", "/issued_at")
        return None
    found = _STAMP(said)
    if found is None:
        return checks.moment(said, item, "/issued_at")
    try:
        zone = "Z" if found[2] in (None, "Z") else found[2].replace(":", "").ljust(5, "0")
        return datetime.fromisoformat(f"{found[1][:8]}T{found[1][8:]}{zone}")
    except ValueError:
        item.note("FLD-DROPPED", "/issued_at", said)
        return None


# --- writing -----------------------------------------------------------------------------------------------------------------------------

_TOLD: Final = frozenset({TYPE_OF[ConsignmentAccepted], TYPE_OF[DecisionMade]})
_OPENING: Final = (
    f'<?xml version="1.0" encoding="UTF-8"?>\n<md:MetaData xmlns:md="{META}2"><md:WCODataModelVersionCode>3.6</md:WCODataModelVersionCode>'
    "<md:WCOTypeName>RES</md:WCOTypeName>"
)
_SECTIONS: Final = {"Declaration": "42A", "GoodsShipment": "67A", "GovernmentAgencyGoodsItem": "68A"}
_STEP: Final = re.compile(r"([A-Za-z]+)(?:\[([0-9]{1,5})\])?").fullmatch
_DECLARATION_NUMBER: Final = re.compile(r"Declaration\[([0-9]{1,5})\]").match


class _Response(NamedTuple):
    """One ``Response``: its own id, the code, when, about which declaration, the reasons in words, the errors."""

    id: UUID
    code: str
    at: datetime
    own: str
    texts: Iterable[str] = ()
    errors: Iterable[Finding] = ()


def acknowledge(received: Received, dialect: Dialect) -> bytes | None:
    """Return the notifications that answer *received*: 02 or 03 for each of its declarations.

    None for declarations of another kind than the service's, and where none can be named.
    """
    try:
        root = xml.parse(received.raw.body, dialect.encoding)
    except MalformedMessage:
        return None
    if "-DMS:" not in str(root.tag):
        return None
    taken = {found[1]: each for each in received.taken if (found := _DECLARATION_NUMBER(each.position or ""))}
    nothing = Taken(None, None, True, received.refusal)
    responses = []
    declarations = [root] if str(root.tag).endswith("}Declaration") else root.iterchildren("{*}Declaration")
    for number, element in enumerate(declarations, 1):
        own = next((child.text.strip() for child in element.iterchildren("{*}FunctionalReferenceID") if child.text), "")
        outcome = taken.get(str(number), nothing if received.refusal else None)
        if own and outcome is not None:
            errors = [made for made in outcome.findings if made.severity is Severity.ERROR] if outcome.refused else []
            code = decisions.code_of("cds", "REJECTED" if outcome.refused else "RECEIVED") or ""
            responses.append(_Response(derived_id(received.id, number), code, received.raw.received_at, own, (), errors))
    return _message(responses) if responses else None


def render(notices: Sequence[Notice], dialect: Dialect) -> bytes:
    """Write the decisions among *notices*, a ``Response`` each; the same notices always give the same bytes.

    What names no declaration by its own reference is left out, as is a hold that only waits for an answer: nobody detains the goods.
    Where nothing is left there are no bytes.
    """
    responses = []
    for notice in notices:
        own = _own_reference(notice)
        word = cusres.neutral(notice)
        code = decisions.code_of("cds", "RECEIVED" if word == "ACCEPTED" else word)
        waits = notice.outcome is Outcome.HOLD and {reason.public for reason in notice.reasons} == {"no_answer"}
        if own is not None and code is not None and notice.type in _TOLD and not waits:
            texts = dict.fromkeys(reason.public.replace("_", " ") for reason in notice.reasons)
            asked = (f"requested: {path}" for path in notice.referred or ())
            responses.append(_Response(notice.notice_id, code, notice.at, own, [*texts, *asked]))
    return _message(responses) if responses else b""


def _own_reference(notice: Notice) -> str | None:
    references = (notice.filing.references if notice.filing is not None else None) or ()
    return next((each.removeprefix("lrn:") for each in references if each.startswith("lrn:")), None)


def _message(responses: Iterable[_Response]) -> bytes:
    return "".join([_OPENING, *(_written(each) for each in responses), "</md:MetaData>\n"]).encode()


def _written(response: _Response) -> str:
    at = f"{response.at.astimezone(UTC):%Y%m%d%H%M%SZ}"
    errors = list(response.errors)
    texts = [*response.texts, *(f"{made.code}: {made.message} {made.remedy} {made.where}".strip() for made in errors)]
    parts = [
        leaf("FunctionCode", response.code),
        leaf("FunctionalReferenceID", response.id.hex),
        f'<IssueDateTime><ds:DateTimeString xmlns:ds="{TIMES}" formatCode="304">{at}</ds:DateTimeString></IssueDateTime>',
        *(group("AdditionalInformation", leaf("StatementDescription", each[:512])) for each in texts),
        *(group("Error", leaf("ValidationCode", error_code(made.code)), *_pointers(made.sender_path or "")) for made in errors),
        group("Declaration", leaf("FunctionalReferenceID", response.own)),
    ]
    return f'<Response xmlns="{RESPONSE}">{"".join(parts)}</Response>'


def _pointers(path: str) -> Iterator[str]:
    """Yield the sections of the data model that *path* leads through, as far as the hub knows their codes."""
    for step in path.split("/"):
        found = _STEP(step)
        section = _SECTIONS.get(found[1]) if found else None
        if found is not None and section is not None:
            number = found[2] if section == "68A" else None
            yield group("Pointer", leaf("SequenceNumeric", number), leaf("DocumentSectionCode", section))
