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
    """Why the goods travel. ``is_commercial`` drives the HS and tax rules; ``alias`` is the two-letter form some posts send."""

    code: str
    term: str
    name: str
    alias: str
    is_commercial: bool


_NATURES = (
    Nature("11", "merchandise", "sale of goods", "SG", True),
    Nature("21", "returned_goods", "returned goods", "RG", True),
    Nature("31", "gift", "gift", "GI", False),
    Nature("32", "sample", "commercial sample", "CS", True),
    Nature("91", "documents", "documents", "DO", False),
    # Mixed and other count as commercial until the destination says otherwise.
    Nature("991", "mixed", "mixed content", "MX", True),
    Nature("999", "other", "other", "OT", True),
)

NATURES = MappingProxyType({nature.code: nature for nature in _NATURES})
"""Nature of transaction by its numeric code."""

_NATURE_BY_TEXT = {key.upper(): entry for entry in _NATURES for key in (entry.code, entry.alias, entry.term)}

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
    """Return the nature of transaction for a numeric code, a two-letter alias or a platform term; None when unknown.

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
