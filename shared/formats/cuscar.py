"""CUSCAR, UN/EDIFACT D.95B (D.16B is read too): the customs cargo report that an express carrier sends as house manifest.

A house consignment is a ``CNI`` group; its goods are ``GID`` groups, their masses and amounts totals of the line. A consignment is keyed
by carrier and house waybill (``RFF+HWB``, else ``CNI``). What the header says of master, flight and route holds for every house.

The message function says what becomes of the houses: 9, 2, 22 original, 5 and 4 replace, 1 and 3 cancel. A change (4) or deletion (3) is
about the houses it lists and no other; a cancellation must list the houses too, since the hub guesses none. The message id is the
document number and the interchange's reference: a corrected manifest keeps its number.

Control totals (``CNT`` 7 gross mass, 8 pieces, 10 consignments, 11 packages) that differ from what was read are told with the last house.
The country of origin has no place of its own in D.95B: ``LOC+27`` of a house holds for all its goods.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final

from shared.contracts import express_key, post_key
from shared.formats import checks, edifact, values
from shared.formats.base import ITEM_LIMIT, UNLIKE, Certainty, Envelope, Likeness, Parsed, Sketch, Written
from shared.formats.edifact import Composer, Job, SegmentItem, value
from shared.formats.edifact_consignment import HEADER, PARTIES, PLAIN, ROLES, SEGMENTS, House, whole_number
from shared.formats.edifact_envelope import code, control_reference, stamp, unb
from shared.formats.edifact_parties import write_nad
from shared.formats.filings import conclude
from shared.formats.losses import gaps, losses
from shared.formats.xml import malformed
from shared.identifiers import air_waybill
from shared.model import Consignment, Dialect, Filing, GoodsItem, Money, Party, RawMessage, Rejection

NAME: Final = "cuscar"
TITLE: Final = "CUSCAR customs cargo report (house manifest), UN/EDIFACT"
CONTENT_TYPES: Final[tuple[str, ...]] = ("application/edifact", "application/edi-x12", "text/plain")
VERSIONS: Final[tuple[str, ...]] = ("D:95B", "D:16B")
SOURCE: Final = "UN/EDIFACT directories D.95B and D.16B; use of the segments as in express house manifests"
CERTAINTY: Final[Certainty] = "published"
ACKNOWLEDGED_BY: Final = "contrl"

_NAD: Final = {
    "identifier": "3039",
    "name": "3036",
    "street_line": "3042",
    "street_line_2": "3042",
    "city": "3164",
    "country_subdivision": "3229",
    "postcode": "3251",
    "country": "3207",
}


def _paths() -> dict[str, str]:
    table = {
        "/house_transport_document_id": "RFF+HWB/1154",
        "/master_transport_document_id": "RFF+MWB/1154",
        "/ucr": "RFF+UCN/1154",
        "/trader_reference": "RFF+TN/1154",
        "/conveyance_reference": "TDT+20/8028",
        "/mode_of_transport": "TDT+20/8067",
        "/place_of_loading": "LOC+9/3225",
        "/place_of_arrival": "LOC+11/3225",
        "/departure_on": "DTM+133/2380",
        "/country_of_dispatch": "LOC+35/3225",
        "/country_of_destination": "LOC+28/3225",
        "/package_count": "CNT+11/6066",
        "/gross_mass_kg": "CNT+7/6066",
        "/tax_scheme": "RFF+VA/1154",
        "/tax_ids": "RFF+VA",
        "/tax_ids/*": "RFF+VA",
        "/goods_items": "GID",
        "/goods_items/*": "GID[*]",
        "/goods_items/*/sequence_number": "GID[*]/1496",
        "/goods_items/*/package_count": "GID[*]/7224",
        "/goods_items/*/goods_description": "GID[*]/FTX+AAA/4440",
        "/goods_items/*/gross_mass_kg": "GID[*]/MEA+G/6314",
        "/goods_items/*/net_mass_kg": "GID[*]/MEA+N/6314",
        "/goods_items/*/quantity": "GID[*]/QTY/6060",
        "/goods_items/*/quantity_unit": "GID[*]/QTY/6411",
        "/goods_items/*/hs_code": "GID[*]/CST/7361",
        "/goods_items/*/country_of_origin": "LOC+27/3225",
        "/function": "BGM/1225",
        "/extra": "",
    }
    for field, name in (("declared_value", "MOA+39"), ("freight_cost", "MOA+64"), ("insurance_cost", "MOA+67")):
        table |= {f"/{field}/amount": f"{name}/5004", f"/{field}/currency": f"{name}/6345"}
    for field, name in (("item_amount", "MOA+40"), ("unit_price", "MOA+146")):
        table |= {f"/goods_items/*/{field}/amount": f"GID[*]/{name}/5004", f"/goods_items/*/{field}/currency": f"GID[*]/{name}/6345"}
    for qualifier, party in PARTIES.items():
        table |= {f"/{party}/{field}": f"NAD+{qualifier}/{element}" for field, element in _NAD.items()}
        table |= {f"/{party}/identifier_scheme": f"NAD+{qualifier}/3055"}
        table |= {f"/{party}/phone": f"NAD+{qualifier}/COM+TE/3148", f"/{party}/email": f"NAD+{qualifier}/COM+EM/3148"}
    return table


PATHS: Final[Mapping[str, str]] = MappingProxyType(_paths())


def recognise(sketch: Sketch) -> Likeness:
    """An EDIFACT interchange whose first message is a CUSCAR."""
    return likeness(sketch, "CUSCAR")


def likeness(sketch: Sketch, type: str) -> Likeness:
    """Return how much an interchange looks like one of *type*."""
    if sketch.kind != "edifact":
        return UNLIKE
    return Likeness(1.0, f"UNH {type}") if sketch.root == type else Likeness(0.2, f"EDIFACT, but {sketch.root or 'no UNH'} and not {type}")


def message_id(document: str, reference: str) -> str:
    """Return ``<document number>/<interchange reference>``: a correction keeps the first and has a new second."""
    return f"{document}/{reference}" if document and reference else document or reference


# --- reading -----------------------------------------------------------------------------------------------------------------------------


def parse(raw: RawMessage, dialect: Dialect) -> Parsed:
    """Read the CUSCAR messages of a file. Raises :class:`shared.errors.MalformedMessage` when the file is refused as a whole."""
    found, rejected = edifact.jobs(raw, dialect, name=NAME, type="CUSCAR", versions=VERSIONS, number=message_id)
    cuts = [[index for index, segment in enumerate(job.message.segments) if segment[:3] == "CNI"] for job in found]
    count = sum(map(len, cuts))
    if count > ITEM_LIMIT:
        raise malformed("MSG-ITEMS", path="CNI", value=str(count))
    if not count and not rejected:
        raise malformed("MSG-NO-ITEMS", "No CNI: a house manifest lists its houses, also when it cancels them.", path="CNI")
    head = edifact.first_head(found, rejected, NAME)
    return Parsed(head, _items(found, cuts, rejected, raw, dialect), count + len(rejected))


def _items(
    found: Sequence[Job], cuts: Sequence[list[int]], rejected: Sequence[Rejection], raw: RawMessage, dialect: Dialect
) -> Iterator[Filing | Rejection]:
    yield from rejected
    for job, starts in zip(found, cuts, strict=True):
        if starts:
            yield from _message(job, starts, raw, dialect)


def _message(job: Job, starts: list[int], raw: RawMessage, dialect: Dialect) -> Iterator[Filing | Rejection]:
    syntax = job.interchange.syntax
    header = House(syntax, dialect, SegmentItem(job.message.position, PATHS, dialect))
    header.take(job.message.segments, 1, starts[0], HEADER)
    sums = _Sums()
    for number, (start, stop) in enumerate(zip(starts, [*starts[1:], len(job.message.segments) - 1], strict=True), 1):
        item = SegmentItem(f"{job.message.position}/CNI[{number}]", PATHS, dialect)
        item.places.update(header.item.places)
        item.places[""] = start + 1
        house = House(syntax, dialect, item)
        house.content.update(header.content)
        house.take(job.message.segments, start, stop, SEGMENTS)
        if number == 1:
            item.findings += job.findings + header.item.findings
        filing = concluded(house, job, raw, header.extra)
        sums.add(house.content)
        if number == len(starts):
            late = sums.findings(header, job.message.position, dialect)
            filing = filing.model_copy(update={"findings": (*(filing.findings or ()), *late)}) if late else filing
        yield filing


class _Sums:
    """What the control totals are compared with."""

    def __init__(self) -> None:
        self.mass = Decimal(0)
        self.packages = 0
        self.houses = 0

    def add(self, content: Mapping[str, Any]) -> None:
        self.houses += 1
        self.packages += whole_number(content.get("package_count"))
        mass = content.get("gross_mass_kg")
        self.mass += Decimal(mass) if mass and values.mass(mass, PLAIN) else 0

    def findings(self, header: House, position: str, dialect: Dialect) -> list[Any]:
        item = SegmentItem(position, PATHS, dialect)
        for total, (said, place) in header.totals.items():
            counted = self.mass if total == "7" else self.houses if total == "10" else self.packages
            try:
                agrees = abs(Decimal(said) - counted) < Decimal("0.0005")
            except ArithmeticError:
                agrees = False
            if not agrees:
                text = f"CNT+{total} says {said[:20]}, the houses have {counted}."
                item.note("EDI-TOTAL", at=f"{position}/CNT+{total}/6066 (segment {place})", value=said, message=text)
        return item.findings


# --- one house ---------------------------------------------------------------------------------------------------------------------------


def concluded(
    house: House, job: Job, raw: RawMessage, common: Mapping[str, str] | None = None, *, postal: bool = False
) -> Filing | Rejection:
    """Return the filing of a house whose segments were read, or its rejection. *common* are the extra fields of the whole message; a
    *postal* house is a postal item."""
    item, content = house.item, house.content
    carrier = item.dialect.carrier or raw.participant
    function = job.head.function
    number = checks.keyed_house(content, item)
    if postal:
        content |= {"channel": "post", "house_transport_document_type": "750"}
    else:
        _master(content, item)
        content |= {"channel": "express", "house_transport_document_type": "703"}
        if len(carrier) <= 17:
            content["carrier_id"] = carrier
    if function != "cancel" or house.goods or "consignee" in content:
        _declaration(house, content, item)
    marks = [mark for mark in dict.fromkeys(house.marks) if mark != number]
    extra = {**(common or {}), **house.extra, **({"tracking_no": " ".join(marks)} if marks else {})}
    if extra:
        content["extra"] = extra
    if house.tax_ids:
        content["tax_ids"] = house.tax_ids
    key = "" if not number else post_key(number) if postal else express_key(carrier, number)
    return conclude(item, "consignment", content, key, job.head, raw, function=function, references=_references(house, job))


def _references(house: House, job: Job) -> tuple[str, ...]:
    """Return by which numbers authorities may name the house: its document's, and those of earlier declarations (ABO, ABT)."""
    named = (("lrn", value(job.bgm, 2)), ("lrn", house.extra.get("RFF+ABO")), ("mrn", house.extra.get("RFF+ABT")))
    return tuple(dict.fromkeys(f"{kind}:{number}" for kind, number in named if number))


