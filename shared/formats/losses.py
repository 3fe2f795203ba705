"""What a written format has no place for: every value of a filing that is not among the paths it writes, told and never left out in
silence."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from shared.formats.provenance import leaves
from shared.formats.rules import finding
from shared.model import Dialect, Filing, Finding

EVERYWHERE = frozenset({"/channel", "/house_transport_document_type", "/carrier_id"})
"""What follows from the format or the key itself."""


def losses(filing: Filing, written: frozenset[str], dialect: Dialect, ignore: Iterable[str] = ()) -> list[Finding]:
    """Return a note for each value of *filing* whose path is not in *written*.

    *written* holds paths with ``*`` for indices; one that ends with ``/`` stands for all below it. *ignore* names paths that the writer
    dealt with itself.
    """
    ignored = frozenset(ignore)
    found = []
    for path, value in leaves(filing.content.model_dump(mode="json", exclude_none=True)):
        if path in ignored or _is_carried(path, written):
            continue
        made = finding("WRITE-LOST", dialect, path=path, sender_path=filing.key, value=value)
        if made is not None:
            found.append(made)
    return found


@lru_cache(maxsize=4096)
def _is_carried(path: str, written: frozenset[str]) -> bool:
    """Whether *path* has a place; filings have the same paths again and again."""
    pattern = _pattern(path)
    return pattern in EVERYWHERE or _has_place(pattern, written)


def _pattern(path: str) -> str:
    return "/".join("*" if step.isdecimal() else step for step in path.split("/"))


@lru_cache(maxsize=4096)
def _has_place(pattern: str, written: frozenset[str]) -> bool:
    if pattern in written:
        return True
    steps = pattern.split("/")
    return any("/".join(steps[:depth]) + "/" in written for depth in range(2, len(steps)))
