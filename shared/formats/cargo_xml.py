"""IATA Cargo-XML: what all its messages share. Root and header, tables by qualified name, masses with their unit, the customs note.

Names are matched by namespace and local name, never by prefix; the data-model namespace may stand on the root, on each leaf, or nowhere.
Another version of a message's namespace is read as the one known and marked. The header's ``PurposeCode`` says what becomes of the
document: ``Creation``, ``Update`` (the whole document again, no delta), ``Deletion``, or their numbers (2, 5, 3; the dialect's code map
``purpose`` may know more). The message id is the header's ``ID``. Times without offset are read in the dialect's zone, with a note.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final, NamedTuple

from shared.codes.units import unit_code
from shared.formats import checks, values, xml, xml_writing
from shared.formats.base import UNLIKE, Envelope, Likeness, Sketch
from shared.formats.filings import Item, message_id_of
from shared.formats.outlines import Outlines
from shared.formats.places import Source
from shared.formats.xml_places import Tree
from shared.identifiers import air_waybill
from shared.model import Dialect, MessageHead, RawMessage
from shared.model.filing import Function

CONTENT_TYPES: Final[tuple[str, ...]] = ("application/xml", "text/xml")
SOURCE: Final = "IATA Cargo-XML by published samples and the Transport Canada PACT implementation guide"
DATA: Final = "iata:datamodel:3"
"""Namespace of everything below the top-level groups."""
HEAD: Final = 0
"""The part that holds the header of every message."""

LISTS: Final = ("HandlingSPHInstructions", "HandlingSSRInstructions", "HandlingOSIInstructions")
"""Groups of handling codes and instructions, kept beside the dataset."""

PURPOSES: Final[Mapping[str, Function]] = {
    "creation": "original",
    "update": "replace",
    "deletion": "cancel",
    "2": "original",
    "5": "replace",
    "3": "cancel",
    "9": "original",
    "1": "cancel",
}
_WORDS: Final[Mapping[Function, str]] = {"original": "Creation", "replace": "Update", "cancel": "Deletion"}

_HEADER: Final = {
    "ID": "id",
    "IssueDateTime": "issued",
    "PurposeCode": "purpose",
    "VersionID": "version",
    "ConversationID": "conversation",
    "TypeCode": "type",
    "Name": "name",
}
HEADER_PATHS: Final = {
    "/message_id": "MessageHeaderDocument/ID",
    "/prepared_at": "MessageHeaderDocument/IssueDateTime",
    "/function": "MessageHeaderDocument/PurposeCode",
    "/extra/ConversationID": "MessageHeaderDocument/ConversationID",
}
"""Provenance of what stands in every header."""


class Profile(NamedTuple):
    """One message of the family. ``family`` is its namespace without the version; ``common`` marks a root that other systems use too."""

    format: str
    root: str
    family: str
    version: str
    title: str
    type_code: str
    versions: tuple[str, ...]
    common: bool = False

    @property
    def namespace(self) -> str:
        return self.family + self.version


class Document(NamedTuple):
    """A message whose bytes are sound XML of the right root. ``spaces`` are the namespaces its elements may be in."""

    root: xml.Element
    namespace: str
    spaces: tuple[str, ...]
    source: Source


# --- reading -----------------------------------------------------------------------------------------------------------------------------


def recognise(profile: Profile, sketch: Sketch) -> Likeness:
    """An XML document with the profile's root, in its namespace (any version); in none where no other system uses such a root."""
    if sketch.kind != "xml":
        return UNLIKE
    if sketch.root != profile.root:
        return Likeness(0.2, f"XML, but its root is {sketch.root or 'unreadable'} and not {profile.root}")
    if sketch.namespace.startswith(profile.family) or not (sketch.namespace or profile.common):
        return Likeness(1.0, f"root {profile.root}")
    return Likeness(0.8, f"root {profile.root}, but in {sketch.namespace or 'no namespace'} and not in {profile.namespace}")


