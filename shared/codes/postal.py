"""Code lists of the Universal Postal Union as far as they are public, and how the hub reads them.

Nature of transaction as on the customs forms CN 22 and CN 23; mail category from UPU code list 115; sub-classes from list 117.

>>> nature("GI").term, nature("11").is_commercial, nature("21").code
('gift', True, '21')
>>> mail_class("CN")
'C'
"""

from __future__ import annotations

from types import MappingProxyType
from typing import NamedTuple


class Nature(NamedTuple):
    """Why the goods travel.

    ``term`` is the word of the standard dataset, ``alias`` the two-letter form some posts send, ``platform_term`` what platforms write;
    ``is_commercial`` drives the HS and tax rules.
    """

    code: str
    term: str
    name: str
    alias: str
    platform_term: str
    is_commercial: bool


_NATURES = (
    Nature("11", "sale", "sale of goods", "SG", "merchandise", True),
    Nature("21", "returned_goods", "returned goods", "RG", "returned_goods", True),
    Nature("31", "gift", "gift", "GI", "gift", False),
    Nature("32", "commercial_sample", "commercial sample", "CS", "sample", True),
    Nature("91", "documents", "documents", "DO", "documents", False),
    # Mixed and other count as commercial until the destination says otherwise.
    Nature("991", "mixed", "mixed content", "MX", "mixed", True),
    Nature("999", "other", "other", "OT", "other", True),
)

NATURES = MappingProxyType({nature.code: nature for nature in _NATURES})
"""Nature of transaction by its numeric code."""

_NATURE_BY_TEXT = {key.upper(): entry for entry in _NATURES for key in (entry.code, entry.alias, entry.term, entry.platform_term)}

MAIL_CLASSES = MappingProxyType({"U": "letter post", "C": "parcel", "E": "EMS", "T": "empty receptacles"})

MAIL_CATEGORIES = MappingProxyType(
    {
        "A": "air or priority",
        "B": "surface air lifted or non-priority",
        "C": "surface or non-priority",
        "D": "priority sent by surface",
    }
)
"""UPU code list 115."""

MAIL_SUBCLASSES = MappingProxyType(
    {
        "CA": "parcels à découvert",
        "CB": "returned parcels",
        "CC": "e-commerce parcels",
        "CD": "direct access",
        "CE": "EPG",
        "CF": "consignment",
    }
)
"""UPU code list 117 as far as public; any two letters are accepted, the first is the mail class."""

HANDLING_CLASSES = MappingProxyType({"R": "registered", "V": "insured", "N": "normal"})

FLOWS = MappingProxyType({"I": "import", "O": "export"})

DOCUMENT_TYPES = MappingProxyType(
    {
        "380": "invoice",
        "325": "pro forma invoice",
        "911": "import licence",
        "861": "certificate of origin",
    }
)
"""UN/EDIFACT 1001 where one fits; national codes pass through."""


def nature(text: str) -> Nature | None:
    """Return the nature of transaction for a numeric code, a two-letter alias or a word; None when unknown.

    ``GD`` (seen for gift and for goods) is ambiguous and stays unknown.
    """
    return _NATURE_BY_TEXT.get(text.strip().upper())


def nature_of_gift_flag(is_gift: bool) -> Nature:
    """Return what the bare gift flag of some dialects stands for: gift, or sale of goods (a derived value)."""
    return NATURES["31" if is_gift else "11"]


def mail_class(subclass: str) -> str | None:
    """Return the mail class a sub-class belongs to (its first letter), or None when that is no class."""
    first = subclass[:1].upper()
    return first if first in MAIL_CLASSES else None
