"""The few codes of UN/ECE Recommendations 19 (modes), 20 (units) and 21 (packages) the hub itself needs.

Other codes of those lists pass through; national lists are loaded, not written in.

>>> to_kilograms(Decimal("2"), "LBR"), unit_code("kg")
(Decimal('0.90718474'), 'KGM')
"""

from __future__ import annotations

from decimal import Decimal
from types import MappingProxyType

UNITS = MappingProxyType(
    {
        "KGM": "kilogram",
        "GRM": "gram",
        "LBR": "pound",
        "ONZ": "ounce",
        "MTR": "metre",
        "LTR": "litre",
        "H87": "piece",
        "C62": "one",
        "PR": "pair",
    }
)
"""Recommendation 20."""

PACKAGE_TYPES = MappingProxyType({"CT": "carton", "PK": "package", "BX": "box", "EN": "envelope", "BG": "bag"})
"""Recommendation 21."""

TRANSPORT_MODES = MappingProxyType({"1": "sea", "2": "rail", "3": "road", "4": "air", "5": "mail", "9": "unknown"})
"""Recommendation 19."""

# What senders write instead of the code.
_ALIASES = {
    **dict.fromkeys(("KG", "KGS", "KILO", "KILOGRAM", "K"), "KGM"),
    **dict.fromkeys(("G", "GR", "GRAM", "GRAMS"), "GRM"),
    **dict.fromkeys(("LB", "LBS", "L", "POUND"), "LBR"),
    **dict.fromkeys(("OZ", "OUNCE"), "ONZ"),
    **dict.fromkeys(("PCE", "PCS", "PC", "EA", "PIECE", "PIECES"), "H87"),
    "M": "MTR",
    "LT": "LTR",
}

# One unit in kilograms; the pound and ounce are the international avoirdupois ones (exact by definition).
_KILOGRAMS = {
    "KGM": Decimal(1),
    "GRM": Decimal("0.001"),
    "LBR": Decimal("0.45359237"),
    "ONZ": Decimal("0.028349523125"),
}


def unit_code(text: str) -> str | None:
    """Return the Recommendation 20 code for what a sender wrote (code or common short form), or None.

    ``K`` and ``L`` are read as kilogram and pound, as air cargo messages use them.
    """
    wanted = text.strip().upper()
    return wanted if wanted in UNITS else _ALIASES.get(wanted)


def to_kilograms(amount: Decimal, unit: str) -> Decimal | None:
    """Convert a mass in *unit* (code or short form) to kilograms, unrounded; None when *unit* is no mass."""
    factor = _KILOGRAMS.get(unit_code(unit) or "")
    return None if factor is None else amount * factor
