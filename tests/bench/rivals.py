"""What the readers are measured against: the same bytes read the usual way, each with no more checks than its library makes.

Every rival gets the same input as the parser of the hub and stops earlier: xsdata at its own classes, pydifact at segments, the CSV reader
at the filing, without findings, provenance or codes looked up.
"""

from __future__ import annotations

import csv
import dataclasses
import hashlib
import io
import json
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

from lxml import etree
from pydifact.control import Characters
from pydifact.parser import Parser, TokenIterator
from pydifact.tokenizer import Tokenizer
from xsdata.formats.dataclass.context import XmlContext
from xsdata.formats.dataclass.parsers import XmlParser
from xsdata.formats.dataclass.parsers.handlers import LxmlEventHandler
from xsdata.models.datatype import XmlDate, XmlDateTime

from shared.contracts import express_key
from shared.model import Filing
from tests.bench.bare import PARSER


def lxml(body: bytes) -> object:
    """Parse *body* with the hardened parser and do nothing with it."""
    return etree.fromstring(body, PARSER)


def pydifact(body: bytes) -> object:
    """Read the segments of an interchange and nothing more: what pydifact would check of each segment is left out in its favour."""
    text = body.decode("latin-1")
    characters = Characters()
    if text.startswith("UNA"):
        characters, text = Characters.from_str(text[:9]), text[9:].lstrip("\r\n")
    return list(Parser().convert_tokens_to_raw_segments(TokenIterator(Tokenizer().get_tokens(text, characters))))


# --- xsdata ------------------------------------------------------------------------------------------------------------------------------


_KINDS: Final = (
    (re.compile(r".*(?:DateTime|Dt)").fullmatch, XmlDateTime),
    (re.compile(r".*Date").fullmatch, XmlDate),
    (re.compile(r".*(?:Measure|Amount|Weight|Postage)").fullmatch, Decimal),
    (re.compile(r".*(?:Count|Quantity|Numeric)|Index|Number").fullmatch, int),
)
"""The types that the guides give to leaves with such names; everything else is text, codes and identifiers of digits, too."""


def xsdata(bodies: Sequence[bytes]) -> Callable[[bytes], object]:
    """Return a reader with dataclasses as ``xsdata generate`` makes them, with the parser as its documentation sets it up: its default
    configuration, and its default handler where lxml is there.

    One class a kind of element, with all that *bodies* have in it; values have the types of a schema: amounts and masses are decimals,
    dates ``XmlDate`` and ``XmlDateTime``, counts whole numbers, the rest is text. The rival makes no other checks.
    """
    roots = [etree.fromstring(body) for body in bodies]
    made = _class_of(roots)
    parser = XmlParser(context=XmlContext(), handler=LxmlEventHandler)
    return lambda body: parser.from_bytes(body, made)


def _class_of(elements: Sequence[etree._Element]) -> type:
    """Return the dataclass of elements of one name: texts, attributes, children; what comes twice anywhere is a list."""
    name = etree.QName(elements[0])
    fields: list[Any] = [
        (f"attribute_{number}", str | None, dataclasses.field(default=None, metadata={"name": key, "type": "Attribute"}))
        for number, key in enumerate(dict.fromkeys(key for element in elements for key in element.attrib))
    ]
    inner: dict[str, list[list[etree._Element]]] = {}
    for element in elements:
        here: dict[str, list[etree._Element]] = {}
        for child in element.iterchildren(etree.Element):
            here.setdefault(str(child.tag), []).append(child)
        for tag, children in here.items():
            inner.setdefault(tag, []).append(children)
    if not inner:
        fields.append(("value", _kind(name.localname) | None, dataclasses.field(default=None, metadata={"type": "Text"})))
    for number, (tag, groups) in enumerate(inner.items()):
        children = [child for group in groups for child in group]
        bare = all(not len(child) and not child.attrib for child in children)
        kind: Any = _kind(etree.QName(tag).localname) if bare else _class_of(children)
        said = {"name": etree.QName(tag).localname, "type": "Element", "namespace": etree.QName(tag).namespace or ""}
        if any(len(group) > 1 for group in groups):
            fields.append((f"element_{number}", list[kind], dataclasses.field(default_factory=list, metadata=said)))
        else:
            fields.append((f"element_{number}", kind | None, dataclasses.field(default=None, metadata=said)))
    meta = type("Meta", (), {"name": name.localname, "namespace": name.namespace})
    return dataclasses.make_dataclass(name.localname, fields, namespace={"Meta": meta})


