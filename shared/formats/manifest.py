"""The express manifest, hub layout: what its CSV and its JSON form share.

A row is one goods line; the columns about the consignment are repeated on each of its rows. Names and meaning follow what two published
layouts agree on (a US clearance house's file, a cargo platform's file); ``function`` (ORIGINAL, REPLACE, CANCEL) and ``version`` are the
hub's own additions. A consignment is keyed by carrier and house waybill. Weights in pounds become kilograms; ``sale_type`` B2C or B2B
means that the goods were sold.

House waybill, parties' names and countries, pieces, weight, description, value and currency are mandatory; master waybill, flight and
addresses may come later and are missed with a warning.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from operator import itemgetter
from types import MappingProxyType
from typing import Any, Final

from pydantic import ValidationError

from shared.contracts import express_key
from shared.formats import checks, values
from shared.formats.filings import Item, conclude
from shared.identifiers import IdentifierProblem, air_waybill, eori, hs
from shared.model import Dialect, Filing, MessageHead, Party, RawMessage, Rejection, TaxId

SOURCE: Final = "hub layout after the published flat manifests of a US clearance house and a NZ/AU cargo platform"

HEAD: Final[Mapping[str, str]] = {
    "mawb": "master_transport_document_id",
    "flight": "conveyance_reference",
    "flight_date": "departure_on",
    "dep_airport": "place_of_loading",
    "arr_airport": "place_of_arrival",
}
"""Columns about the whole manifest (beside ``manifest_no``) → dataset."""

_PARTY: Final = {
    "name": "name",
    "address1": "street_line",
    "address2": "street_line_2",
    "city": "city",
    "region": "country_subdivision",
    "postcode": "postcode",
    "country": "country",
    "phone": "phone",
    "email": "email",
    "person_type": "type_of_person",
}
_PARTIES: Final = {"shipper": "consignor", "consignee": "consignee"}
_COUNTRIES: Final = {"shipper": "country_of_dispatch", "consignee": "country_of_destination"}
_PARTY_COLUMNS: Final = {side: {f"{side}_{column}": field for column, field in _PARTY.items()} for side in _PARTIES}
_PARTY_CELLS: Final = {side: {**own, f"{side}_eori": "eori", f"{side}_tax_no": "tax_no"} for side, own in _PARTY_COLUMNS.items()}
_PLAIN: Final = {"hawb": "house_transport_document_id", "pieces": "package_count", "gross_weight": "gross_mass_kg", "incoterm": "incoterm"}
_OWN: Final = {**HEAD, **_PLAIN}
_DERIVED: Final = {
    "weight_unit": "gross_mass_kg",
    "freight_value": "freight_cost/amount",
    "insurance_value": "insurance_cost/amount",
    "freight_currency": "freight_cost/currency",
    "sale_type": "business_model",
    "tax_scheme": "tax_scheme",
    "ioss_no": "tax_ids",
    "voec_no": "tax_ids",
    "importer_eori": "tax_ids",
    "seller_name": "seller/name",
    "platform": "platform_id",
    "order_id": "orders",
    "function": "function",
    "version": "version",
}
_KEPT: Final = ("manifest_no", "tracking_no", "bag_no", "entry_type", "carrier_status")

GOODS: Final[Mapping[str, str]] = {
    "item_no": "sequence_number",
    "description": "goods_description",
    "hs_code": "hs_code",
    "origin_country": "country_of_origin",
    "quantity": "quantity",
    "unit": "quantity_unit",
    "item_gross_kg": "gross_mass_kg",
    "item_net_kg": "net_mass_kg",
    "item_value": "item_amount/amount",
    "currency": "item_amount/currency",
    "sku": "merchant_product_id",
    "url": "product_url",
}
"""Columns about one goods line → dataset."""

_GOODS_TEXTS: Final = {column: field for column, field in GOODS.items() if "/" not in field}
_IDENTIFIERS: Final = ("eori", "tax_no")
CONSIGNMENT: Final[frozenset[str]] = frozenset(
    [
        *_PLAIN,
        *_DERIVED,
        *(f"{side}_{column}" for side in _PARTIES for column in (*_PARTY, *_IDENTIFIERS)),
        *_KEPT[1:],
    ]
)
"""Columns about one consignment."""

MANDATORY: Final = (
    *("hawb", "shipper_name", "shipper_country", "consignee_name", "consignee_country"),
    *("pieces", "gross_weight", "description", "item_value", "currency"),
)
"""Columns without which no row is taken."""

COLUMNS: Final = frozenset(HEAD) | {"manifest_no"} | CONSIGNMENT | frozenset(GOODS)
"""All columns of the layout."""

_PLACED: Final = COLUMNS - set(_KEPT)


def paths(goods: str) -> Mapping[str, str]:
    """Return the provenance table; *goods* is put before the names of goods columns (``items[*]/`` in JSON)."""
    table = {f"/{field}": column for column, field in {**HEAD, **_PLAIN}.items()}
    for side, party in _PARTIES.items():
        table |= {f"/{party}/{field}": f"{side}_{column}" for column, field in _PARTY.items()}
        table |= {f"/{party}/identifier": f"{side}_eori", f"/{party}/identifier_scheme": f"{side}_eori"}
    table |= {f"/{field}": column for column, field in _DERIVED.items() if column not in ("weight_unit", "voec_no", "importer_eori")}
    table |= {f"/goods_items/*/{field}": goods + column for column, field in GOODS.items()}
    table |= {f"/extra/{column}": column for column in _KEPT}
    table |= {
        "/goods_items/*": goods.rstrip("/") or "description",
        "/goods_items": goods.partition("[")[0] or "description",
        "/insurance_cost/currency": "freight_currency",
        "/declared_value/amount": goods.replace("[*]", "") + "item_value",
        "/declared_value/currency": goods.replace("[*]", "") + "currency",
        "/country_of_dispatch": "shipper_country",
        "/country_of_destination": "consignee_country",
        "/nature_of_transaction": "sale_type",
        "/mode_of_transport": "mawb",
        "/extra": "",
    }
    return MappingProxyType(table)


_TAX_ID_COLUMNS: Final = (("ioss_no", "ioss", "seller"), ("voec_no", "voec", "seller"), ("importer_eori", "eori", "importer"))
_TAX_SCHEMES: Final = {"IOSS": "ioss", "SPECIAL": "special_arrangement", "STANDARD": "standard", "VOEC": "voec", "NONE": "none"}
_SALE_TYPES: Final = {"B2C": "b2c", "B2B": "b2b", "C2C": "c2c"}
_PERSONS: Final = {"1": "natural", "2": "legal", "3": "association"}
_POUNDS: Final = frozenset({"LB", "LBS", "LBR", "L"})
_KILOGRAMS: Final = frozenset({"KG", "KGM", "K"})


_Row = Mapping[str, str]
Getter = Callable[[Any], tuple[str, ...]]
_SHAPES: Final = 100
_SHIPPERS_KEPT: Final = 1000
"""What a message may have in common is bounded."""


class Shape:
    """How rows with one set of columns are read: nobody asks each row for the columns that it lacks.

    ``consignment``, ``goods`` and ``parties`` hold the names of fields and what gets their cells from a row. ``known`` are the shippers in
    which nothing was found, by their cells: they stand on many rows of a manifest, where consignees are mostly different.
    """

    __slots__ = ("consignment", "extra", "goods", "has_costs", "has_sale", "known", "parties", "tax_ids")

    def __init__(self, columns: tuple[str, ...]) -> None:
        present = frozenset(columns)
        self.consignment = _picked(_OWN, present)
        self.goods = _picked(_GOODS_TEXTS, present)
        self.parties = {side: _picked(own, present) for side, own in _PARTY_CELLS.items()}
        self.known: dict[tuple[str, ...], tuple[dict[str, str], Party]] = {}
        self.tax_ids = tuple(each for each in _TAX_ID_COLUMNS if each[0] in present)
        self.has_costs = not present.isdisjoint(("freight_value", "insurance_value"))
        self.has_sale = not present.isdisjoint(("sale_type", "seller_name", "platform", "order_id"))
        self.extra = tuple(column for column in columns if column not in _PLACED)


def _picked(columns: Mapping[str, str], present: frozenset[str]) -> tuple[tuple[str, ...], Getter]:
    """Return the fields of those *columns* that are present, and what gets their cells from a row."""
    names = [column for column in columns if column in present]
    return tuple(columns[name] for name in names), getter(names)


def getter(places: Sequence[Any]) -> Getter:
    """Return what gets the texts at *places* of a row, however many they are."""
    return itemgetter(*places) if len(places) > 1 else lambda row: tuple([row[place] for place in places])


class Known:
    """What the consignments of one message have in common; its reader keeps it from one to the next."""

    __slots__ = ("_shapes",)

    def __init__(self) -> None:
        self._shapes: dict[tuple[str, ...], Shape] = {}

    def shape(self, row: _Row) -> Shape:
        """Return how *row* is read."""
        columns = tuple(row)
        found = self._shapes.get(columns)
        if found is None:
            if len(self._shapes) >= _SHAPES:
                self._shapes.clear()
            found = self._shapes[columns] = Shape(columns)
        return found


def filing(
    row: Mapping[str, str],
    lines: Sequence[Mapping[str, str]],
    item: Item,
    head: MessageHead,
    raw: RawMessage,
    known: Known,
) -> Filing | Rejection:
    """Return the filing of one consignment: *row* holds its own values, *lines* those of its goods lines, all without blanks around
    them. *known* is kept by the caller from one consignment of a message to the next."""
    carrier = item.dialect.carrier or raw.participant
    shape = known.shape(row)
    fields, cells = shape.consignment
    content: dict[str, Any] = dict(zip(fields, cells(row), strict=True))
    content["channel"] = "express"
    content["house_transport_document_type"] = "703"
    if len(carrier) <= 17:
        content["carrier_id"] = carrier
    house = checks.keyed_house(content, item)
    key = express_key(carrier, house) if house else ""
    _master(content, item)
    function = row.get("function", "original").lower()
    if function not in ("original", "replace", "cancel"):
        item.note("FLD-CODE", "/function", function)
        function = "original"
    validated: dict[str, Any] = {}
    if function != "cancel" or lines:
        _declaration(content, row, lines, item, shape, known, validated)
    version = row.get("version")
    return conclude(item, "consignment", content, key, head, raw, function=function, version=version, assumed=validated)


def _master(content: dict[str, Any], item: Item) -> None:
    """Master air waybill and flight: may follow later, so they are only missed with a warning."""
    said = content.get("master_transport_document_id")
    if said is None:
        item.note("FLD-WANTED", "/master_transport_document_id")
    else:
        found, canonical = _air_waybill(said)
        content["master_transport_document_id"] = checks.identifier(said, found, canonical, "/master_transport_document_id", item)
        if found is None or found.severity == "warning":
            content["mode_of_transport"] = "4"
    if "conveyance_reference" not in content:
        item.note("FLD-WANTED", "/conveyance_reference")
    departure = content.get("departure_on")
    if departure is not None and not values.day(departure):
        item.note("FLD-FORM", "/departure_on", departure)


@lru_cache(maxsize=1024)
def _air_waybill(said: str) -> tuple[IdentifierProblem | None, str]:
    """Judge a master's number: it stands on every row of its manifest."""
    return air_waybill.problem(said), air_waybill.normalise(said)