def open_document(profile: Profile, raw: RawMessage, dialect: Dialect, known: Outlines) -> Document:
    """Read *raw* and judge its root; *known* is about documents of this kind. Raises :class:`shared.errors.MalformedMessage`."""
    root, bared = known.read(raw.body, dialect.encoding)
    namespace, _, name = str(root.tag).rpartition("}")
    if name != profile.root:
        raise xml.malformed("MSG-SYNTAX", f"The document element is {name}, not {profile.root}.", path=name)
    namespace = namespace[1:]
    others = [each for each in root.nsmap.values() if each != DATA and each.startswith("iata:datamodel:")]
    spaces = (namespace, DATA, "", *others) if namespace else (DATA, "", *others)
    return Document(root, bared or namespace, spaces, Tree(raw.body, dialect.encoding))


def begin(
    profile: Profile,
    document: Document,
    said: Mapping[str, str],
    raw: RawMessage,
    position: str,
    table: Mapping[str, str],
    dialect: Dialect,
    *,
    answers: bool = False,
) -> tuple[MessageHead, Item]:
    """Return the head of a message and the item of its (first) document, with what was found wrong in the header.

    Of a message that *answers* the purpose does not matter.
    """
    item = Item(position, table, dialect, element=document.root, source=document.source)
    message_id = said.get("id")
    if message_id is None:
        item.note("FLD-WANTED", "/message_id")
        message_id = message_id_of(raw.body)
    elif len(message_id) > 100:
        raise xml.malformed("MSG-HEAD", "The message's ID is longer than 70 characters.", path="MessageHeaderDocument/ID")
    version = said.get("version")
    if (version is not None and version not in profile.versions) or document.namespace not in (profile.namespace, ""):
        item.note("MSG-VERSION", value=f"{document.namespace} {version or ''}".strip()[:100])
    issued = said.get("issued")
    if issued is None:
        item.note("FLD-WANTED", "/prepared_at")
    prepared_at = None if issued is None else checks.moment(issued, item, "/prepared_at")
    function: Function = "original" if answers else _function(said.get("purpose"), item)
    return MessageHead(profile.format, message_id, prepared_at, function), item


def _function(said: str | None, item: Item) -> Function:
    if said is None:
        item.note("FLD-WANTED", "/function")
        return "original"
    word = item.dialect.code_maps.get("purpose", {}).get(said, said).lower()
    function = PURPOSES.get(word)
    if function is None:
        item.note("FLD-CODE", "/function", said)
        return "original"
    return function


def mass(record: dict[str, Any], path: str, item: Item, kept: dict[str, str], keep_as: str, *, mandatory: bool = False) -> None:
    """Bring ``gross_mass_kg`` of *record* into kilograms. What was said in another unit stays in *kept* under *keep_as*."""
    said = record.get("gross_mass_kg")
    unit = record.pop("gross_mass_kg@", None)
    if said is None:
        if mandatory:
            item.note("FLD-MISSING", path)
        return
    if unit == "KGM":
        canonical = values.mass(said, item.dialect)
        if canonical is not None and canonical[0] != "-" and canonical.strip("0."):
            record["gross_mass_kg"] = canonical
            return
    checks.number(record, "gross_mass_kg", values.mass, path, item, positive="DQ-12")
    if unit is None:
        item.note("UNIT-ASSUMED", path, said)
    elif unit != "KGM":
        code, canonical = unit_code(unit), values.mass(said, item.dialect)
        if code == "LBR" and canonical is not None:
            record["gross_mass_kg"] = values.kilograms_of_pounds(canonical)
            kept[keep_as] = f"{said} {unit}"
        elif code not in ("KGM", "LBR"):
            item.note("FLD-CODE", path, unit)


def count(record: dict[str, Any], field: str, path: str, item: Item, *, mandatory: bool = False) -> None:
    """Read a number of pieces in place; zero is told (``DQ-12``)."""
    said = record.get(field, "")
    if said.isdecimal() and said.isascii() and said[0] != "0" and len(said) < 10:
        return
    checks.number(record, field, _whole, path, item, mandatory=mandatory, positive="DQ-12")


def _whole(text: str, _: Dialect) -> str | None:
    return values.whole_number(text.removesuffix(".0").removesuffix(".00"))


def waybill(said: str | None, path: str, item: Item) -> str | None:
    """Return an air waybill number with its hyphen; a wrong check digit is a warning, another form is kept as sent with one."""
    if said is None:
        return None
    found = air_waybill.problem(said)
    if found is None:
        return air_waybill.normalise(said)
    return checks.identifier(said, found, air_waybill.normalise(said), path, item)


