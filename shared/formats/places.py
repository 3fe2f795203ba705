"""Where in the sender's message a finding stands, as line and column: looked up only when a finding is made, so that what is sound pays
nothing."""

from __future__ import annotations

import re
from array import array
from typing import TYPE_CHECKING, Final, Protocol

from lxml import etree

if TYPE_CHECKING:
    from shared.formats.outlines import Told

Place = tuple[int | None, int | None]
"""Line and column, 1-based; the column counts characters. None for what is not known."""

NOWHERE: Final[Place] = (None, None)

_NUMBERED = re.compile(r"(?:[A-Z]{3} )?line ([0-9]{1,7})(?![0-9])(?:, column ([0-9]{1,7})(?![0-9]))?").match
_BLOCK: Final = 1024
"""Bytes between two places whose line and column are kept."""
_WITHIN: Final = bytes(range(0x80, 0xC0))
"""Bytes of UTF-8 at which no character begins."""


class Source(Protocol):
    """A message that can tell where a sender's path leads."""

    def place(self, element: etree._Element | Told | None, position: str, where: str) -> Place:
        """Return where the value stands that the path *where* names; of a missing one, what it is missing from.

        *element* is what stands at *position*, or any other of the document; only XML has such.
        """
        ...


def named_in(where: str) -> Place:
    """Return line and column that a position of tables and of Cargo-IMP names itself.

    >>> named_in("line 12/hs_code"), named_in("FHL line 13, column 6"), named_in("Item[2]/HS")
    ((12, None), (13, 6), (None, None))
    """
    found = _NUMBERED(where)
    if found is None:
        return NOWHERE
    line, column = found.groups()
    return int(line), int(column) if column else None


class Lines:
    """The lines of a text in UTF-8, to tell line and column of any of its bytes.

    Counted once, block by block, as far as somebody asks: then no question costs more than a block, however long a line is.
    """

    __slots__ = ("_ascii", "_body", "_broken", "_inner", "_lines")

    def __init__(self, body: bytes | bytearray) -> None:
        self._body = body
        self._ascii = body.isascii()
        self._lines = array("I", [0])
        self._broken = array("I", [0])
        self._inner = array("I", [0])

    def place(self, offset: int) -> tuple[int, int]:
        """Return line and column of the character that begins at *offset*."""
        block = offset // _BLOCK
        if block >= len(self._lines):
            self._count(block)
        first = block * _BLOCK
        line = self._lines[block] + self._body.count(b"\n", first, offset) + 1
        begin = self._body.rfind(b"\n", first, offset) + 1 or self._broken[block]
        column = offset - begin + 1
        if self._ascii:
            return line, column
        if begin >= first:
            return line, column - _continued(self._body[begin:offset])
        return line, column - self._continued(offset) + self._continued(begin)

    def _count(self, block: int) -> None:
        """Count up to the beginning of *block*: lines, where the last one begins, bytes that begin no character."""
        for number in range(len(self._lines) - 1, block):
            first, end = number * _BLOCK, (number + 1) * _BLOCK
            self._lines.append(self._lines[number] + self._body.count(b"\n", first, end))
            self._broken.append(self._body.rfind(b"\n", first, end) + 1 or self._broken[number])
            self._inner.append(0 if self._ascii else self._inner[number] + _continued(self._body[first:end]))

    def _continued(self, offset: int) -> int:
        block = offset // _BLOCK
        return self._inner[block] + _continued(self._body[block * _BLOCK : offset])


def _continued(piece: bytes | bytearray) -> int:
    return len(piece) - len(piece.translate(None, _WITHIN))