def _declaration(
    content: dict[str, Any], row: _Row, lines: Sequence[_Row], item: Item, shape: Shape, known: Known, validated: dict[str, Any]
) -> None:
    fields, cells = shape.parties["shipper"]
    said = cells(row)
    content["consignor"], model = shape.known.get(said) or _shipper(dict(zip(fields, said, strict=True)), said, item, shape)
    if model is not None:
        validated["consignor"] = model
    fields, cells = shape.parties["consignee"]
    content["consignee"] = dict(zip(fields, cells(row), strict=True))
    _party(content["consignee"], "consignee", "consignee", item)
    for side, party in _PARTIES.items():
        country = content[party].get("country")
        if country in checks.COUNTRIES:
            content[_COUNTRIES[side]] = country
    checks.contactable(content["consignee"], item)
    pieces = content.get("package_count", "")
    if len(pieces) > 9 or not values.is_plain_count(pieces):
        checks.number(content, "package_count", _count, "/package_count", item, mandatory=True, positive="DQ-12")
    _mass(content, row, item)
    _goods(content, [_line(index, line, item, shape if line is row else known.shape(line)) for index, line in enumerate(lines)], item)
    if shape.has_costs:
        _costs(content, row, item)
    _tax_scheme(content, row, item)
    if shape.tax_ids:
        _tax_ids(content, row, item, shape, validated)
    if shape.has_sale or item.dialect.platform is not None:
        _sale(content, row, item)
    extra = {column: row[column] for column in shape.extra}
    if extra.get("tracking_no") == row.get("hawb"):
        extra.pop("tracking_no", None)
    if extra:
        content["extra"] = extra


