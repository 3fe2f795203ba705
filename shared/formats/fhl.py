"""FHL, the house list of IATA Cargo-IMP: the houses under one air waybill, with or without their parties.

A house with its parties (``SHP``, ``CNE``) is a consignment like one of XFZB: keyed by the carrier (the dialect's, else the participant)
and its number, with one line of goods (``TXT``, else the short text of ``HBS``; ``HTS``). Without parties the list is a check-list like
XFHL: each house becomes a movement under the master, and the last filing is the movement of the master with its totals, which are
compared with the houses of the whole transmission. Houses of a list may come one by one, so fewer than the master's total is told of
check-lists only, more than it always; nothing is repaired.

The message has neither number nor function: its id is the hash of the transmission, the latest list wins, and nothing in it cancels. A
house number has at most twelve characters here; a longer one is read and told. A short form agreed in the dialect
(:mod:`shared.formats.house_aliases`) is read as the number it stands for and kept in ``extra`` (``HBS``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from shared.contracts import express_key
from shared.formats import cargo_consignment, cargo_imp, cargo_imp_lines, cargo_xml, checks, house_aliases
from shared.formats.base import ITEM_LIMIT, Certainty, Likeness, Parsed, Sketch
from shared.formats.cargo_consignment import GOODS, HOUSE, LOOSE, NOTES
from shared.formats.cargo_imp import Group, Line, LineItem, Message
from shared.formats.cargo_xml import WEIGHT_TOLERANCE
from shared.formats.filings import conclude, message_id_of
from shared.formats.xml import Record, malformed
from shared.model import Dialect, Filing, Finding, MessageHead, RawMessage, Rejection

NAME: Final = "fhl"
ACKNOWLEDGED_BY: Final = "fma"
TITLE: Final = "FHL house list, IATA Cargo-IMP"
CONTENT_TYPES: Final = cargo_imp.CONTENT_TYPES
VERSIONS: Final[tuple[str, ...]] = ("5", "4", "3", "2")
SOURCE: Final = cargo_imp.SOURCE
CERTAINTY: Final[Certainty] = "inferred"
_TYPE: Final = "FHL"
_NUMBER_LENGTH: Final = 12
_KNOWN: Final = frozenset({"HBS", "TXT", "HTS", "OCI", "SHP", "CNE", "NAM", "ADR", "LOC", "CVD"})

PATHS: Final[Mapping[str, str]] = MappingProxyType(
    cargo_imp_lines.route_paths(cargo_imp_lines.paths(), "HBS")
    | {
        "/house_transport_document_id": "HBS/number",
        "/extra/HBS": "HBS/number",
        "/master_transport_document_id": "MBI/air waybill",
        "/goods_description": "HBS/goods",
        "/goods_items": "TXT",
        "/goods_items/*": "TXT",
        "/goods_items/*/sequence_number": "TXT",
        "/goods_items/*/goods_description": "TXT",
        "/goods_items/*/hs_code": "HTS",
        "/goods_items/*/country_of_origin": "TXT",
    }
)
_MASTER_PATHS: Final[Mapping[str, str]] = MappingProxyType(cargo_imp_lines.route_paths(PATHS, "MBI"))
_TOTALS: Final = cargo_consignment.Totals("HBS/pieces", "HBS/weight")


@dataclass(slots=True)
class _Master:
    """One air waybill of a transmission: what ``MBI`` says of it, and the sum of its houses so far."""

    message: Message
    head: MessageHead
    group: Group | None
    said: str
    route: str
    quantity: str
    pieces: int | None
    kilos: Decimal | None
    sum_pieces: int = 0
    sum_kilos: Decimal = Decimal(0)
    sound: bool = True
    exceeded: bool = False
    listed: bool = False


class _List(NamedTuple):
    """One message that names houses. ``findings`` go with the first of them; ``first`` is its first line ``MBI``, ``houses`` how many
    there are."""

    message: Message
    head: MessageHead
    findings: Sequence[Finding]
    first: Group | None
    houses: int


class _House(NamedTuple):
    """The lines of one house. ``findings`` are those of its message, with the first of its houses; ``again`` tells of a second master."""

    message: Message
    head: MessageHead
    master: _Master | None
    groups: Sequence[Group]
    findings: Sequence[Finding]
    again: Group | None


def recognise(sketch: Sketch) -> Likeness:
    """A transmission whose first message is a FHL."""
    return cargo_imp.recognise(_TYPE, sketch)


def parse(raw: RawMessage, dialect: Dialect) -> Parsed:
    """Read the house lists of a transmission. Raises :class:`shared.errors.MalformedMessage` when it is refused as a whole."""
    messages, rejected = cargo_imp.of_type(cargo_imp.read(raw.body, dialect), _TYPE, raw, NAME)
    message_id = message_id_of(raw.body)
    masters: dict[str, _Master] = {}
    lists: list[_List] = []
    houses = 0
    beyond = ""
    for message in messages:
        found = _looked_through(message, masters, cargo_imp.head(message, NAME, message_id, raw), dialect)
        if found is None:
            rejected.append(cargo_imp.refuse(message, "MSG-NO-ITEMS", "HBS", raw, NAME, message_id))
            continue
        lists.append(found)
        if houses <= ITEM_LIMIT < houses + found.houses:
            line = next(islice(_starts(message), ITEM_LIMIT - houses, None))
            beyond = f"{message.at(line.number)}, HBS"
        houses += found.houses
    if beyond:
        raise malformed("MSG-ITEMS", path=beyond, value=str(houses))
    if not lists:
        raise malformed("MSG-NO-ITEMS", path=f"{messages[0].at(messages[0].line)}, HBS", line=messages[0].line, column=1)
    return Parsed(lists[0].head, _read(lists, masters, rejected, raw, dialect), houses + len(masters) + len(rejected))


def _starts(message: Message) -> Iterator[Line]:
    """Yield the lines that begin a house."""
    return (line for line in message.lines() if line.name == "HBS")


def _looked_through(message: Message, masters: dict[str, _Master], head: MessageHead, dialect: Dialect) -> _List | None:
    """Look through a message without keeping its lines: how many houses it has, and under which air waybills; None without a house.

    What stands before the first house belongs to the master.
    """
    before: list[Line] = []
    named: list[Line] = []
    houses = 0
    for line in message.lines():
        if line.name == "HBS":
            houses += 1
        elif houses == 0:
            before.append(line)
        elif line.name == "MBI":
            named.append(line)
    if not houses:
        return None
    item = LineItem(message.at(message.line), PATHS, dialect, list(message.findings), type=_TYPE)
    cargo_imp.version(message, VERSIONS, item)
    above = list(cargo_imp.grouped(before))
    cargo_imp_lines.ignored(message, above, frozenset({"MBI"}), item)
    waybills = [*[group for group in above if group.name == "MBI"][:1], *cargo_imp.grouped(named)]
    for group in waybills:
        _master(message, head, group, masters)
    return _List(message, head, item.findings, waybills[0] if waybills else None, houses)


def _houses(listed: _List, masters: dict[str, _Master]) -> Iterator[_House]:
    """Cut a message into its houses. An air waybill that is named among the lines of a house holds for those behind it, unless it is the
    message's first."""
    message, head, findings, first, _ = listed
    owner = _master(message, head, first, masters) if first is not None else None
    again: Group | None = None
    own: list[Group] = []
    named: list[Group] = []
    for group in cargo_imp.grouped(message.lines()):
        if group.name == "HBS":
            if own:
                yield _House(message, head, owner, own, findings, again)
                findings = ()
            for other in named:
                owner, again = _master(message, head, other, masters), other
            own, named = [group], []
        elif group.name != "MBI":
            if own:
                own.append(group)
        elif own and first is not None and group.line != first.line:
            named.append(group)
    yield _House(message, head, owner, own, findings, again)