def _master(content: dict[str, Any], item: SegmentItem) -> None:
    said = content.get("master_transport_document_id")
    if said is None:
        item.note("FLD-WANTED", "/master_transport_document_id")
        return
    path = "/master_transport_document_id"
    content["master_transport_document_id"] = checks.identifier(said, air_waybill.problem(said), air_waybill.normalise(said), path, item)


def _declaration(house: House, content: dict[str, Any], item: SegmentItem) -> None:
    for field, country in (("consignor", "country_of_dispatch"), ("consignee", "country_of_destination")):
        party = content.setdefault(field, {})
        checks.name(party, f"/{field}/name", item)
        checks.country(party, "country", f"/{field}/country", item, mandatory=True)
        for part in ("street_line", "city"):
            if part not in party:
                item.note("DQ-06" if field == "consignor" else "DQ-07", f"/{field}/{part}")
        if country in content:
            checks.country(content, country, f"/{country}", item, mandatory=False)
        elif party.get("country") in checks.COUNTRIES:
            content[country] = party["country"]
    if "seller" in content and "country" in content["seller"]:
        checks.country(content["seller"], "country", "/seller/country", item, mandatory=False)
    checks.contactable(content["consignee"], item)
    if "mode_of_transport" in content and content["mode_of_transport"] not in _MODES:
        content["mode_of_transport"] = _MODE_OF.get(content["mode_of_transport"], "")
        if not content["mode_of_transport"]:
            item.note("FLD-CODE-DROPPED", "/mode_of_transport")
            del content["mode_of_transport"]
    _goods(house, content, item)
    _totals(house, content, item)


