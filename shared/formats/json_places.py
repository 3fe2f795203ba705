"""Where the values of a JSON document stand: line and column of their first character.

The parser tells no positions. A path is followed through the bytes instead: what is not on the way is passed over, and where the members of
an object or a list begin is kept, so that the items of a large file are passed over once and not for each finding.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import orjson

from shared.formats.places import Lines, Place

_TEXT: Final = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_NO_BRACKETS: Final = rb'[^"\[\]{}]*+(?:%b[^"\[\]{}]*+)*+' % _TEXT
_LEVELS: Final = 6
"""Levels of objects and lists that one expression passes over."""


def _rest(levels: int) -> bytes:
    """Return the expression for what follows in an object or a list of up to *levels* levels, with the bracket that closes it."""
    inner = rb"(?:[\[{]%b%b)*+" % (_rest(levels - 1), _NO_BRACKETS) if levels > 1 else b""
    return rb"%b%b[\]}]" % (_NO_BRACKETS, inner)


_REST = re.compile(_rest(_LEVELS), re.DOTALL).match
_BRACKET = re.compile(_NO_BRACKETS, re.DOTALL).match
"""All before the next bracket that is not part of a text."""
_BLANK = re.compile(rb"\s*+").match
_SCALAR: Final = rb'(?:(%b|[^\s,"\[\]{}]++)|(?=[\[{]))' % _TEXT
"""A value, if it is a text, a number or the like; an object or a list is only looked at."""
_NAMED = re.compile(rb'[\s,]*+"([^"\\]*+(?:\\.[^"\\]*+)*+)"\s*+:\s*+%b' % _SCALAR, re.DOTALL).match
_LISTED = re.compile(rb"[\s,]*+()%b" % _SCALAR, re.DOTALL).match
_STEP = re.compile(r"(.*?)(?:\[([0-9]{1,7})\])?(?:#[0-9]{1,7})?", re.DOTALL).fullmatch
_LINE = re.compile(r"line ([0-9]{1,7})").fullmatch
_BOM: Final = b"\xef\xbb\xbf"
_OPENING: Final = frozenset(b"[{")
_NAME_CUT: Final = 60
"""Characters of a sender's name that findings repeat."""
_KEPT: Final = 64
"""Objects and lists of which it is kept where their members begin, besides large ones."""
_LARGE: Final = 64 * 1024
"""Bytes from the beginning of an object or list, beyond which it is worth keeping for good."""


class _Group:
    """An object or a list: where the members begin that were come by so far, by name or by number.

    ``last`` is where the last of them begins, ``behind`` where it ends; 0 where that is not known yet.
    """

    __slots__ = ("begin", "behind", "last", "listed", "members", "whole")

    def __init__(self, begin: int, listed: bool) -> None:
        self.begin = begin
        self.listed = listed
        self.members: dict[bytes | int, int] = {}
        self.last = begin
        self.behind = begin + 1
        self.whole = False