def compare(said: str | None, found: Decimal, path: str, item: Item, where: str, tolerance: Decimal = Decimal(0)) -> None:
    """Tell a control total that differs from what was *found*; it is never repaired.

    *where* is the sender's path of the total, below the item's position, or with a stroke before it from the top of the message.
    """
    if said is None:
        return
    total = Decimal(said)
    if abs(total - found) > max(tolerance, tolerance and abs(total) / 200):
        at = where[1:] if where[0] == "/" else f"{item.position}/{where}"
        told = f"{where.lstrip('/')} says {said}, the lines make {found.normalize():f}."
        item.note("FLD-COUNT", path, said, at=at, message=told)


WEIGHT_TOLERANCE: Final = Decimal("0.5")
"""Kilograms by which two totals may differ (or half a per cent)."""


def notes_kept(notes: Iterable[Mapping[str, str]], kept: dict[str, str]) -> None:
    """Keep customs notes beside the dataset, as ``OCI[1]`` = ``country/subject/content code/content``."""
    for number, note in enumerate(notes, 1):
        fields = [note.get(name, "") for name in ("country", "subject", "code", "text")]
        kept[f"OCI[{number}]"] = "/".join(fields)


def lists(record: xml.Record, extra: dict[str, str]) -> None:
    """Keep handling codes and instructions, a line each."""
    for key, text, _ in record.marked:
        if text:
            extra[key] = f"{extra[key]}\n{text}" if key in extra else text


def kept_parties(parties: Iterable[tuple[Mapping[str, str], str]], kept: dict[str, str]) -> None:
    """Keep what a movement says of parties, which the dataset has no place for there."""
    for party, name in parties:
        for field, value in party.items():
            kept[f"{name}/{field}"] = value


def legs_kept(legs: Sequence[Mapping[str, str]], kept: dict[str, str]) -> None:
    """Keep the legs of transport before the last one, as flight, places and time."""
    for number, leg in enumerate(legs, 1):
        kept[f"SpecifiedLogisticsTransportMovement[{number}]"] = " ".join(
            leg[name] for name in ("flight", "from", "to", "departs") if name in leg
        )


def carried(content: dict[str, Any], leg: Mapping[str, str], item: Item) -> None:
    """Fill flight, carrier, places and times of a movement from one leg of transport."""
    for field, name in (("conveyance_reference", "flight"), ("place_of_loading", "from"), ("place_of_arrival", "to")):
        if name in leg:
            content[field] = leg[name]
    carrier = leg.get("carrier")
    if carrier is not None and len(carrier) <= 17:
        content["carrier_id"] = carrier
    for field, actual, planned in (("departure_at", "departed", "departs"), ("arrival_at", "arrived", "arrives")):
        said = leg.get(actual) or leg.get(planned)
        at = checks.moment(said, item, f"/{field}") if said is not None else None
        if at is not None:
            content[field] = at.isoformat()


@lru_cache(maxsize=1024)
def names(spaces: tuple[str, ...], name: str) -> tuple[str, ...]:
    """Return the qualified names of an element."""
    return tuple(xml.qualified(space, name) for space in spaces)


def master_key(number: str) -> str:
    """``master:<air waybill>``"""
    return f"master:{number}"


def units(document: Document, parent: str, name: str) -> list[xml.Element]:
    """Return the children *name* of the top-level groups *parent*: each is walked on its own."""
    groups = document.root.iterchildren(*names(document.spaces, parent))
    return [unit for group in groups for unit in group.iterchildren(*names(document.spaces, name))]


# --- tables ------------------------------------------------------------------------------------------------------------------------------


