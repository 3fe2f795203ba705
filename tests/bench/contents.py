"""What the formats are measured with: the samples that hold one good item, and files of many items made of them.

Nothing here knows a format. In XML the element that repeats is found by trying: the one whose copy gives one item more with the fewest
findings. A copy has numbers of its own, valid where the number has a check digit.
"""

from __future__ import annotations

import copy
import re
from collections import deque
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from random import Random
from typing import Any, Final

import orjson
from lxml import etree

from services.sandbox.goods import some_lines
from services.sandbox.people import a_firm, a_person
from services.sandbox.writers import Flight, Parcel, air_waybill, manifest_csv, manifest_rows, s10
from shared.contracts import Answer
from shared.errors import MalformedMessage
from shared.formats import FORMATS, READERS
from shared.formats.base import BODY_LIMIT, ITEM_LIMIT, Envelope, FilingWriter
from shared.model import DEFAULT_DIALECT, Filing
from tests.samples import raw, samples

XML: Final = tuple(name for name, module in READERS.items() if "application/xml" in module.CONTENT_TYPES)
"""The formats read that are XML, in the order of the list."""
_BEST: Final = ("single", "reference", "full", "complete", "minimal")
_S10 = re.compile(r"[A-Z]{2}[0-9]{9}[A-Z]{2}").fullmatch
_WAYBILL = re.compile(r"[0-9]{3}-[0-9]{8}").fullmatch
_SERIAL = re.compile(r"[0-9]{1,7}(?=[^0-9]*$)")


def items(format: str, body: bytes) -> list[Filing | Answer]:
    """Return what *body* is read as; nothing when any of it is refused."""
    try:
        found = list(READERS[format].parse(raw(body), DEFAULT_DIALECT))
    except MalformedMessage:
        return []
    return [each for each in found if isinstance(each, Filing | Answer)] if _all_good(found) else []


def _all_good(found: Sequence[object]) -> bool:
    return all(isinstance(each, Filing | Answer) for each in found)


@cache
def singles(format: str) -> tuple[bytes, ...]:
    """Return the samples of *format* that are read as one filing or one answer with nothing to complain of, or else with the least.

    Where a message always gives several, the samples that are taken whole.
    """
    read = [(body, found) for path in _paths(format) if (found := items(format, body := path.read_bytes()))]
    ones = [(body, found) for body, found in read if len(found) == 1] or read
    least = min(complaints(found) for _, found in ones)
    return tuple(body for body, found in ones if complaints(found) == least)


def complaints(found: Sequence[Filing | Answer]) -> int:
    """Return how many findings there are."""
    return sum(len(each.findings or ()) for each in found if isinstance(each, Filing))


def of_one_root(format: str) -> list[bytes]:
    """Return those of :func:`singles` whose document element has the name that most of them have, namespace and all."""
    by_root: dict[str, list[bytes]] = {}
    for body in singles(format):
        by_root.setdefault(str(etree.fromstring(body).tag), []).append(body)
    return max(by_root.values(), key=len)


def _paths(format: str) -> list[Path]:
    """Return the samples of a format; of one that has XML and something else, those in XML."""
    return [path for path in samples(format) if format not in XML or path.suffix == ".xml"]


@cache
def many(format: str, count: int) -> bytes | None:
    """Return one message of *count* items, or None where a message of the format holds one thing only."""
    for body in _preferred(format):
        made = _repeated_xml(format, body, count) if format in XML else _repeated(format, body, count)
        if made is not None and len(items(format, made)) == count:
            return made
    return None


@cache
def manifest(count: int) -> bytes:
    """Return a manifest as CSV of *count* consignments as they come: of 40 shippers, each to a consignee of its own, with one to three
    goods lines."""
    random = Random(7)
    flight = Flight("M-7", air_waybill("888", 4512307), "XX8012", _DEPARTED_AT, "SZX", "LGG")
    shippers = [a_firm("CN", random) for _ in range(40)]
    parcels = [
        Parcel(
            number=f"SXT{serial:08d}",
            consignor=random.choice(shippers),
            consignee=a_person(random.choice(("BE", "DE", "FR", "NL")), random),
            lines=some_lines(random),
            posted_at=_DEPARTED_AT,
            ioss="IM3720000018" if random.random() < 0.6 else None,
            order=("sample-shop", f"T-{serial}") if random.random() < 0.6 else None,
        )
        for serial in range(1, count + 1)
    ]
    return manifest_csv([row for parcel in parcels for row in manifest_rows(parcel, flight)])


_DEPARTED_AT: Final = datetime(2026, 11, 20, 22, tzinfo=UTC)