class Json:
    """The bytes of a sound JSON document, or of several, one on each line. Paths begin inside the outermost member *around*, if there is
    one."""

    __slots__ = ("_around", "_at", "_body", "_groups", "_line_ends", "_lines")

    def __init__(self, body: bytes, around: str = "") -> None:
        self._body = body
        self._around = around.encode()
        self._lines: Lines | None = None
        self._groups: dict[int, _Group] = {}
        self._line_ends: list[int] = []
        self._at: tuple[str, int] | None = None

    def place(self, element: object, position: str, where: str) -> Place:
        """Return where the value begins that the sender's path *where* names; of a missing one, what it is missing from.

        The first name of a path may be one the hub gives: to the document itself, to the numbered members of an outermost list, to lines.
        """
        lines = self._lines
        if lines is None:
            self._body = self._body.removeprefix(_BOM)
            lines = self._lines = Lines(self._body)
        if self._at is None or self._at[0] != position:
            self._at = position, self._path(position)
        beneath = where[len(position) :]
        if where.startswith(position) and beneath[:1] in ("", "/"):
            return lines.place(self._follow(self._at[1], beneath.split("/")[1:]))
        return lines.place(self._path(where))

    def _path(self, where: str) -> int:
        first, *steps = where.split("/")
        return self._follow(self._first(first), steps)

    def _follow(self, at: int, steps: Sequence[str]) -> int:
        for step in steps:
            inner = self._inside(at, step)
            if inner is None:
                break
            at = inner
        return at

    def _first(self, step: str) -> int:
        """Return where the first *step* of a path leads."""
        line = _LINE(step)
        if line is not None:
            return self._value(self._line(int(line[1])))
        root = self._value(0)
        if self._around:
            around = self._member(root, self._around)
            root = root if around is None else around
        found = self._inside(root, step)
        if found is not None:
            return found
        name, number = _step(step)
        at = self._member(root, number or 1)
        if at is None:
            return root
        inner = self._member(at, name)
        return at if inner is None else inner

    def _inside(self, at: int, step: str) -> int | None:
        """Return where *step* leads from the value at *at*. One that has a number may name a single value, too."""
        name, number = _step(step)
        found = self._member(at, name)
        if found is None or number is None:
            return self._member(at, _cut(step)) if found is None else found
        listed = self._member(found, number)
        return found if listed is None else listed

    def _member(self, at: int, name: bytes | int) -> int | None:
        """Return where the member *name* of the object at *at* begins, or the member of that number of the list there."""
        group = self._groups.get(at)
        if group is None:
            if self._body[at : at + 1] not in (b"[", b"{"):
                return None
            group = self._keep(_Group(at, self._body[at] == ord("[")))
        found = group.members.get(name)
        if found is None and not group.whole and group.listed is isinstance(name, int):
            found = self._go_on(group, name)
        return found

    def _keep(self, group: _Group) -> _Group:
        if len(self._groups) >= _KEPT:
            self._groups = {begin: each for begin, each in self._groups.items() if each.last - begin > _LARGE}
        self._groups[group.begin] = group
        return group

    def _go_on(self, group: _Group, name: bytes | int) -> int | None:
        """Pass over members of *group* until the one called *name* begins."""
        body, members, listed = self._body, group.members, group.listed
        next_member = _LISTED if listed else _NAMED
        own: bytes | int = b""
        while own != name:
            found = next_member(body, group.behind or self._behind(group.last))
            if found is None:
                group.whole = True
                return None
            begin, group.behind = found.span(2)
            if begin < 0:
                begin, group.behind = found.end(), 0
            own = len(members) + 1 if listed else _plain(found[1])
            members[own] = group.last = begin
        return group.last

    def _behind(self, at: int) -> int:
        """Return where the object or list at *at* ends; what was passed of it already is not passed again."""
        group = self._groups.get(at)
        inside = at + 1 if group is None else group.behind or self._behind(group.last)
        rest = _REST(self._body, inside)
        return self._far_behind(inside) if rest is None else rest.end()

    def _far_behind(self, inside: int) -> int:
        """Return where the object or list ends that is open at *inside*, however deep it is."""
        depth = 1
        while depth:
            between = _BRACKET(self._body, inside)
            assert between is not None
            depth += 1 if self._body[between.end()] in _OPENING else -1
            inside = between.end() + 1
        return inside

    def _value(self, at: int) -> int:
        """Return where the value behind blanks at *at* begins."""
        found = _BLANK(self._body, at)
        return found.end() if found is not None else at

    def _line(self, number: int) -> int:
        """Return where the line *number* begins."""
        ends = self._line_ends
        while len(ends) < number - 1:
            end = self._body.find(b"\n", ends[-1] + 1 if ends else 0)
            if end < 0:
                break
            ends.append(end)
        return ends[min(number - 2, len(ends) - 1)] + 1 if ends and number > 1 else 0


def _plain(name: bytes) -> bytes:
    """Return a name as it is looked up: without escapes, cut as findings cut it."""
    if len(name) <= _NAME_CUT and b"\\" not in name:
        return name
    return _cut(orjson.loads(b'"%b"' % name))


def _cut(name: str) -> bytes:
    return name[:_NAME_CUT].encode()


@lru_cache(maxsize=4096)
def _step(step: str) -> tuple[bytes, int | None]:
    """Return the name in a step of a path, and its number.

    >>> _step("lines[2]"), _step("hs_code"), _step("eventList[3]#2")
    ((b'lines', 2), (b'hs_code', None), (b'eventList', 3))
    """
    found = _STEP(step)
    assert found is not None
    name, number = found.groups()
    return _cut(name), None if number is None else int(number)
