"""What lies between a filing and the format it is written in: values that the format has no place for, told and never left out in silence;
and values that its readers ask for and the filing has not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final, NamedTuple

from shared.formats.provenance import leaves
from shared.formats.rules import finding
from shared.model import Dialect, Filing, Finding, Model

EVERYWHERE: Final = frozenset({"/channel", "/house_transport_document_type", "/carrier_id"})
"""What follows from the format or the key itself."""

_PLAIN: Final = frozenset({str, int, bool, float, Decimal, date, datetime})
_SEVERAL: Final = frozenset({tuple, list})


def losses(filing: Filing, written: frozenset[str], dialect: Dialect, ignore: Iterable[str] = ()) -> list[Finding]:
    """Return a note for each value of *filing* whose path is not in *written*.

    *written* holds paths with ``*`` for indices; one that ends with ``/`` stands for all below it. *ignore* names paths that the writer
    dealt with itself.
    """
    ignored = frozenset(ignore)
    found = []
    for path, value in _without_place(filing.content, "", "", written):
        if path not in ignored:
            made = finding("WRITE-LOST", dialect, path=path, sender_path=filing.key, value=value)
            if made is not None:
                found.append(made)
    return found


def gaps(filing: Filing, wanted: Iterable[str], dialect: Dialect) -> list[Finding]:
    """Return a warning for each value of the consignment that is *wanted* and not there. A cancellation without goods needs none.

    *wanted* holds paths with ``*`` for every element of a list, which must have one at least.
    """
    consignment = filing.consignment
    if consignment is None or (filing.function == "cancel" and not consignment.goods_items):
        return []
    missing = [path for each in wanted for path in _missing(consignment, each.split("/")[1:], "")]
    made = [finding("WRITE-WANTED", dialect, path=path, sender_path=filing.key) for path in dict.fromkeys(missing)]
    return [each for each in made if each is not None]


def _missing(held: Any, steps: Sequence[str], path: str) -> Iterator[str]:
    """Yield the paths below *held* at which *steps* find nothing."""
    if not steps:
        return
    first, *rest = steps
    if first == "*":
        for index, each in enumerate(held):
            yield from _missing(each, rest, f"{path}/{index}")
        return
    inner = getattr(held, first)
    if inner is None or inner == ():
        yield "/".join([path, first, *(step for step in rest if step != "*")]) if inner is None else f"{path}/{first}"
    else:
        yield from _missing(inner, rest, f"{path}/{first}")


class _Place(NamedTuple):
    """One field of a model in a format: its path with ``*`` for indices, whether it is carried as a value, and with all below it."""

    pattern: str
    as_value: bool
    with_all: bool


def _without_place(model: Model, path: str, pattern: str, written: frozenset[str]) -> Iterator[tuple[str, Any]]:
    """Yield path and JSON value of what has no place; what has one is not even looked at."""
    for name, value in model.__dict__.items():
        if value is None:
            continue
        place = _place(pattern, name, written)
        if type(value) in _PLAIN:
            if not place.as_value:
                yield f"{path}/{name}", _plain(model, name)
        elif not place.with_all:
            if type(value) in _SEVERAL and value and issubclass(type(value[0]), Model):
                for index, each in enumerate(value):
                    yield from _without_place(each, f"{path}/{name}/{index}", f"{place.pattern}/*", written)
            elif issubclass(type(value), Model):
                yield from _without_place(value, f"{path}/{name}", place.pattern, written)
            else:
                for inner, said in leaves(_plain(model, name), f"{path}/{name}"):
                    if not _is_carried(inner, written):
                        yield inner, said


def _plain(model: Model, name: str) -> Any:
    """Return a field as JSON would have it."""
    return model.model_dump(mode="json", include={name}, exclude_none=True).get(name)


@lru_cache(maxsize=8192)
def _place(pattern: str, name: str, written: frozenset[str]) -> _Place:
    deeper = f"{pattern}/{name}"
    return _Place(deeper, _is_carried(deeper, written), _is_carried(f"{deeper}/.", written))


@lru_cache(maxsize=4096)
def _is_carried(path: str, written: frozenset[str]) -> bool:
    """Whether *path* has a place; filings have the same paths again and again."""
    pattern = "/".join("*" if step.isdecimal() else step for step in path.split("/"))
    if pattern in EVERYWHERE or pattern in written:
        return True
    steps = pattern.split("/")
    return any("/".join(steps[:depth]) + "/" in written for depth in range(2, len(steps)))