def _count(text: str, _: Dialect) -> str | None:
    return values.whole_number(text)


def _shipper(found: dict[str, str], said: tuple[str, ...], item: Item, shape: Shape) -> tuple[dict[str, str], Party | None]:
    """Read a shipper, and remember one that is faultless: neither its findings nor its places may be lost with the next row."""
    before = len(item.findings), len(item.paths)
    _party(found, "shipper", "consignor", item)
    model = _model(found) if before == (len(item.findings), len(item.paths)) else None
    if model is not None and len(shape.known) < _SHIPPERS_KEPT:
        shape.known[said] = found, model
    return found, model


def _model(party: dict[str, str]) -> Party | None:
    """Return a party as the model has it, or None where the model refuses it: with the whole filing it says why."""
    try:
        return _validated_party(party)
    except ValidationError:
        return None


_validated_party: Final[Callable[[dict[str, str]], Party]] = Party.__pydantic_validator__.validate_python


def _party(found: dict[str, str], side: str, party: str, item: Item) -> None:
    number, tax_number = found.pop("eori", None), found.pop("tax_no", None)
    if not checks.is_well_named(found):
        checks.name(found, f"/{party}/name", item)
    checks.country(found, "country", f"/{party}/country", item, mandatory=True)
    for field in ("street_line", "city"):
        if field not in found:
            item.note("DQ-06" if party == "consignor" else "DQ-07", f"/{party}/{field}")
    person = found.get("type_of_person")
    if person is not None:
        found["type_of_person"] = _PERSONS.get(person, person.lower())
    if number is not None:
        found["identifier"] = checks.identifier(number, eori.problem(number), eori.normalise(number), f"/{party}/identifier", item)
        found["identifier_scheme"] = "eori"
    elif tax_number is not None:
        found |= {"identifier": tax_number, "identifier_scheme": "tin"}
        item.paths[f"/{party}/identifier"] = f"{item.position}/{side}_tax_no"


