"""Tracking events of the mail (EMSEVT), whatever syntax they came in, and the events that a customs decision gives rise to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from shared.codes import postal_events
from shared.contracts import TYPE_OF, DecisionMade, Notice
from shared.formats import charges, checks, cusrsp, postal_items
from shared.formats.filings import Item, conclude
from shared.model import Dialect, Filing, MessageHead, Money, RawMessage, Rejection

NEED_RETENTION: Final = frozenset({"EME", "EDA", "EXB", "EXD"})
"""Events that say nothing without a reason: without one they do not even stop the delivery clock."""


def event(said: dict[str, Any], item: Item, head: MessageHead, raw: RawMessage) -> Filing | Rejection:
    """Return one event. *said* has the fields of ``Event`` as texts, the two kinds of reason as ``~retention`` and ``~non_delivery``,
    charges as ``~charges`` and ``~currency``; other names under ``~`` are kept as extra fields."""
    content: dict[str, Any] = {name: value for name, value in said.items() if name[0] != "~"}
    key = postal_items.identify(content, item)
    code = content.get("code", "").upper()
    if not code:
        item.note("FLD-MISSING", "/code")
    else:
        content["code"] = code
        content["means"] = postal_events.means(code)
        if content["means"] is None:
            item.note("FLD-CODE-KEPT", "/code", code)
    postal_items.instant(content, "at", item, mandatory=True)
    postal_items.receptacle_id(content, item)
    if "place" not in content:
        item.note("FLD-WANTED", "/place")
    _reasons(content, said, code, item)
    told = checks.spare_money(said.get("~charges"), said.get("~currency"), "/charges", item)
    if told is not None:
        content["charges"] = told
    extra = {name[1:]: value for name, value in said.items() if name[0] == "~" and name not in _WORKED_ON}
    if extra:
        content["extra"] = extra
    return conclude(item, "event", {"kind": "tracking", **content}, key, head, raw, function="original")


_WORKED_ON: Final = frozenset({"~retention", "~non_delivery", "~charges", "~currency"})


def _reasons(content: dict[str, Any], said: Mapping[str, str], code: str, item: Item) -> None:
    retention, non_delivery = said.get("~retention"), said.get("~non_delivery")
    if retention is not None:
        _known("retention", retention, item)
        content["reason_code"] = retention
    elif non_delivery is not None:
        _known("non_delivery", non_delivery, item)
        content["reason_code"] = non_delivery
    elif code in NEED_RETENTION or code == "EMH":
        item.note("FLD-WANTED", "/reason_code")
    if "action_code" in content:
        _known("measure", content["action_code"], item, "/action_code")
    elif code == "EMH":
        item.note("FLD-WANTED", "/action_code")


def _known(list: str, code: str, item: Item, path: str = "/reason_code") -> None:
    if postal_events.reason(list, postal_items.dialect_code(item.dialect, list, code)) is None:
        item.note("FLD-CODE-KEPT", path, code)


# --- events of decisions -----------------------------------------------------------------------------------------------------------------


class Scan(NamedTuple):
    """One event to tell: code, the retention reason where the code needs one, what is to be paid where it is held for that."""

    code: str
    retention: str | None = None
    charges: Money | None = None


_IMPORT: Final[Mapping[str, tuple[str, ...]]] = {
    "EXAMINE": ("EDB",),
    "HOLD": ("EME",),
    "QUERY": ("EME",),
    "PAY": ("EME",),
    "CLEAR": ("EDC", "EMF"),
    "RELEASE": ("EDC", "EMF"),
    "PARTIAL": ("EDC",),
    "SEIZE": ("EDX",),
}
_EXPORT: Final[Mapping[str, tuple[str, ...]]] = {
    "EXAMINE": ("EXA",),
    "HOLD": ("EXB",),
    "QUERY": ("EXD",),
    "PAY": ("EXB",),
    "CLEAR": ("EXC",),
    "RELEASE": ("EXC",),
    "DNL": ("EXB",),
}
"""Hub decision → events, at the inward and at the outward office of exchange."""


def scans(notice: Notice, dialect: Dialect) -> Iterator[Scan]:
    """Yield the customs events that *notice* gives rise to: none but for a decision on a postal item. What is to be paid is told as one
    sum, where it is in one currency.

    A post that sends mail out has ``code_maps = {"events": {"side": "export"}}`` and hears of the events at its own offices.
    ``code_maps["retention"]`` translates the hub's reasons into those agreed.
    """
    if notice.type != TYPE_OF[DecisionMade] or not notice.key.startswith("post:"):
        return
    side = _EXPORT if dialect.code_maps.get("events", {}).get("side") == "export" else _IMPORT
    public = next((reason.public for reason in notice.reasons), "other")
    decision = _decision(notice)
    due = charges.total(notice.charges or ()) if decision == "PAY" else None
    for code in side.get(decision, ()):
        yield Scan(code, _agreed(postal_events.retention_of(public), dialect) if code in NEED_RETENTION else None, due)


def _decision(notice: Notice) -> str:
    """Return the hub decision; screening that an authority asks for before loading is a question, no hold."""
    decision = cusrsp.hub_decision(notice)
    asked = notice.referrals and {reason.public for reason in notice.reasons} == {"security"}
    return "QUERY" if decision == "HOLD" and asked else decision


def _agreed(code: str, dialect: Dialect) -> str:
    return dialect.code_maps.get("retention", {}).get(code, code)


def office(notice: Notice, dialect: Dialect) -> str | None:
    """Return the office of exchange at which an event is told: the dialect's ``code_maps["office"]`` of the post concerned, else of
    ``*``, else none."""
    offices = dialect.code_maps.get("office", {})
    summary = notice.consignment
    export = dialect.code_maps.get("events", {}).get("side") == "export"
    post = (summary.origin_post if export else summary.destination_post) if summary else None
    return offices.get(post or "") or offices.get("*")