def large(format: str, size: int = BODY_LIMIT) -> bytes:
    """Return a file as near to *size* bytes as the format's own limits let it come, never larger."""
    one, some = many(format, 100), many(format, 500)
    if one is None or some is None:
        raise ValueError(f"{format} holds one item a message")
    count = min(ITEM_LIMIT, 500 + int((size - len(some)) / ((len(some) - len(one)) / 400)))
    while count > 500:
        made = many(format, count)
        if made is not None and len(made) <= size:
            return made
        count = int(count * 0.97)
    return some


def _preferred(format: str) -> list[bytes]:
    paths = sorted(_paths(format), key=lambda path: next((place for place, best in enumerate(_BEST) if path.stem == best), len(_BEST)))
    return [body for path in paths if items(format, body := path.read_bytes())]


# --- XML ---------------------------------------------------------------------------------------------------------------------------------


def _repeated_xml(format: str, body: bytes, count: int) -> bytes | None:
    root = etree.fromstring(body)
    known = items(format, body)
    numbers = [each.key.rpartition(":")[2] for each in known if each.key]
    tried = [
        (found, place, each) for place, each in enumerate(_by_level(root)) if (found := _added(format, root, each, numbers, len(known)))
    ]
    if not tried:
        return None
    unit = min(tried)[2]
    for serial in range(count - len(known), 0, -1):
        unit.addnext(_copied(unit, numbers, serial))
    return _written(root, count)


def _by_level(root: etree._Element) -> Iterator[etree._Element]:
    waiting = deque(root)
    while waiting:
        element = waiting.popleft()
        if isinstance(element.tag, str):
            yield element
            waiting.extend(element)


def _added(format: str, root: etree._Element, element: etree._Element, numbers: list[str], known: int) -> int:
    """Return 0 where a copy of *element* does not give one item more, else 1 and the number of findings there are then."""
    more = _copied(element, numbers, 1)
    element.addnext(more)
    try:
        found = items(format, _written(root, known + 1))
        return 1 + complaints(found) if len(found) == known + 1 else 0
    finally:
        parent = more.getparent()
        assert parent is not None
        parent.remove(more)
        _written(root, known)


def _copied(element: etree._Element, numbers: list[str], serial: int) -> etree._Element:
    made = copy.deepcopy(element)
    made.tail = element.tail
    for each in made.iter(etree.Element):
        if each.text and each.text.strip() in numbers:
            each.text = numbered(each.text.strip(), serial)
    return made


def _written(root: etree._Element, count: int) -> bytes:
    """Return the document with its control count set."""
    for control in root.iter("{*}ItemCount"):
        control.text = str(count)
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True)


def numbered(number: str, serial: int) -> str:
    """Return a number of the same kind as *number*, another one for each *serial*.

    >>> numbered("LZ314159268US", 7), numbered("888-45123072", 8), numbered("JXE2603000017", 9)
    ('LZ000000076US', '888-00000081', 'JXE2600000009')
    """
    if _S10(number):
        return s10(number[:2], serial, number[-2:])
    if _WAYBILL(number):
        return air_waybill(number[:3], serial)
    return _SERIAL.sub(lambda found: f"{serial:0{len(found[0])}d}", number)


# --- other syntaxes ----------------------------------------------------------------------------------------------------------------------


def _repeated(format: str, body: bytes, count: int) -> bytes | None:
    module = FORMATS[format]
    first = items(format, body)[0]
    if isinstance(module, FilingWriter) and isinstance(first, Filing):
        filings = [_numbered_filing(first, serial) for serial in range(1, count + 1)]
        return module.write(filings, Envelope("BENCH-1", "BENCH", "HUB", datetime(2026, 11, 21, 9, 30, tzinfo=UTC)), DEFAULT_DIALECT).body
    return _repeated_json(body, count) if body.lstrip().startswith(b"{") else _one_after_another(body, first.key or "", count)


def _one_after_another(body: bytes, key: str, count: int) -> bytes:
    """Return *count* whole messages in one transmission, each about another consignment."""
    number = key.rpartition(":")[2]
    return b"\n".join(body.replace(number.encode(), numbered(number, serial).encode()) for serial in range(1, count + 1))


def _numbered_filing(filing: Filing, serial: int) -> Filing:
    number = filing.key.rpartition(":")[2].encode()
    return Filing.from_json(filing.to_json().replace(number, numbered(number.decode(), serial).encode()))


def _repeated_json(body: bytes, count: int) -> bytes | None:
    """Repeat the first object of the first list of objects, with its first value numbered."""
    whole = orjson.loads(body)
    name = next((key for key, value in whole.items() if isinstance(value, list) and value and isinstance(value[0], dict)), None)
    if name is None:
        return None
    whole[name] = [_numbered_object(whole[name][0], serial) for serial in range(1, count + 1)]
    return orjson.dumps(whole)


def _numbered_object(said: dict[str, Any], serial: int) -> dict[str, Any]:
    first, value = next((key, value) for key, value in said.items() if isinstance(value, str))
    return {**said, first: numbered(value, serial)}