def _mass(content: dict[str, Any], row: Mapping[str, str], item: Item) -> None:
    gross = content.get("gross_mass_kg", "")
    if gross == "0.000" or not values.is_plain_mass(gross):
        checks.number(content, "gross_mass_kg", values.mass, "/gross_mass_kg", item, mandatory=True, positive="DQ-12")
    unit = row.get("weight_unit", "KG")
    if unit in _KILOGRAMS:
        return
    unit = unit.upper()
    if unit in _POUNDS and values.mass(content.get("gross_mass_kg", ""), item.dialect):
        content["gross_mass_kg"] = values.kilograms_of_pounds(content["gross_mass_kg"])
    elif unit not in _KILOGRAMS and unit not in _POUNDS:
        item.note("FLD-CODE", "/gross_mass_kg", unit, at=f"{item.position}/weight_unit")


def _goods(content: dict[str, Any], goods: list[dict[str, Any]], item: Item) -> None:
    if not goods:
        item.note("FLD-MISSING", "/goods_items")
    content["goods_items"] = goods
    amounts = [line["item_amount"] for line in goods if "item_amount" in line]
    if len(amounts) == len(goods) == 1:
        content["declared_value"] = amounts[0]
        return
    used = {amount["currency"] for amount in amounts}
    if len(used) > 1:
        item.note("DQ-15", "/goods_items", " ".join(sorted(used)))
    elif amounts and len(amounts) == len(goods):
        content["declared_value"] = {"amount": values.total([amount["amount"] for amount in amounts]), "currency": used.pop()}


