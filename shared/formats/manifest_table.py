"""The express manifest as a table, whatever the file is: rows grouped by house waybill, lists written, tables that come back with findings.

Rows of one house waybill belong to one consignment, wherever they stand; what they repeat about it must be the same (see
:mod:`shared.formats.manifest`). The message id is manifest number and master waybill with the beginning of the content's SHA-256, since a
corrected manifest keeps its number.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import compress
from typing import Any, Final

from shared.contracts import Notice
from shared.formats import csv, manifest
from shared.formats.base import ANSWER_LIMIT, ITEM_LIMIT, Parsed, Taken
from shared.formats.filings import Item
from shared.formats.losses import gaps, losses
from shared.formats.places import named_in
from shared.formats.rules import finding
from shared.formats.xml import malformed
from shared.model import Dialect, Filing, Finding, MessageHead, RawMessage, Rejection

PATHS: Final[Mapping[str, str]] = manifest.paths("")
HAWB: Final = "hawb"


def read(
    name: str,
    table: csv.Table,
    raw: RawMessage,
    dialect: Dialect,
    formulas: Mapping[int, Sequence[str]] | None = None,
    unread: Sequence[str] = (),
) -> Parsed:
    """Return the consignments in *table*. *formulas* are columns whose cells held one, by line: their consignments are refused. *unread*
    names sheets that were passed over, which is noted with the first consignment.

    Raises :class:`shared.errors.MalformedMessage` when the table is refused as a whole.
    """
    groups: dict[str, list[csv.Row]] = {}
    at = table.columns.index(HAWB) if HAWB in table.columns else None
    for row in table.rows:
        groups.setdefault(((at is not None and row.values[at]) or f"?{row.line}").upper(), []).append(row)
    if not groups:
        raise malformed("MSG-NO-ITEMS")
    if len(groups) > ITEM_LIMIT:
        raise malformed("MSG-ITEMS", value=str(len(groups)))
    head = MessageHead(name, message_id(raw.body, table.cells(table.rows[0])))
    return Parsed(head, _items(table, groups.values(), head, raw, dialect, formulas or {}, unread), len(groups))


def message_id(body: bytes, cells: Mapping[str, str]) -> str:
    """Return the id of a manifest that has none of its own."""
    digest = hashlib.sha256(body).hexdigest()
    number = "/".join(cells[name] for name in ("manifest_no", "mawb") if name in cells) if "manifest_no" in cells else ""
    return f"{number[:70]}#{digest[:16]}" if number else f"sha256:{digest}"


def _items(
    table: csv.Table,
    groups: Iterable[list[csv.Row]],
    head: MessageHead,
    raw: RawMessage,
    dialect: Dialect,
    formulas: Mapping[int, Sequence[str]],
    unread: Sequence[str],
) -> Iterator[Filing | Rejection]:
    known, halves = manifest.Known(), _Halves(table)
    for rows in groups:
        item = Item(f"line {rows[0].line}", PATHS, dialect)
        for name in unread:
            item.note("XLS-SHEETS", at=name[:60])
        unread = ()
        for index, row in enumerate(rows):
            if index:
                item.paths[f"/goods_items/{index}"] = f"line {row.line}"
            if row.surplus:
                item.note("FLD-FORM", at=f"line {row.line}", message="The row has more cells than the header has columns.")
            for name in formulas.get(row.line, ()):
                item.note("XLS-FORMULA", at=f"line {row.line}/{name}")
        said, lines = halves.of_one(rows[0]) if len(rows) == 1 else halves.of_many(rows, item)
        yield manifest.filing(said, lines, item, head, raw, known)


class _Halves:
    """What rows say of a consignment, and what of its goods lines."""

    def __init__(self, table: csv.Table) -> None:
        self._table = table
        goods = [name in manifest.GOODS for name in table.columns]
        self._names, self._texts = _half(table.columns, [not each for each in goods])
        self._goods_names, self._goods = _half(table.columns, goods)

    def of_one(self, row: csv.Row) -> tuple[dict[str, str], list[dict[str, str]]]:
        """Of a single row, which may keep its goods columns: nobody looks for them there."""
        cells = self._table.cells(row)
        return cells, [cells] if "description" in cells or any(self._goods(row.values)) else []

    def of_many(self, rows: Sequence[csv.Row], item: Item) -> tuple[dict[str, str], list[dict[str, str]]]:
        """Of rows that belong together; one that says something else of the consignment is refused with it."""
        first = self._texts(rows[0].values)
        common = _filled(self._names, first)
        for row in rows[1:]:
            said = self._texts(row.values)
            if said != first:
                self._compare(common, row.line, said, item)
        return common, [line for row in rows if (line := _filled(self._goods_names, self._goods(row.values)))]

    def _compare(self, common: dict[str, str], line: int, said: Sequence[str], item: Item) -> None:
        for name, text in _filled(self._names, said).items():
            if common.setdefault(name, text) != text and name in manifest.COLUMNS and name != HAWB:
                item.note("FLD-DIFFERS", at=f"line {line}/{name}", value=text)


def _half(columns: Sequence[str], wanted: Sequence[bool]) -> tuple[list[str], manifest.Getter]:
    """Return those *columns* that are *wanted*, and what gets their texts from the values of a row."""
    return [*compress(columns, wanted)], manifest.getter([*compress(range(len(columns)), wanted)])


def _filled(names: Sequence[str], texts: Sequence[str]) -> dict[str, str]:
    return {name: text for name, text in zip(names, texts, strict=True) if text}


# --- writing -----------------------------------------------------------------------------------------------------------------------------

_ORDER: Final[tuple[str, ...]] = manifest.ORDER


def filed(filings: Sequence[Filing], dialect: Dialect) -> tuple[list[str], list[list[str | None]], list[Finding]]:
    """Return the header, the rows of *filings*, and what the layout has no place for. Only columns that are used are written.

    What is no consignment is not written, which is an ``error``.
    """
    found: list[Finding] = []
    lines: list[dict[str, str]] = []
    for filing in filings:
        if filing.consignment is None:
            made = finding("WRITE-MISSING", dialect, sender_path=filing.key, message=f"A manifest has no place for: {filing.kind}.")
            found += [made] if made else []
            continue
        rows, ignore = manifest.rows(filing)
        if filing.consignment.channel != "express":
            made = finding("WRITE-LOST", dialect, path="/channel", sender_path=filing.key, value=filing.consignment.channel)
            found += [made] if made else []
        lines += rows
        found += losses(filing, manifest.WRITTEN, dialect, ignore) + gaps(filing, manifest.WANTED, dialect)
    used = {name for line in lines for name in line}
    header = [name for name in _ORDER if name in used] + sorted(used - set(_ORDER))
    return header, [[line.get(name) for name in header] for line in lines], found


NOTICE_COLUMNS: Final = ("at", "event", "key", "house_document", "outcome", "reasons", "missing", "findings", "answer_due_at", "position")
"""Columns of a list of decisions."""


def told(notices: Sequence[Notice]) -> list[list[str | None]]:
    """Return the rows of a list of what was decided, in the columns of ``NOTICE_COLUMNS``."""
    return [_told(notice.model_dump(mode="json", exclude_none=True), notice.findings or ()) for notice in notices]


def _told(notice: dict[str, Any], findings: Iterable[Finding]) -> list[str | None]:
    consignment = notice.get("consignment", {})
    return [
        notice["at"],
        notice["type"],
        notice["key"],
        consignment.get("house_transport_document_id") or notice["key"].rpartition(":")[2],
        notice.get("outcome"),
        "; ".join(_words(reason) for reason in notice.get("reasons", ())),
        "; ".join(_words(missing) for missing in notice.get("missing", ())),
        "; ".join(f"{each.code} {each.where} {each.message}" for each in findings),
        notice.get("answer_due_at"),
        notice.get("position"),
    ]


def _words(value: dict[str, Any]) -> str:
    return " ".join(str(each) for each in value.values() if isinstance(each, str | int))


Line = tuple[int, list[str]]
"""A row as it came, with the number of its line."""

WriteTable = Callable[[Sequence[str], Sequence[Sequence[str]]], bytes]

NOT_TAKEN: Final = "NOT TAKEN"
_FINE: Final = "ok"


def refused(findings: Sequence[Finding]) -> tuple[list[str], list[list[str]]]:
    """Return the table that answers one refused as a whole: nothing but the reasons."""
    return [csv.FINDINGS], [[f"{NOT_TAKEN} | {_sentence(made)}"] for made in findings]


def returned(taken: Sequence[Taken], header: Sequence[str], rows: Sequence[Line], write: WriteTable) -> bytes:
    """Return the table that came with a last column of what was found.

    Where that would be larger than an answer may be, only the rows of which there is something to say are in it.
    """
    found = findings_by_line(taken)
    whole = write(*csv.annotated(header, rows, found))
    if len(whole) <= ANSWER_LIMIT:
        return whole
    return write(*csv.annotated(header, [row for row in rows if found.get(row[0], _FINE) != _FINE], found))


def findings_by_line(taken: Sequence[Taken]) -> dict[int, str]:
    """Return what was found, for people, by the line of the table it is about; a consignment that was taken without a finding says so."""
    found: dict[int, list[str]] = {}
    for each in taken:
        own = named_in(each.position or "")[0] or 0
        found.setdefault(own, [])
        for made in each.findings:
            found.setdefault(made.line or own, []).append(_sentence(made))
        if each.refused:
            found[own].insert(0, NOT_TAKEN)
    return {line: " | ".join(sentences) or _FINE for line, sentences in found.items()}


def _sentence(made: Finding) -> str:
    column = (made.sender_path or "").partition("/")[2]
    return f"{made.code}{f' {column}' if column else ''}: {made.message} {made.remedy}"