def _kind(name: str) -> Any:
    return next((kind for is_meant, kind in _KINDS if is_meant(name)), str)


# --- a table with the standard library ---------------------------------------------------------------------------------------------------

_RECEIVED_AT: Final = datetime(2026, 11, 21, 18, tzinfo=UTC)
_PARTY: Final = {
    "name": "name", "street_line": "address1", "city": "city", "country_subdivision": "region", "postcode": "postcode",
    "country": "country", "phone": "phone", "email": "email",
}  # fmt: skip
_PERSONS: Final = {"1": "natural", "2": "legal"}


def dict_reader(body: bytes) -> list[Filing]:
    """Read a manifest with ``csv.DictReader`` into the filings it means, one for the rows of each house."""
    houses: dict[str, list[dict[str, str]]] = {}
    for row in csv.DictReader(io.StringIO(body.decode("utf-8-sig"))):
        houses.setdefault(row["hawb"], []).append(row)
    return [_filing(number, rows) for number, rows in houses.items()]


def _filing(number: str, rows: Sequence[dict[str, str]]) -> Filing:
    first = rows[0]
    consignment = {
        "house_transport_document_id": number,
        "house_transport_document_type": "703",
        "master_transport_document_id": first["mawb"],
        "channel": "express",
        "mode_of_transport": "4",
        "carrier_id": "sample-sender",
        "conveyance_reference": first["flight"],
        "departure_on": first["flight_date"] or None,
        "place_of_loading": first["dep_airport"] or None,
        "place_of_arrival": first["arr_airport"] or None,
        "country_of_dispatch": first["shipper_country"],
        "country_of_destination": first["consignee_country"],
        "package_count": first["pieces"],
        "gross_mass_kg": f"{float(first['gross_weight']):.3f}",
        "declared_value": {"amount": str(sum(Decimal(row["item_value"]) for row in rows)), "currency": first["currency"]},
        "consignor": _party(first, "shipper"),
        "consignee": _party(first, "consignee"),
        "goods_items": [_goods_item(row) for row in rows],
        "tax_scheme": first["tax_scheme"].lower() or None,
        "extra": {"manifest_no": first["manifest_no"]},
    }
    if first["ioss_no"]:
        consignment["tax_ids"] = [{"scheme": "ioss", "number": first["ioss_no"], "role": "seller"}]
    if first["sale_type"]:
        consignment["business_model"] = first["sale_type"].lower()
        consignment["nature_of_transaction"] = None if first["sale_type"] == "C2C" else "sale"
    if first["order_id"]:
        consignment["platform_id"] = first["platform"]
        consignment["orders"] = [{"platform_id": first["platform"], "order_id": first["order_id"]}]
    content = hashlib.sha256(json.dumps(consignment, sort_keys=True).encode()).hexdigest()
    return Filing.model_validate(
        {
            "filing_id": uuid5(NAMESPACE_URL, number),
            "key": express_key("sample-sender", number),
            "participant": "sample-sender",
            "format": "manifest-csv",
            "message_id": "BENCH",
            "position": "line",
            "received_at": _RECEIVED_AT,
            "content_digest": content,
            "consignment": consignment,
        }
    )


def _party(row: dict[str, str], prefix: str) -> dict[str, str]:
    found = {field: said for field, column in _PARTY.items() if (said := row[f"{prefix}_{column}"])}
    if person := row.get(f"{prefix}_person_type"):
        found["type_of_person"] = _PERSONS[person]
    return found


def _goods_item(row: dict[str, str]) -> dict[str, Any]:
    return {
        "sequence_number": row["item_no"],
        "goods_description": row["description"],
        "hs_code": row["hs_code"] or None,
        "country_of_origin": row["origin_country"] or None,
        "quantity": row["quantity"],
        "net_mass_kg": row["item_net_kg"] or None,
        "item_amount": {"amount": row["item_value"], "currency": row["currency"]},
    }