def _master(message: Message, head: MessageHead, group: Group, masters: dict[str, _Master]) -> _Master:
    """Return the air waybill of a line ``MBI``: the one of an earlier list where it was named before."""
    said, route = cargo_imp_lines.carried(group.element(0))
    known = masters.get(said)
    if known is None:
        quantity = group.element(1)
        pieces, kilos = cargo_imp_lines.total(quantity)
        known = masters[said] = _Master(message, head, group, said, route, quantity, pieces, kilos)
    return known


# --- houses ------------------------------------------------------------------------------------------------------------------------------


def _read(
    lists: Sequence[_List], masters: dict[str, _Master], rejected: Sequence[Rejection], raw: RawMessage, dialect: Dialect
) -> Iterator[Filing | Rejection]:
    """Yield each house, then the masters of check-lists."""
    yield from rejected
    carrier = dialect.carrier or raw.participant
    for listed in lists:
        for house in _houses(listed, masters):
            item = LineItem(house.message.at(house.groups[0].line), PATHS, dialect, list(house.findings), type=_TYPE)
            yield _house(house, item, carrier, raw)
    for master in masters.values():
        if master.listed:
            yield _of_master(master, carrier, raw, dialect)


def _house(house: _House, item: LineItem, carrier: str, raw: RawMessage) -> Filing | Rejection:
    record = cargo_imp_lines.empty_record()
    names = {group.name for group in house.groups}
    text, codes = _lines(house, names, record, item)
    said = _number(house.groups[0].element(0), item)
    number = house_aliases.full(said, item.dialect)
    if number != said:
        record.parts[LOOSE]["HBS"] = said
    declared = "SHP" in names or "CNE" in names
    if declared:
        _goods(text, codes, record, item)
        content = cargo_consignment.read(record, item, "HBS", _TOTALS)
        content |= {"channel": "express", "house_transport_document_type": "703", "mode_of_transport": "4"}
    else:
        content = _listed(text, codes, record, item)
    if number:
        content["house_transport_document_id"] = number
    _within(house, content, item, declared)
    if len(carrier) <= 17:
        content["carrier_id"] = carrier
    key = express_key(carrier, number) if number else ""
    return conclude(item, "consignment" if declared else "movement", content, key, house.head, raw, function="original")


