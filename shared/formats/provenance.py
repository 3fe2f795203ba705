"""Where each value came from: dataset path → path in the sender's own message.

Each reading format has one table, ``PATHS``, from dataset paths (``/goods_items/*/hs_code``) to its own names (``…/ContentPiece[*]/HS``).
A filing only carries what differs from the table: ``paths`` maps a dataset path, or the beginning of one, to the sender's path or
position used instead. Indices are 0-based in the dataset and 1-based in the sender's message.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from shared.model import Filing

_INDEX_DIGITS: Final = 10
"""A longer step of a path is a sender's own name and no index, whatever it consists of."""


def sender_path(path: str, position: str, table: Mapping[str, str], overrides: Mapping[str, str]) -> str | None:
    """Return the sender's path of the dataset path *path*, or None when the format has no such value.

    >>> sender_path("/goods_items/2/hs_code", "Item[3]", {"/goods_items/*/hs_code": "Data/ContentPiece[*]/HS"}, {})
    'Item[3]/Data/ContentPiece[3]/HS'
    >>> sender_path("/goods_items/1/hs_code", "line 2", {"/goods_items/*/hs_code": "hs_code"}, {"/goods_items/1": "line 3"})
    'line 3/hs_code'
    """
    if not overrides and path in table:
        return f"{position}/{table[path]}"
    base = position
    beginnings = _beginnings(path)
    if overrides:
        for beginning, _, _ in beginnings:
            if beginning in overrides:
                if beginning == path:
                    return overrides[beginning]
                base = overrides[beginning]
                break
    for _, general, numbers in beginnings:
        pattern = table.get(general)
        if pattern is not None:
            for number in numbers:
                pattern = pattern.replace("*", number, 1)
            return f"{base}/{pattern}"
    return None


@lru_cache(maxsize=4096)
def _beginnings(path: str) -> Sequence[tuple[str, str, Sequence[str]]]:
    """Return *path* and its beginnings, the longest first; each with ``*`` for its indices, and these, counted from one."""
    found = []
    while path:
        steps = path.split("/")
        indices = [step for step in steps if step.isdecimal()]
        general = "/".join("*" if step.isdecimal() else step for step in steps)
        found.append((path, general, [str(int(step) + 1) if len(step) < _INDEX_DIGITS else step for step in indices]))
        path = path.rpartition("/")[0]
    return found


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every value inside dicts and lists with its path."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, f"{path}/{key}")
    elif isinstance(value, list | tuple):
        for index, inner in enumerate(value):
            yield from leaves(inner, f"{path}/{index}")
    else:
        yield path, value


def provenance(filing: Filing, table: Mapping[str, str]) -> dict[str, str]:
    """Return dataset path → sender's path for every value of *filing*; *table* is ``PATHS`` of its format.

    A value the hub derived itself points at what it was derived from; one that follows from the format alone (``channel``) at the item.
    """
    overrides = filing.paths or {}
    found = {}
    for path, _ in leaves(filing.content.model_dump(mode="json", exclude_none=True)):
        found[path] = sender_path(path, filing.position, table, overrides) or filing.position
    return found
