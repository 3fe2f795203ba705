"""ITMATT, XML hub profile ``urn:hub:postal:itmatt:1``: the content of the CN 22 or CN 23 of each item, sent by the origin post before it
moves.

One file carries many items; each has a ``Function`` (ORIGINAL, REPLACE, CANCEL) and a ``Version``. An address may be structured (street,
city, postcode) or one block (``SenderAddress``, or several lines in ``SenderAddressLine1``); a block is kept whole in ``street_line``.
``Amount`` and ``NetWeight`` of a content piece are totals of the line. An item names its order by ``ExtraField name="OrderNumber"``; the
platform's code comes from ``ExtraField name="OrderPlatform"``, else from the dialect, else there is no link. The item's key is its S10
number; a post's own ``LocalId`` names nothing between posts.

The file is refused as a whole when it cannot be read, when a mandatory header field is missing or when ``ItemCount`` is wrong; an item is
refused with all its findings when a mandatory field is missing or malformed; what is merely poor (``DQ-``) travels on as a warning, with
the weight the dialect gives it.

Leaf names are those of the public classes of the UPU customs declaration system; envelope and versioning are the hub's own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from shared.formats import postal_files, xml
from shared.formats.base import Certainty, Envelope, Likeness, Parsed, Sketch, Written
from shared.formats.filings import Item
from shared.formats.postal_declarations import (
    PARTS,
    declared,
    is_bare,
    item_shape,
    item_start,
    paths,
    write_data,
    write_items,
    write_mail_object,
)
from shared.formats.postal_files import Profile, Sheet, each_unit, open_file
from shared.formats.postal_items import filing, function_and_version
from shared.formats.xml_writing import text
from shared.model import Consignment, Dialect, Filing, RawMessage, Rejection

NAME: Final = "itmatt"
TITLE: Final = "ITMATT item attributes, XML hub profile"
CONTENT_TYPES: Final = postal_files.CONTENT_TYPES
VERSIONS: Final = postal_files.VERSIONS
SOURCE: Final = "UPU M33/M52 by their public leaf names; envelope urn:hub:postal:itmatt:1"
CERTAINTY: Final[Certainty] = "reconstructed"
PROFILE: Final = Profile(NAME, "ITMATT", "ItmattFile", "Item")
PATHS: Final[Mapping[str, str]] = MappingProxyType(paths())


@lru_cache(maxsize=xml.SPELLINGS)
def _shape(namespace: str) -> xml.Shape:
    """Return the walker's table of one ``Item``."""
    return item_shape({namespace, ""})


def recognise(sketch: Sketch) -> Likeness:
    """An XML document whose root is ``ItmattFile``, in the profile's namespace or in none."""
    return postal_files.recognise(PROFILE, sketch)


def parse(raw: RawMessage, dialect: Dialect) -> Parsed:
    """Read an ITMATT file. Raises :class:`MalformedMessage` when the file is refused as a whole."""
    file = open_file(PROFILE, raw, dialect)

    def read(element: xml.Element, record: xml.Record, item: Item) -> Iterator[Filing | Rejection]:
        function, version = function_and_version(element.get("Function"), element.get("Version"), item)
        yield filing(declared(record), item, file.head, raw, function=function, version=version)

    return Parsed(file.head, each_unit(PROFILE, file, raw, dialect, PATHS, _shape(file.namespace), PARTS, read), len(file.units))


def write(filings: Sequence[Filing], envelope: Envelope, dialect: Dialect) -> Written:
    """Write *filings* of postal items as one file, one ``Item`` each, with function and version as filed (version 1 where none was)."""
    items, findings = write_items(filings, lambda each: Sheet(each.key, dialect), _item)
    return Written(postal_files.write_file(PROFILE, envelope, items, len(items)) if items else b"", findings)


def _item(filed: Filing, consignment: Consignment, sheet: Sheet) -> str:
    parts = [item_start(filed), write_mail_object(consignment, sheet)]
    if not is_bare(consignment):
        pid = consignment.postal.declaration_id if consignment.postal else None
        parts += ["<Declaration>", f"<PId>{text(pid)}</PId>" if pid else "", write_data(consignment, sheet), "</Declaration>"]
    return "".join([*parts, "</Item>"])