def _line(index: int, line: _Row, item: Item, shape: Shape) -> dict[str, Any]:
    """Bring one goods line into its form; most have it already."""
    fields, cells = shape.goods
    found: dict[str, Any] = dict(zip(fields, cells(line), strict=True))
    found.setdefault("sequence_number", str(index + 1))
    if is_plain(found, line):
        found["item_amount"] = {"amount": line["item_value"], "currency": line["currency"]}
    else:
        mend(f"/goods_items/{index}", found, line, item)
    return found


def mend(path: str, found: dict[str, Any], line: Mapping[str, str], item: Item) -> None:
    """Judge every value of a goods line and bring it into its canonical form."""
    checks.description(found, path + "/goods_description", item)
    checks.number(found, "quantity", values.quantity, path + "/quantity", item, positive="DQ-12")
    for field in ("gross_mass_kg", "net_mass_kg"):
        checks.number(found, field, values.mass, f"{path}/{field}", item)
    amount = checks.money(line.get("item_value"), line.get("currency"), path + "/item_amount", item)
    if amount is not None:
        found["item_amount"] = amount
        if amount["amount"] == "0.00" or amount["amount"][0] == "-":
            item.note("DQ-14", path + "/item_amount/amount", amount["amount"])
    checks.hs_code(found, path + "/hs_code", item, wanted=True)
    checks.origin(found, path + "/country_of_origin", item)


def is_plain(found: Mapping[str, str], line: Mapping[str, str]) -> bool:
    """Whether :func:`mend` has nothing to say of a line and nothing to change but the shape of its amount."""
    description, hs_code, amount = found.get("goods_description", ""), found.get("hs_code"), line.get("item_value")
    return (
        len(description) > 2
        and description.isascii()
        and not description.isdecimal()
        and amount is not None
        and values.is_plain_money(amount) is not None
        and amount != "0.00"
        and line.get("currency") in checks.CURRENCIES
        and hs_code is not None
        and hs.is_plain(hs_code)
        and found.get("country_of_origin") in checks.ORIGINS
        and ("quantity" not in found or values.is_plain_count(found["quantity"]) is not None)
        and ("gross_mass_kg" not in found or values.is_plain_mass(found["gross_mass_kg"]) is not None)
        and ("net_mass_kg" not in found or values.is_plain_mass(found["net_mass_kg"]) is not None)
    )


def _costs(content: dict[str, Any], row: Mapping[str, str], item: Item) -> None:
    for column, field in (("freight_value", "freight_cost"), ("insurance_value", "insurance_cost")):
        amount = checks.spare_money(row.get(column), row.get("freight_currency"), f"/{field}", item)
        if amount is not None:
            content[field] = amount


def _tax_scheme(content: dict[str, Any], row: _Row, item: Item) -> None:
    said = row.get("tax_scheme")
    if said is not None:
        scheme = _TAX_SCHEMES.get(said.upper())
        if scheme is None:
            item.note("FLD-CODE-DROPPED", "/tax_scheme", said)
        else:
            content["tax_scheme"] = scheme


def _tax_ids(content: dict[str, Any], row: _Row, item: Item, shape: Shape, validated: dict[str, Any]) -> None:
    tax_ids: list[dict[str, str]] = []
    before = len(item.findings)
    for index, (column, scheme, role) in enumerate(shape.tax_ids):
        path = f"/tax_ids/{index}"
        item.paths[path] = f"{item.position}/{column}"
        tax_ids.append({"scheme": scheme, "number": checks.tax_number(scheme, row[column], path, item), "role": role})
    content["tax_ids"] = tax_ids
    models = _tax_models(tax_ids) if before == len(item.findings) else None
    if models is not None:
        validated["tax_ids"] = models