def _lines(house: _House, names: set[str], record: Record, item: LineItem) -> tuple[str, list[str]]:
    """Bring the lines of a house into *record*; return its text and its HS codes."""
    _hbs(house.groups[0], record, item)
    item.places[""] = house.groups[0].line
    texts: list[str] = []
    codes: list[str] = []
    for group in house.groups[1:]:
        if group.name == "TXT":
            texts.append(cargo_imp_lines.text_of(group.rows))
            item.places.setdefault("/goods_items", group.line)
        elif group.name == "HTS":
            codes += cargo_imp_lines.codes_of(group.rows)
            item.places["/goods_items/0/hs_code"] = group.line
        elif group.name == "OCI":
            cargo_imp_lines.put_notes(group, record, item)
        elif group.name == "CVD":
            cargo_imp_lines.put_values(group, record, item)
    if "SHP" in names or "CNE" in names:
        cargo_imp_lines.put_parties(house.groups, record, item, account=False)
    if not names <= _KNOWN:
        cargo_imp_lines.ignored(house.message, house.groups, _KNOWN, item)
    return " ".join(filter(None, texts)), codes


def _hbs(group: Group, record: Record, item: LineItem) -> None:
    """``HBS/<number>/<route>/<pieces>/<weight>/<inner packages>/<goods>``, handling codes in the lines below."""
    content, extra = record.parts[HOUSE], record.parts[LOOSE]
    cargo_imp_lines.put_route(group.element(1), content, item)
    if group.element(2):
        content["package_count"] = group.element(2)
    cargo_imp_lines.put_weight(group.element(3), content)
    if group.element(4):
        extra["PackageQuantity"] = group.element(4)
    goods = "/".join(group.first[5:]).strip()
    if goods:
        extra["SummaryDescription"] = goods
    codes = cargo_imp_lines.codes_of(group.continued)
    if codes:
        extra["HandlingSPHInstructions"] = "\n".join(codes)


def _number(said: str, item: LineItem) -> str:
    """Return the number of the house, or nothing with a finding."""
    number = checks.house_number(said, item)
    if len(number) > _NUMBER_LENGTH:
        told = f"A house number has at most {_NUMBER_LENGTH} characters in Cargo-IMP; this one has {len(number)} and was kept."
        item.note("FLD-IDENTIFIER", "/house_transport_document_id", said, message=told, remedy="Agree on longer numbers, or send XFZB.")
    return number


def _goods(text: str, codes: Sequence[str], record: Record, item: LineItem) -> None:
    """The one line of goods that a house list can describe."""
    extra = record.parts[LOOSE]
    line: dict[str, Any] = {"sequence_number": "1"}
    description = text or extra.get("SummaryDescription")
    if description:
        line["goods_description"] = description
    if not text:
        item.places["/goods_items"] = item.places[""]
        item.paths["/goods_items/0/goods_description"] = "HBS/goods"
    cargo_imp_lines.put_hs_codes(codes, line, 1, extra, item)
    record.lists[GOODS].append(line)