_MODES: Final = frozenset("123456789")
_MODE_OF: Final = {"40": "4", "10": "1", "20": "2", "30": "3", "50": "5"}


def _goods(house: House, content: dict[str, Any], item: SegmentItem) -> None:
    content["goods_items"] = house.goods
    if not house.goods:
        item.note("FLD-MISSING", "/goods_items")
    for index, line in enumerate(house.goods):
        path = f"/goods_items/{index}"
        line.setdefault("sequence_number", str(index + 1))
        checks.description(line, path + "/goods_description", item)
        checks.number(line, "quantity", values.quantity, path + "/quantity", item, positive="DQ-12")
        checks.number(line, "gross_mass_kg", values.mass, path + "/gross_mass_kg", item)
        checks.number(line, "net_mass_kg", values.mass, path + "/net_mass_kg", item)
        checks.number(line, "package_count", _count, path + "/package_count", item)
        amount = line.get("item_amount")
        if amount is None and not item.refused:
            item.note("FLD-WANTED", path + "/item_amount/amount")
        elif amount is not None and (amount["amount"] == "0.00" or amount["amount"][0] == "-"):
            item.note("DQ-14", path + "/item_amount/amount", amount["amount"])
        checks.hs_code(line, path + "/hs_code", item, wanted=True)
        if house.origin is not None:
            line.setdefault("country_of_origin", house.origin)
        checks.origin(line, path + "/country_of_origin", item)


