"""What every reading format checks in the same way: numbers, countries, HS codes, origins, tax numbers, names.

Each check works on one record in the shape of the standard dataset, brings the value into its canonical form in place and leaves findings
with the item. A value that is merely poor never costs the item: it is read as what it stands for, or left out, with a warning (``DQ-``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from shared.codes import countries, currencies
from shared.formats import values
from shared.formats.filings import Item
from shared.identifiers import IdentifierProblem, eori, gtin, house_waybill, hs, ioss, voec
from shared.model import Dialect

COUNTRIES: Final = countries.codes(postal=True)
ORIGINS: Final = countries.codes()
CURRENCIES: Final = currencies.codes()

_EU = "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK"
EU: Final = frozenset(_EU.split())

_NO_POSTCODE = "AE AG AO AW BS BW BZ CW FJ GD GH GM GY HK JM KI KM KN LC ML MO MR MW NR PA QA RW SC SL SR TL TO TV UG VC VU ZW"
NO_POSTCODE: Final = frozenset(_NO_POSTCODE.split())
"""Countries whose addresses have no postcode (UPU addressing sheets)."""

JUNK_NAMES: Final = frozenset(
    {"n/a", "na", "unknown", "private", "test", "none", "customer", "consignee", "addressee", "to order", "same", "xxx"}
)

_WITH_COMMA = re.compile(r"[+-]?[0-9. ]{1,19},[0-9]{1,9}").fullmatch
_COMMA_REMEDY: Final = "Write a decimal point, or have the comma agreed in your dialect (decimal_comma)."

_TAX_NUMBERS: Final = {"ioss": ioss, "voec": voec, "eori": eori}


def number(
    record: dict[str, Any],
    field: str,
    read: Callable[[str, Dialect], str | None],
    path: str,
    item: Item,
    *,
    mandatory: bool = False,
    positive: str | None = None,
) -> None:
    """Bring a number into its canonical form; *positive* is the finding for one that is not more than zero."""
    said = record.get(field)
    if said is None:
        if mandatory:
            item.note("FLD-MISSING", path)
        return
    canonical = read(said, item.dialect)
    if canonical is None:
        no_number(said, path, item)
        return
    record[field] = canonical
    if positive and (canonical[0] == "-" or not canonical.strip("0.")):
        item.note(positive, path, said)


def no_number(said: str, path: str, item: Item) -> None:
    """Tell that *said* is no number; where it is one to people who write commas, what to do about it."""
    if _WITH_COMMA(said) and not item.dialect.decimal_comma:
        item.note("FLD-FORM", path, said, message="The number has a comma.", remedy=_COMMA_REMEDY)
    else:
        item.note("FLD-FORM", path, said)


def money(amount: str | None, currency: str | None, path: str, item: Item) -> dict[str, str] | None:
    """Return an amount with its currency, or None with findings: both are mandatory once one of them is needed."""
    if amount is None or currency is None:
        item.note("FLD-MISSING", f"{path}/{'amount' if amount is None else 'currency'}")
        return None
    canonical = values.money(amount, item.dialect)
    if canonical is None:
        no_number(amount, f"{path}/amount", item)
        return None
    if currency not in CURRENCIES:
        upper = currency.upper()
        if upper not in CURRENCIES:
            item.note("FLD-CODE", f"{path}/currency", currency)
            return None
        currency = upper
    return {"amount": canonical, "currency": currency}


def spare_money(amount: str | None, currency: str | None, path: str, item: Item) -> dict[str, str] | None:
    """Return an amount that is not worth losing an item for: an unreadable one is left out with a warning."""
    if amount is None:
        return None
    canonical = values.money(amount, item.dialect)
    if canonical is None or currency not in CURRENCIES:
        item.note("FLD-CODE-DROPPED", f"{path}/{'currency' if canonical else 'amount'}", currency if canonical else amount)
        return None
    return {"amount": canonical, "currency": currency or ""}


def country(record: dict[str, Any], field: str, path: str, item: Item, *, mandatory: bool) -> None:
    """Keep a country's code; read a name, another case or a common slip as the code it stands for, with a warning."""
    said = record.get(field)
    if said in COUNTRIES:
        return
    if said is None:
        if mandatory:
            item.note("FLD-MISSING", path)
        return
    likely = _likely_country(said, item.dialect)
    if likely is None:
        item.note("FLD-CODE", path, said)
    else:
        item.note("FLD-CODE-MAPPED", path, said, message=f"{said[:40]!r} is no ISO 3166-1 code; {likely} was taken.")
        record[field] = likely


def origin(record: dict[str, Any], path: str, item: Item) -> None:
    """DQ-17. An origin that is no country is read as the country it stands for, or left out; both with a warning."""
    said = record.get("country_of_origin")
    if said in ORIGINS:
        return
    item.note("DQ-17", path, said)
    if said is not None:
        likely = _likely_country(said, item.dialect)
        if likely is None:
            del record["country_of_origin"]
        else:
            record["country_of_origin"] = likely