def _listed(text: str, codes: Sequence[str], record: Record, item: LineItem) -> dict[str, Any]:
    """Return the movement of a house that is only listed."""
    content: dict[str, Any] = record.parts[HOUSE]
    extra = record.parts[LOOSE]
    summary = extra.pop("SummaryDescription", "")
    if text or summary:
        content["goods_description"] = text or summary
    else:
        item.note("FLD-MISSING", "/goods_description")
    if codes:
        extra["HTS"] = " ".join(codes)
    cargo_xml.notes_kept(record.lists[NOTES], extra)
    cargo_xml.count(content, "package_count", "/package_count", item, mandatory=True)
    cargo_xml.mass(content, "/gross_mass_kg", item, extra, "GrossWeightMeasure", mandatory=True)
    content |= {"stage": "planned", "channel": "express", "mode_of_transport": "4"}
    if extra:
        content["extra"] = extra
    return content


def _within(house: _House, content: dict[str, Any], item: LineItem, declared: bool) -> None:
    """Put the house under its master, and tell when the houses become more than it."""
    if house.again is not None:
        told = "A list names one air waybill; the house was taken under the one before it."
        item.note("FLD-AGAIN", "/master_transport_document_id", at=f"{house.message.at(house.again.line)}, MBI", message=told)
    master = house.master
    number = None
    if master is not None and master.group is not None:
        item.places["/master_transport_document_id"] = master.group.line
        number = cargo_xml.waybill(master.said or None, "/master_transport_document_id", item)
        if "place_of_loading" not in content:
            cargo_imp_lines.put_route(master.route, content, item)
    if number is None or master is None:
        item.note("FLD-WANTED", "/master_transport_document_id")
        return
    content["master_transport_document_id"] = number
    master.listed = master.listed or not declared
    if item.refused or "package_count" not in content or "gross_mass_kg" not in content:
        master.sound = False
        return
    master.sum_pieces += int(content["package_count"])
    master.sum_kilos += Decimal(content["gross_mass_kg"])
    if declared and not master.exceeded:
        _exceeds(master, item)


def _exceeds(master: _Master, item: LineItem) -> None:
    for path, mine, total, slack in (
        ("/package_count", Decimal(master.sum_pieces), None if master.pieces is None else Decimal(master.pieces), Decimal(0)),
        ("/gross_mass_kg", master.sum_kilos, master.kilos, WEIGHT_TOLERANCE),
    ):
        if total is not None and mine > total + (max(slack, total / 200) if slack else 0):
            master.exceeded = True
            where = f"{master.message.at(master.group.line if master.group else 0)}, {_MASTER_PATHS[path]}"
            told = f"The houses up to this one are more than the master: {mine:f} of {total:f}."
            item.note("FLD-COUNT", path, master.quantity, at=where, message=told)


# --- the master --------------------------------------------------------------------------------------------------------------------------


def _of_master(master: _Master, carrier: str, raw: RawMessage, dialect: Dialect) -> Filing | Rejection:
    """Return the movement of the master of a check-list."""
    assert master.group is not None
    line = master.group.line
    item = LineItem(master.message.at(line), _MASTER_PATHS, dialect, type=_TYPE, places={"": line})
    content: dict[str, Any] = {}
    extra: dict[str, str] = {}
    cargo_imp_lines.put_quantity(master.quantity, content, extra)
    cargo_imp_lines.put_route(master.route, content, item)
    if "package_count" in content:
        cargo_xml.count(content, "package_count", "/package_count", item)
    cargo_xml.mass(content, "/gross_mass_kg", item, extra, "GrossWeightMeasure")
    number = cargo_xml.waybill(master.said, "/master_transport_document_id", item) or ""
    content |= {"master_transport_document_id": number, "stage": "planned", "channel": "express", "mode_of_transport": "4"}
    if len(carrier) <= 17:
        content["carrier_id"] = carrier
    if extra:
        content["extra"] = extra
    if not item.refused:
        _compare(master, content, item)
    return conclude(item, "movement", content, cargo_xml.master_key(number), master.head, raw, function="original")


def _compare(master: _Master, content: Mapping[str, Any], item: LineItem) -> None:
    if not master.sound:
        item.note("FLD-COUNT", "/package_count", message="The totals could not be compared: a house lacks pieces or mass.")
        return
    start = f"/{item.position}, "
    cargo_xml.compare(content.get("package_count"), Decimal(master.sum_pieces), "/package_count", item, f"{start}MBI/pieces")
    cargo_xml.compare(content.get("gross_mass_kg"), master.sum_kilos, "/gross_mass_kg", item, f"{start}MBI/weight", WEIGHT_TOLERANCE)