def _tax_models(tax_ids: Sequence[Mapping[str, str]]) -> tuple[TaxId, ...] | None:
    """Return tax numbers in which nothing was found as the model has them, or None where it refuses one."""
    try:
        return tuple([_tax_model(tax_id["scheme"], tax_id["number"], tax_id["role"]) for tax_id in tax_ids])
    except ValidationError:
        return None


@lru_cache(maxsize=4096)
def _tax_model(scheme: str, number: str, role: str) -> TaxId:
    """A seller's number stands on each of its parcels."""
    return TaxId.model_validate({"scheme": scheme, "number": number, "role": role})


def _sale(content: dict[str, Any], row: Mapping[str, str], item: Item) -> None:
    """Who sold to whom, and under which order. An order can only be linked when its platform is named."""
    said = row.get("sale_type")
    if said is not None:
        model = _SALE_TYPES.get(said.upper())
        if model is None:
            item.note("FLD-CODE-DROPPED", "/business_model", said)
        else:
            content["business_model"] = model
            if model != "c2c":
                content["nature_of_transaction"] = "sale"
    if "seller_name" in row:
        content["seller"] = {"name": row["seller_name"]}
    platform = row.get("platform", item.dialect.platform)
    if platform is not None:
        content["platform_id"] = platform
    if "order_id" in row and platform is not None:
        content["orders"] = [{"platform_id": platform, "order_id": row["order_id"]}]
    elif "order_id" in row:
        item.note("FLD-WANTED", "/platform_id")


# --- writing -----------------------------------------------------------------------------------------------------------------------------

ORDER: Final[tuple[str, ...]] = (
    "function",
    "version",
    "manifest_no",
    *HEAD,
    "hawb",
    *_KEPT[1:],
    *(f"{side}_{column}" for side in _PARTIES for column in (*_PARTY, *_IDENTIFIERS)),
    *list(_PLAIN)[1:3],
    *GOODS,
    *[column for column in _DERIVED if column not in ("weight_unit", "function", "version")],
    "incoterm",
)
"""The columns in the order in which they are written."""

_KNOWN = [f"/{field}" for field in (*HEAD.values(), *_PLAIN.values())] + [
    f"/{party}/{field}" for party in _PARTIES.values() for field in _PARTY.values()
]
WRITTEN: Final = frozenset(
    _KNOWN
    + [f"/goods_items/*/{field}" for field in GOODS.values()]
    + [f"/{field}/{part}" for field in ("freight_cost", "insurance_cost") for part in ("amount", "currency")]
    + ["/seller/name", "/platform_id", "/extra/"]
)
"""The dataset paths that a row has a column for; what depends on the value is judged by :func:`rows`."""

_FIELDS: Final = {**HEAD, **_PLAIN, **{column: f"goods_items/*/{field}" for column, field in GOODS.items()}} | {
    column: f"{_PARTIES[side]}/{field}" for side, columns in _PARTY_COLUMNS.items() for column, field in columns.items()
}
WANTED: Final = tuple(f"/{_FIELDS[column]}" for column in MANDATORY)
"""The dataset paths without which no row is taken."""

_TAX_COLUMNS: Final = {("ioss", "seller"): "ioss_no", ("voec", "seller"): "voec_no", ("eori", "importer"): "importer_eori"}
_ID_COLUMNS: Final = {"eori": "eori", "tin": "tax_no"}
_FUNCTIONS: Final = {"replace": "REPLACE", "cancel": "CANCEL"}


def rows(filing: Filing) -> tuple[list[dict[str, str]], set[str]]:
    """Return the rows of one consignment, and those of its paths that have a column or follow from one, beside ``WRITTEN``."""
    assert filing.consignment is not None
    content = filing.consignment.model_dump(mode="json", exclude_none=True)
    dealt: set[str] = set()
    common = {column: str(content[field]) for column, field in {**HEAD, **_PLAIN}.items() if field in content}
    if filing.function != "original":
        common["function"] = _FUNCTIONS[filing.function]
    if filing.version is not None:
        common["version"] = str(filing.version)
    for side, party in _PARTIES.items():
        common |= _party_columns(side, party, content.get(party, {}), dealt)
    common |= _cost_columns(content, dealt) | _tax_columns(content, dealt) | _sale_columns(content, dealt)
    common |= {column: text for column, text in content.get("extra", {}).items() if column in _KEPT or column not in COLUMNS}
    lines = [common | _goods_columns(line) for line in content.get("goods_items", ())]
    _derived(content, dealt)
    return lines or [common], dealt