def _likely_country(said: str, dialect: Dialect) -> str | None:
    return dialect.code_maps.get("country", {}).get(said) or countries.suggest(said)


def hs_code(record: dict[str, Any], path: str, item: Item, *, wanted: bool) -> None:
    """DQ-16. Separators are dropped; a short or unknown code stays with a warning; what is no HS code at all is left out with one."""
    said = record.get("hs_code")
    if said is None:
        if wanted:
            item.note("DQ-16", path)
        return
    if hs.is_plain(said):
        return
    found = hs.problem(said)
    if found is not None:
        item.note("DQ-16", path, said, message=found.message, remedy=found.remedy)
    if not said.isdecimal() or not said.isascii():
        said = record["hs_code"] = hs.normalise(said)
    if not (said.isascii() and said.isdecimal() and 4 <= len(said) <= 12):
        del record["hs_code"]


def description(record: Mapping[str, Any], path: str, item: Item) -> None:
    """DQ-13, DQ-23: a text of at least three letters, read in the right character set. Whether it is precise enough is for the policy."""
    said = record.get("goods_description")
    if said is None:
        item.note("FLD-MISSING", path)
    elif len(said) < 3 or said.isdecimal():
        item.note("DQ-13", path, said)
    elif not said.isascii() and ("\ufffd" in said or "Ã©" in said or "Ã¨" in said or "Ã¼" in said):
        item.note("DQ-23", path, said)


def is_well_named(party: Mapping[str, Any]) -> bool:
    """Whether :func:`name` has nothing to say."""
    said = party.get("name")
    return said is not None and len(said) > 2 and not said.isdecimal() and said.lower() not in JUNK_NAMES


def name(party: Mapping[str, Any], path: str, item: Item, *, mandatory: bool = True) -> None:
    """DQ-10: a name names somebody."""
    said = party.get("name")
    if said is None:
        if mandatory:
            item.note("FLD-MISSING", path)
    elif not is_well_named(party):
        item.note("DQ-10", path, said)


def contactable(consignee: Mapping[str, Any], item: Item) -> None:
    """DQ-09: within the EU the addressee needs a telephone number or an e-mail address."""
    if "phone" not in consignee and "email" not in consignee and consignee.get("country") in EU:
        item.note("DQ-09", "/consignee/phone")


def one_block(text: str) -> str:
    """Return an address of several lines as one line, whole."""
    return ", ".join(" ".join(line.split()) for line in text.splitlines() if line.strip())


def tax_number(scheme: str, said: str, path: str, item: Item) -> str:
    """Return a tax number in its canonical form; a wrong one is kept as sent, with a warning."""
    return identifier(said, *_tax_number(scheme, said), path, item)


@lru_cache(maxsize=4096)
def _tax_number(scheme: str, said: str) -> tuple[IdentifierProblem | None, str]:
    """Judge a tax number: a seller's stands on each of its parcels."""
    module = _TAX_NUMBERS.get(scheme)
    return (None, said) if module is None else (module.problem(said), module.normalise(said))


def standard_product(record: dict[str, Any], path: str, item: Item) -> None:
    """A GTIN with a wrong check digit stays with a warning; one that does not fit its field is left out."""
    said = record.get("standard_product_id")
    if said is not None:
        record["standard_product_id"] = identifier(said, gtin.problem(said), gtin.normalise(said), path, item)
        if len(record["standard_product_id"]) > 14:
            del record["standard_product_id"]


def identifier(said: str, found: IdentifierProblem | None, canonical: str, path: str, item: Item) -> str:
    """Return *canonical*, or the text as sent when its form is broken; any problem becomes a warning with the identifier's own remedy."""
    if found is None:
        return canonical
    item.note("FLD-IDENTIFIER", path, said, message=f"{found.code}: {found.message}", remedy=found.remedy)
    return said if found.severity == "error" else canonical


def moment(said: str, item: Item, path: str) -> datetime | None:
    """Return an instant; one without offset is read in the dialect's zone, one that is none is left out; both are told."""
    try:
        if values.instant(said):
            return datetime.fromisoformat(said)
        local = values.local_instant(said, item.dialect)
        if local is not None:
            item.note("TIME-ZONE-ASSUMED", path, said)
            return datetime.fromisoformat(local)
    except ValueError:
        pass
    item.note("FLD-DROPPED", path, said)
    return None


def house_number(said: str | None, item: Item) -> str:
    """Return the number of a house in its canonical form; an empty text, with a finding, where there is none or none of its form."""
    if not said:
        item.note("FLD-KEY", "/house_transport_document_id")
        return ""
    found = house_waybill.problem(said)
    if found is not None:
        item.note("FLD-FORM", "/house_transport_document_id", said, message=found.message, remedy=found.remedy)
        return ""
    return house_waybill.normalise(said)


def keyed_house(content: dict[str, Any], item: Item) -> str:
    """Bring the house number of *content* into its canonical form and return it, or an empty text with a finding."""
    house = house_number(content.get("house_transport_document_id"), item)
    if house:
        content["house_transport_document_id"] = house
    return house