class Tables:
    """Builds the walker's tables for elements that may be in any of *spaces*."""

    __slots__ = ("spaces",)

    def __init__(self, spaces: Sequence[str]) -> None:
        self.spaces = spaces

    def shape(
        self,
        leaves: Mapping[str, tuple[int, str]],
        inner: Mapping[str, xml.Shape] | None = None,
        *,
        measured: Mapping[str, tuple[int, str]] | None = None,
        marked: Mapping[str, str] | None = None,
        left: Iterable[str] = (),
        opens: int = -1,
    ) -> xml.Shape:
        """Return one shape. *measured* are leaves with a unit or currency; *left* are elements that are not read."""
        within = dict(inner or {}) | dict.fromkeys(left, xml.LEFT)
        with_unit = {
            name: (part, key, "currencyID" if name.endswith("Amount") else "unitCode") for name, (part, key) in (measured or {}).items()
        }
        return xml.Shape(self._named(leaves), self._named(marked or {}), self._named(within), opens, self._named(with_unit))

    def _named(self, table: Mapping[str, Any]) -> dict[str, Any]:
        return {xml.qualified(space, name): value for space in self.spaces for name, value in table.items()}

    def leaf_of(self, part: int, key: str, name: str = "ID", opens: int = -1, left: Iterable[str] = ()) -> xml.Shape:
        """Return the shape of a group of which one leaf counts."""
        return self.shape({name: (part, key)}, opens=opens, left=left)

    def header(self) -> xml.Shape:
        """Return the shape of ``MessageHeaderDocument``."""
        return self.shape(
            {name: (HEAD, key) for name, key in _HEADER.items()},
            {"SenderParty": self.leaf_of(HEAD, "sender", "PrimaryID"), "RecipientParty": self.leaf_of(HEAD, "recipient", "PrimaryID")},
        )

    def party(self, part: int, loose: int, name: str) -> xml.Shape:
        """Return the shape of a party; what the dataset has no field for goes to *loose* under ``<name>/…``."""
        address = self.shape(
            {
                "PostcodeCode": (part, "postcode"),
                "StreetName": (part, "street_line"),
                "CityName": (part, "city"),
                "CountryID": (part, "country"),
                "CountrySubDivisionName": (part, "country_subdivision"),
                "CountryName": (loose, f"{name}/CountryName"),
                "CountrySubDivisionID": (loose, f"{name}/CountrySubDivisionID"),
                "PostOfficeBox": (loose, f"{name}/PostOfficeBox"),
                "CityID": (loose, f"{name}/CityID"),
            }
        )
        contact = self.shape(
            {"PersonName": (loose, f"{name}/PersonName"), "DepartmentName": (loose, f"{name}/DepartmentName")},
            {
                "DirectTelephoneCommunication": self.leaf_of(part, "phone", "CompleteNumber"),
                "FaxCommunication": self.leaf_of(loose, f"{name}/Fax", "CompleteNumber"),
                "URIEmailCommunication": self.leaf_of(part, "email", "URIID"),
            },
        )
        return self.shape(
            {"Name": (part, "name"), "AccountID": (part, "account_id"), "PrimaryID": (loose, f"{name}/PrimaryID")},
            {"PostalStructuredAddress": address, "DefinedTradeContact": contact},
        )

    def other_party(self, loose: int, name: str) -> xml.Shape:
        """Return the shape of a party that is only kept: forwarder, agent, notify."""
        return self.shape(
            {
                "Name": (loose, f"{name}/Name"),
                "RoleCode": (loose, f"{name}/RoleCode"),
                "CargoAgentID": (loose, f"{name}/CargoAgentID"),
                "AccountID": (loose, f"{name}/AccountID"),
            },
            left=("FreightForwarderAddress", "PostalStructuredAddress", "DefinedTradeContact", "SpecifiedCargoAgentLocation", "Role"),
        )

    def note(self, part: int) -> xml.Shape:
        """Return the shape of ``IncludedCustomsNote``, each in a record of its own."""
        names = {"ContentCode": "code", "Content": "text", "SubjectCode": "subject", "CountryID": "country"}
        return self.shape({name: (part, key) for name, key in names.items()}, opens=part)

    def movement(self, part: int) -> xml.Shape:
        """Return the shape of a leg of transport, each in a record of its own."""
        return self.shape(
            {"StageCode": (part, "stage"), "ModeCode": (part, "mode"), "ID": (part, "flight"), "SequenceNumeric": (part, "sequence")},
            self.means_and_events(part),
            left=("Mode", "UsedLogisticsTransportEquipment", "UtilizedLogisticsTransportEquipment"),
            opens=part,
        )

    def means_and_events(self, part: int) -> dict[str, xml.Shape]:
        """Return the shapes of carrier, departure and arrival within a leg of transport."""
        departure = {
            "ScheduledOccurrenceDateTime": (part, "departs"),
            "DepartureOccurrenceDateTime": (part, "departs"),
            "ActualOccurrenceDateTime": (part, "departed"),
        }
        arrival = {
            "ScheduledOccurrenceDateTime": (part, "arrives"),
            "ArrivalOccurrenceDateTime": (part, "arrives"),
            "ActualOccurrenceDateTime": (part, "arrived"),
        }
        ignored = ("DepartureDateTimeTypeCode", "ArrivalDateTimeTypeCode")
        place = ("Name", "TypeCode")
        return {
            "UsedLogisticsTransportMeans": self.leaf_of(part, "carrier", "Name", left=("ID", "Type")),
            "DepartureEvent": self.shape(departure, {"OccurrenceDepartureLocation": self.leaf_of(part, "from", left=place)}, left=ignored),
            "ArrivalEvent": self.shape(arrival, {"OccurrenceArrivalLocation": self.leaf_of(part, "to", left=place)}, left=ignored),
        }