def _count(text: str, _: Dialect) -> str | None:
    return values.whole_number(text)


def _totals(house: House, content: dict[str, Any], item: SegmentItem) -> None:
    """Number of packages, gross mass and value of the house: as said, else summed from its goods."""
    goods = house.goods
    if "package_count" not in content and goods and all("package_count" in line for line in goods):
        content["package_count"] = str(sum(whole_number(line["package_count"]) for line in goods))
    checks.number(content, "package_count", _count, "/package_count", item, mandatory=True, positive="DQ-12")
    masses = [line["gross_mass_kg"] for line in goods if "gross_mass_kg" in line]
    if "gross_mass_kg" not in content and masses and len(masses) == len(goods) and all(values.mass(mass, PLAIN) for mass in masses):
        content["gross_mass_kg"] = values.total(masses)
    checks.number(content, "gross_mass_kg", values.mass, "/gross_mass_kg", item, mandatory=not masses, positive="DQ-12")
    amounts = [line["item_amount"] for line in goods if "item_amount" in line]
    used = {amount["currency"] for amount in amounts}
    if len(used) > 1:
        item.note("DQ-15", "/goods_items", " ".join(sorted(used)))
    elif "declared_value" not in content and amounts and len(amounts) == len(goods):
        content["declared_value"] = {"amount": values.total([amount["amount"] for amount in amounts]), "currency": used.pop()}