def _party_columns(side: str, party: str, said: Mapping[str, str], dealt: set[str]) -> dict[str, str]:
    found = {f"{side}_{column}": said[field] for column, field in _PARTY.items() if field in said}
    column = _ID_COLUMNS.get(said.get("identifier_scheme", ""))
    if column is not None and "identifier" in said:
        found[f"{side}_{column}"] = said["identifier"]
        dealt |= {f"/{party}/identifier", f"/{party}/identifier_scheme"}
    return found


def _goods_columns(line: Mapping[str, Any]) -> dict[str, str]:
    found = {column: str(line[field]) for column, field in GOODS.items() if field in line}
    amount = line.get("item_amount", {})
    return found | {column: amount[part] for column, part in (("item_value", "amount"), ("currency", "currency")) if part in amount}


def _cost_columns(content: Mapping[str, Any], dealt: set[str]) -> dict[str, str]:
    """Freight and insurance share one column for their currency."""
    found: dict[str, str] = {}
    for column, field in (("freight_value", "freight_cost"), ("insurance_value", "insurance_cost")):
        cost = content.get(field)
        if cost is not None and found.get("freight_currency", cost["currency"]) == cost["currency"]:
            found |= {column: cost["amount"], "freight_currency": cost["currency"]}
    return found


def _tax_columns(content: Mapping[str, Any], dealt: set[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    scheme = content.get("tax_scheme")
    code = next((code for code, known in _TAX_SCHEMES.items() if known == scheme), None)
    if code is not None:
        found["tax_scheme"] = code
        dealt.add("/tax_scheme")
    for index, tax in enumerate(content.get("tax_ids", ())):
        column = _TAX_COLUMNS.get((tax["scheme"], tax.get("role", "seller")))
        if column is not None and column not in found:
            found[column] = tax["number"]
            dealt |= {f"/tax_ids/{index}/{part}" for part in ("scheme", "number", "role")}
    return found


def _sale_columns(content: Mapping[str, Any], dealt: set[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    code = next((code for code, known in _SALE_TYPES.items() if known == content.get("business_model")), None)
    if code is not None:
        found["sale_type"] = code
        dealt.add("/business_model")
        if code != "C2C" and content.get("nature_of_transaction") == "sale":
            dealt.add("/nature_of_transaction")
    if "name" in content.get("seller", {}):
        found["seller_name"] = content["seller"]["name"]
    orders = content.get("orders", ())
    platform = content.get("platform_id") or (orders[0]["platform_id"] if orders else None)
    if platform is not None:
        found["platform"] = platform
    if orders and orders[0]["platform_id"] == platform:
        found["order_id"] = orders[0]["order_id"]
        dealt |= {"/orders/0/platform_id", "/orders/0/order_id"}
    return found


def _derived(content: Mapping[str, Any], dealt: set[str]) -> None:
    """What a reader makes again of the columns written is not lost."""
    for field, party in (("country_of_dispatch", "consignor"), ("country_of_destination", "consignee")):
        if content.get(field) == content.get(party, {}).get("country"):
            dealt.add(f"/{field}")
    if content.get("mode_of_transport") == "4" and "master_transport_document_id" in content:
        dealt.add("/mode_of_transport")
    amounts = [line["item_amount"] for line in content.get("goods_items", ()) if "item_amount" in line]
    value = content.get("declared_value")
    if value is None or {each["currency"] for each in amounts} != {value["currency"]}:
        return
    if Decimal(values.total([each["amount"] for each in amounts])) == Decimal(value["amount"]):
        dealt |= {"/declared_value/amount", "/declared_value/currency"}
