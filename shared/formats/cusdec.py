"""CUSDEC, UN/EDIFACT D.95B and later: the header and the items of a declaration, as far as a legacy partner's message needs it.

A message is one declaration about one house consignment, named by ``RFF+HWB`` (an S10 number there is a postal item). An item begins
with ``CST`` (HS code in list 122 or 169, procedure in 117). ``TAX`` and what follows it until the next item are the partner's own
reckoning: kept, never used. The number of the declaration becomes ``trader_reference``; the message id is that number and the
interchange's reference.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final

from shared.formats import cuscar, edifact
from shared.formats.base import ITEM_LIMIT, Certainty, Likeness, Parsed, Sketch
from shared.formats.edifact import Job, Segment, SegmentItem, value
from shared.formats.edifact_consignment import SEGMENTS, House
from shared.formats.xml import malformed
from shared.identifiers import s10
from shared.model import Dialect, Filing, RawMessage, Rejection

NAME: Final = "cusdec"
TITLE: Final = "CUSDEC customs declaration (header and items), UN/EDIFACT"
CONTENT_TYPES: Final[tuple[str, ...]] = ("application/edifact", "text/plain")
VERSIONS: Final[tuple[str, ...]] = ("D:95B", "D:96B", "D:99B")
SOURCE: Final = "UN/EDIFACT directory D.95B; the few segments that low-value declarations used"
CERTAINTY: Final[Certainty] = "inferred"
ACKNOWLEDGED_BY: Final = "contrl"

PATHS: Final[Mapping[str, str]] = MappingProxyType(
    {path: own.replace("GID[*]/CST", "CST[*]").replace("GID", "CST") for path, own in cuscar.PATHS.items()}
    | {"/trader_reference": "BGM/1004", "/goods_items/*/sequence_number": "CST[*]/1496", "/departure_on": "DTM+136/2380"}
    | {"/goods_items/*/package_count": "CST[*]/PAC/7224", "/extra/TAX": "TAX"}
)


def recognise(sketch: Sketch) -> Likeness:
    """An EDIFACT interchange whose first message is a CUSDEC."""
    return cuscar.likeness(sketch, "CUSDEC")


def parse(raw: RawMessage, dialect: Dialect) -> Parsed:
    """Read the declarations of a file. Raises :class:`shared.errors.MalformedMessage` when the file is refused as a whole."""
    found, rejected = edifact.jobs(raw, dialect, name=NAME, type="CUSDEC", versions=VERSIONS, number=cuscar.message_id)
    if len(found) > ITEM_LIMIT:
        raise malformed("MSG-ITEMS", path="UNH", value=str(len(found)))

    def items() -> Iterator[Filing | Rejection]:
        yield from rejected
        for job in found:
            yield _declaration(job, raw, dialect)

    return Parsed(edifact.first_head(found, rejected, NAME), items(), len(found) + len(rejected))


def _declaration(job: Job, raw: RawMessage, dialect: Dialect) -> Filing | Rejection:
    item = SegmentItem(job.message.position, PATHS, dialect, list(job.findings))
    house = House(job.interchange.syntax, dialect, item)
    house.take(job.message.segments, 1, len(job.message.segments) - 1, _TABLE)
    number = house.content.get("house_transport_document_id", "")
    if s10.problem(number) is None:
        house.content["house_transport_document_id"] = s10.normalise(number)
        return cuscar.concluded(house, job, raw, postal=True)
    return cuscar.concluded(house, job, raw)


# --- what differs from a cargo report ----------------------------------------------------------------------------------------------------


def _bgm(house: House, segment: Segment, place: int) -> None:
    house.put("trader_reference", value(segment, 2), place)
    house.item.places["/function"] = place
    if value(segment, 1):
        house.extra["BGM"] = value(segment, 1)


def _cst(house: House, segment: Segment, place: int) -> None:
    """A new item."""
    house.line = {}
    house.role = ""
    house.item.places[f"/goods_items/{len(house.goods)}"] = place
    house.goods.append(house.line)
    house.put_line("sequence_number", value(segment, 1), place)
    SEGMENTS["CST"](house, segment, place)


def _pac(house: House, segment: Segment, place: int) -> None:
    if house.line is None:
        house.put("package_count", value(segment, 1), place)
    else:
        house.put_line("package_count", value(segment, 1), place)


def _tax(house: House, segment: Segment, place: int) -> None:
    """The partner's own reckoning of a duty or tax."""
    house.extra[f"CST[{len(house.goods)}]/TAX+{value(segment, 2)[:10]}"] = value(segment, 5, 3) or value(segment, 1)


def _moa(house: House, segment: Segment, place: int) -> None:
    if value(segment, 1) in _RECKONED:
        house.extra[f"CST[{len(house.goods)}]/MOA+{value(segment, 1)}"] = f"{value(segment, 1, 1)} {value(segment, 1, 2)}".strip()
    else:
        SEGMENTS["MOA"](house, segment, place)


def _doc(house: House, segment: Segment, place: int) -> None:
    document: dict[str, Any] = {"document_type": value(segment, 1)[:3], "document_id": value(segment, 2)}
    house.item.places["/documents"] = place
    house.content.setdefault("documents", []).append({name: said for name, said in document.items() if said})


_RECKONED: Final = frozenset({"55", "56", "63", "123", "124", "161"})
"""MOA qualifiers that are results: duty and tax amounts, statistical value, FOB value."""
_DATES: Final = {"136": "133"}


def _dtm(house: House, segment: Segment, place: int) -> None:
    qualifier = value(segment, 1)
    if qualifier in _DATES:
        segment = [segment[0], [_DATES[qualifier], *segment[1][1:]], *segment[2:]]
    SEGMENTS["DTM"](house, segment, place)


def _qualified(house: House, segment: Segment, place: int) -> None:
    """CNT: totals of the declaration; the number of items (5) is compared with what was read at the end."""
    if value(segment, 1) == "5":
        said = value(segment, 1, 1)
        if said != str(len(house.goods)):
            at = f"{house.item.position}/CNT+5/6066 (segment {place})"
            house.item.note(
                "EDI-TOTAL", at=at, value=said, message=f"CNT+5 says {said[:20]}, the declaration has {len(house.goods)} items."
            )
    else:
        line, house.line = house.line, None
        SEGMENTS["CNT"](house, segment, place)
        house.line = line


_TABLE: Final[Mapping[str, Callable[[House, Segment, int], None]]] = MappingProxyType(
    {name: take for name, take in SEGMENTS.items() if name not in ("CNI", "GID")}
    | {"BGM": _bgm, "CST": _cst, "PAC": _pac, "TAX": _tax, "MOA": _moa, "DOC": _doc, "DTM": _dtm, "CNT": _qualified}
)