# --- writing -----------------------------------------------------------------------------------------------------------------------------

_FUNCTION_CODES: Final = {"original": "9", "replace": "5", "cancel": "1"}
_COMMON: Final = ("master_transport_document_id", "conveyance_reference", "place_of_loading", "place_of_arrival", "departure_on")
_EXTRA: Final = ("manifest_no", "tracking_no")
_WRITTEN: Final = frozenset(
    {path for path in PATHS if not path.startswith(("/extra", "/function"))} | {"/tax_ids/", "/extra/manifest_no", "/extra/tracking_no"}
)
_WANTED: Final = (
    *("/consignor/name", "/consignor/country", "/consignee/name", "/consignee/country"),
    *("/package_count", "/gross_mass_kg", "/goods_items/*/goods_description"),
)


def write(filings: Sequence[Filing], envelope: Envelope, dialect: Dialect) -> Written:
    """Write *filings* as one interchange: a message for each manifest (same master, flight, route, day and function), in order."""
    composer = Composer("UNOC", dialect)
    lost = []
    groups: dict[tuple[Any, ...], list[tuple[Filing, Consignment]]] = {}
    for filing in filings:
        consignment = filing.consignment
        if consignment is None:
            composer.key = filing.key
            composer.note("WRITE-MISSING", filing.kind, "Only consignments can be written as CUSCAR.")
            continue
        common = tuple(getattr(consignment, field) for field in (*_COMMON, "mode_of_transport"))
        groups.setdefault((filing.function, (consignment.extra or {}).get("manifest_no"), *common), []).append((filing, consignment))
        lost += losses(filing, _WRITTEN, dialect) + gaps(filing, _WANTED, dialect)
    icr = control_reference(envelope.message_id)
    for number, ((function, manifest, *_), members) in enumerate(groups.items(), 1):
        document = manifest or (envelope.message_id if len(groups) == 1 else f"{envelope.message_id}-{number}")
        _write_message(composer, str(number), document, _FUNCTION_CODES[function], members, envelope)
    head = unb(envelope, icr, "CUSCAR")
    body = composer.interchange(head, len(groups), icr)
    return Written(body if groups else b"", (*composer.findings, *lost))


def _write_message(
    composer: Composer, reference: str, document: str, function: str, members: Sequence[tuple[Filing, Consignment]], envelope: Envelope
) -> None:
    composer.key = composer.path = ""
    composer.begin(reference, ["CUSCAR", "D", "95B", "UN"])
    composer.segment("BGM", "785", document, function, "AB")
    composer.segment("DTM", ["137", stamp(envelope.prepared_at), "304"])
    first = members[0][1]
    if first.departure_on:
        composer.segment("DTM", ["133", first.departure_on.strftime("%Y%m%d"), "102"])
    if first.master_transport_document_id:
        composer.segment("RFF", ["MWB", first.master_transport_document_id])
    composer.segment("NAD", "MS", code(envelope.sender))
    composer.segment("NAD", "MR", code(envelope.recipient))
    if first.conveyance_reference or first.mode_of_transport:
        composer.segment("TDT", "20", first.conveyance_reference, first.mode_of_transport)
    for qualifier, said in (("9", first.place_of_loading), ("11", first.place_of_arrival)):
        if said:
            composer.segment("LOC", qualifier, [said, "139", "6"] if len(said) == 5 else [said, "145", "3"])
    composer.segment("CNT", ["10", str(len(members))])
    for number, (filing, consignment) in enumerate(members, 1):
        composer.key = filing.key
        _write_house(composer, number, consignment)
    composer.end(reference)


