"""NAD: a party in any EDIFACT message of the hub, read and written.

``NAD+3035+C082 identifier+C058 block+C080 name+C059 street+city+subdivision+postcode+country``. A name goes on over components of 35
characters; the first component of C059 is street and number, the others the second line.
"""

from __future__ import annotations

from typing import Final

from shared.formats.edifact import Composer, Segment, whole
from shared.model import Party

_NAD_FIELDS: Final = (
    (2, "identifier"),
    (4, "name"),
    (5, "street_line"),
    (6, "city"),
    (7, "country_subdivision"),
    (8, "postcode"),
    (9, "country"),
)


def read(party: dict[str, str], segment: Segment) -> None:
    """Read C082, C080, C059 and the address elements of NAD; C058 is an address or name in one block."""
    size = len(segment)
    for element, field in _NAD_FIELDS:
        if element < size:
            parts = segment[element]
            said = parts[0].strip() if len(parts) == 1 or element != 4 else whole(segment, 4, 35)
            if said:
                party[field] = said
    if size > 5 and len(segment[5]) > 1:
        said = whole(segment, 5, 35, 1)
        if said:
            party["street_line_2"] = said
    if len(segment) > 3 and any(segment[3]):
        lines = [part.strip() for part in segment[3] if part.strip()]
        if "name" not in party:
            party["name"] = lines.pop(0)
        if lines and "street_line" not in party:
            party["street_line"] = ", ".join(lines)


def write_nad(composer: Composer, qualifier: str, party: Party) -> None:
    """Write the NAD of one party. A long street goes on in the second line, where that is free; what does not fit is cut; both are told."""
    base = composer.path
    street, second = party.street_line or "", party.street_line_2 or ""
    composer.path = f"{base}/street_line"
    if len(composer.fit(street)) > _WIDTH and not second:
        composer.note("WRITE-CUT", street, "The street goes on in the second line.")
        street, second = street[:_WIDTH], street[_WIDTH:]
    streets = [*(composer.cut(street, _WIDTH, 1) or [""])]
    composer.path = f"{base}/street_line_2"
    streets += composer.cut(second, _WIDTH, 2)
    composer.path = f"{base}/name"
    name = composer.cut(party.name or "", _WIDTH, 5)
    composer.path = f"{base}/city"
    city = composer.cut(party.city or "", _WIDTH, 1)
    composer.path = base
    place = ("".join(city), party.country_subdivision, party.postcode, party.country)
    composer.segment("NAD", qualifier, party.identifier, None, name, streets, *place)


_WIDTH: Final = 35