@lru_cache(maxsize=xml.SPELLINGS)
def tables(spaces: tuple[str, ...]) -> Tables:
    """Return the builder for documents in *spaces*."""
    return Tables(spaces)


def misfits(record: xml.Record, parts: Sequence[str], item: Item, once_more: Iterable[tuple[int, str]] = ()) -> None:
    """What the walk could not place: a field twice (which one is true?), a field nobody knows.

    *parts* names the records of the walk by the dataset path before each, ``~`` for what has none; *once_more* are fields of which the
    last is taken.
    """
    tolerated = frozenset(once_more)
    for part, number, name in record.repeated:
        prefix = parts[part]
        if prefix == "~":
            continue
        path = f"{prefix[:-1]}{number - 1}/{name}" if prefix.endswith("*") else f"{prefix}/{name}"
        item.note("FLD-AGAIN" if (part, name) in tolerated else "FLD-REPEATED", path)
    for name in record.unknown[:20]:
        item.note("FLD-IGNORED", at=f"{item.position}/…/{name}")


# --- writing -----------------------------------------------------------------------------------------------------------------------------


def leaf(name: str, value: object) -> str:
    """Return one leaf of the data model, or nothing for an absent value."""
    return xml_writing.leaf(f"ram:{name}", value)


def group(name: str, *children: str) -> str:
    """Return a group, or nothing when it holds nothing."""
    return xml_writing.group(f"ram:{name}", *children)


def measure(name: str, value: str | None, attribute: str, unit: str) -> str:
    """Return a leaf with its unit or currency, or nothing for an absent value."""
    return xml_writing.measure(f"ram:{name}", value, attribute, unit)


def kilograms(name: str, value: Decimal | None) -> str:
    """Return a mass in kilograms."""
    return measure(name, values.plain_number(value, 3), "unitCode", "KGM")


def purpose(function: Function) -> str:
    """Return the word for what becomes of a document."""
    return _WORDS[function]


def write_document(
    profile: Profile,
    envelope: Envelope,
    groups: Iterable[str],
    *,
    purpose: str,
    conversation: str | None = None,
    scheme: str = "P",
) -> bytes:
    """Return a whole message: its header, then *groups* (already written)."""
    head = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<rsm:{profile.root} xmlns:rsm="{profile.namespace}" xmlns:ram="{DATA}"><rsm:MessageHeaderDocument>'
        f"{leaf('ID', envelope.message_id)}{leaf('Name', profile.title)}{leaf('TypeCode', profile.type_code)}"
        f"{leaf('IssueDateTime', envelope.prepared_at.isoformat())}{leaf('PurposeCode', purpose)}{leaf('VersionID', profile.versions[0])}"
        f"{leaf('ConversationID', conversation)}"
        f"<ram:SenderParty>{measure('PrimaryID', envelope.sender, 'schemeID', scheme)}</ram:SenderParty>"
        f"<ram:RecipientParty>{measure('PrimaryID', envelope.recipient, 'schemeID', 'P')}</ram:RecipientParty></rsm:MessageHeaderDocument>"
    )
    return "".join([head, *groups, f"</rsm:{profile.root}>\n"]).encode()