def _write_house(composer: Composer, number: int, consignment: Consignment) -> None:
    house = consignment.house_transport_document_id
    composer.path = "/house_transport_document_id"
    composer.segment("CNI", str(number), house)
    if consignment.gross_mass_kg is not None:
        composer.segment("CNT", ["7", plain(consignment.gross_mass_kg), "KGM"])
    if consignment.package_count is not None:
        composer.segment("CNT", ["11", str(consignment.package_count)])
    composer.segment("RFF", ["HWB", house])
    for qualifier, said in (("UCN", consignment.ucr), ("TN", consignment.trader_reference)):
        if said:
            composer.segment("RFF", [qualifier, said])
    for qualifier, amount in (("39", consignment.declared_value), ("64", consignment.freight_cost), ("67", consignment.insurance_cost)):
        if amount is not None:
            composer.segment("MOA", money(qualifier, amount))
    _write_countries(composer, consignment)
    roles: dict[str | None, list[Any]] = {}
    for tax_id in consignment.tax_ids or ():
        roles.setdefault(tax_id.role, []).append(tax_id)
    for qualifier, field in PARTIES.items():
        party: Party | None = getattr(consignment, field)
        ids = roles.pop(ROLES[qualifier], [])
        if party is not None or ids:
            _write_party(composer, qualifier, field, party or Party(), ids)
    for role, ids in roles.items():
        _write_party(composer, "IM" if role == "importer" else "AE", "", Party(), ids)
    for line in consignment.goods_items:
        _write_line(composer, line, consignment)


def _write_countries(composer: Composer, consignment: Consignment) -> None:
    origins = {line.country_of_origin for line in consignment.goods_items}
    if len(origins) == 1 and None not in origins:
        composer.segment("LOC", "27", origins.pop())
    elif origins - {None}:
        composer.path = "/goods_items"
        composer.note("WRITE-LOST", " ".join(sorted(filter(None, origins))), "D.95B has one country of origin for all goods of a house.")
    if consignment.country_of_dispatch:
        composer.segment("LOC", "35", consignment.country_of_dispatch)
    if consignment.country_of_destination:
        composer.segment("LOC", "28", consignment.country_of_destination)


def _write_party(composer: Composer, qualifier: str, field: str, party: Party, ids: Sequence[Any]) -> None:
    composer.path = f"/{field}" if field else "/tax_ids"
    write_nad(composer, qualifier, party)
    for tax_id in ids:
        composer.segment("RFF", ["AHP" if tax_id.scheme == "other" else "VA", tax_id.number])
    if party.phone or party.email:
        composer.segment("CTA", "IC")
    for channel, said in (("TE", party.phone), ("EM", party.email)):
        if said:
            composer.segment("COM", [said, channel])


def _write_line(composer: Composer, line: GoodsItem, consignment: Consignment) -> None:
    composer.path = f"/goods_items/{consignment.goods_items.index(line)}/goods_description"
    packages = [str(line.package_count), "PK"] if line.package_count is not None else None
    composer.segment("GID", str(line.sequence_number), packages)
    if line.goods_description:
        composer.segment("FTX", "AAA", None, None, composer.cut(line.goods_description, 70, 5))
    for dimension, mass in (("G", line.gross_mass_kg), ("N", line.net_mass_kg)):
        if mass is not None:
            composer.segment("MEA", "AAE", dimension, ["KGM", plain(mass)])
    for qualifier, amount in (("40", line.item_amount), ("146", line.unit_price)):
        if amount is not None:
            composer.segment("MOA", money(qualifier, amount))
    tracking = (consignment.extra or {}).get("tracking_no")
    if tracking and line is consignment.goods_items[0]:
        composer.segment("PCI", None, composer.cut(tracking, 35, 10) if len(tracking) > 35 else tracking.split()[:10])
    if line.hs_code:
        composer.segment("CST", str(line.sequence_number), [line.hs_code, "169", "6"])
    if line.quantity is not None:
        composer.segment("QTY", ["1", plain(line.quantity), line.quantity_unit])


def plain(number: Decimal) -> str:
    """Return a decimal without exponent."""
    return format(number, "f")


def money(qualifier: str, amount: Money) -> list[str]:
    """Return C516 of MOA."""
    return [qualifier, plain(amount.amount), amount.currency]
