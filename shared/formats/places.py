"""Where in the sender's message a finding stands, as a line: looked up only when a finding is made, so that what is sound pays nothing."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import islice
from typing import Any, Final

from lxml import etree

_NUMBERED = re.compile(r"(?:[A-Z]{3} )?line ([0-9]{1,7})(?![0-9])(?:, column ([0-9]{1,7})(?![0-9]))?").match
_STEP = re.compile(r"([^\s/\[\]@*{}]+)(?:\[([0-9]{1,7})\])?").fullmatch
_LINES_COUNTED: Final = 65_535
"""The parser counts no further than to the line before this one."""


def named_in(where: str) -> tuple[int | None, int | None]:
    """Return line and column that a position of tables and of Cargo-IMP names itself.

    >>> named_in("line 12/hs_code"), named_in("FHL line 13, column 6"), named_in("Item[2]/HS")
    ((12, None), (13, 6), (None, None))
    """
    found = _NUMBERED(where)
    if found is None:
        return None, None
    line, column = found.groups()
    return int(line), int(column) if column else None


def line_of(element: etree._Element, position: str, where: str) -> int | None:
    """Return the line of the element that the sender's path *where* names; of a missing one, the line of the element it is missing from.

    *element* is what stands at *position*, or any other of the document. A path that does not begin with it begins at the document element,
    named or not. Prefixes and namespaces do not matter; ``..`` is the element around, ``…`` stands for any number of elements between.
    """
    beneath = where[len(position) :]
    if where.startswith(position) and beneath[:1] in ("", "/") and _name(element) == _last(position):
        at, steps = element, _steps(beneath[1:])
    else:
        at, steps = element.getroottree().getroot(), _steps(where)
        if _name(at) == where.partition("/")[0]:
            steps = steps[1:]
    for tag, before, within in steps:
        if tag is None:
            inner = at.getparent()
        else:
            found = at.iterdescendants(tag) if within else at.iterchildren(tag)
            inner = next(islice(found, before, None) if before else found, None)
        if inner is None:
            break
        at = inner
    line: Any = at.sourceline
    return line if line is not None and line < _LINES_COUNTED else None


def _name(element: etree._Element) -> str:
    return str(element.tag).rpartition("}")[2]


@lru_cache(maxsize=1024)
def _last(position: str) -> str:
    """Return the name of the element at *position*."""
    return position.rpartition("/")[2].partition("[")[0]


@lru_cache(maxsize=4096)
def _steps(path: str) -> tuple[tuple[str | None, int, bool], ...]:
    """Return the steps of *path* as far as they name elements: tag in any namespace (None for the element around), how many of that name
    stand before it, whether it may stand at any depth."""
    steps = []
    within = False
    for step in path.split("/"):
        if step == "…":
            within = True
            continue
        named = _STEP(step)
        if named is None:
            break
        steps.append((None if step == ".." else "{*}" + named[1], int(named[2] or 1) - 1, within))
        within = False
    return tuple(steps)
