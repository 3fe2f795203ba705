"""Replies to referrals (REFRSP), whatever syntax they came in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from shared.formats import postal_items, values
from shared.formats.filings import Item, conclude
from shared.formats.postal_answers import dataset_path
from shared.model import Filing, MessageHead, RawMessage, Rejection

OUTCOMES: Final[Mapping[str, str]] = {
    "DATA_SENT": "data_sent",
    "DATA_TEXT": "data_text",
    "SCREENED": "screened",
    "NOT_LOADED": "not_loaded",
    "ALREADY_LOADED": "already_loaded",
    "NOT_FOUND": "not_found",
    "WITHDRAWN": "withdrawn",
    "ACK": "acknowledged",
}
_RESULTS: Final = {"C": "clear", "S": "suspect"}


def provided(path: str, line: str, text: str) -> tuple[str, str]:
    """Return an element provided in text: its dataset path, and what was said. A text ``path: value`` names its element itself."""
    if not path and ":" in text:
        path, _, text = (part.strip() for part in text.partition(":"))
    return dataset_path(path, line) if path else "", text


def reply(
    said: dict[str, Any],
    screenings: Sequence[dict[str, Any]],
    documents: Sequence[dict[str, str]],
    given: Sequence[tuple[str, str]],
    item: Item,
    head: MessageHead,
    raw: RawMessage,
) -> Filing | Rejection:
    """Return one reply. *said* has the fields of ``ReferralReply`` as texts (``outcome`` as a code of :data:`OUTCOMES`); what stands
    under ``~`` is the echo of the referral and is not kept."""
    content: dict[str, Any] = {name: value for name, value in said.items() if name[0] != "~"}
    key = postal_items.identify(content, item)
    for field in ("referral_id", "outcome"):
        if field not in content:
            item.note("FLD-MISSING", f"/{field}")
    if "outcome" in content:
        outcome = OUTCOMES.get(content["outcome"].upper())
        if outcome is None:
            item.note("FLD-CODE", "/outcome", content["outcome"])
        content["outcome"] = outcome
    _numbers(content, item)
    for number, screening in enumerate(screenings):
        _screening(screening, f"/screenings/{number}", item)
    if screenings:
        content["screenings"] = screenings
    if documents:
        content["documents"] = documents
    if given:
        content["provided"] = {path or f"text[{number}]": text for number, (path, text) in enumerate(given, 1)}
    return conclude(item, "reply", content, key, head, raw, function="original", version=content.get("reply_sequence"))


def _numbers(content: dict[str, Any], item: Item) -> None:
    for field in ("reply_sequence", "new_version"):
        if field in content and values.whole_number(content[field]) is None:
            item.note("FLD-FORM", f"/{field}", content.pop(field))
    if "reply_sequence" not in content:
        item.note("FLD-MISSING", "/reply_sequence")


def _screening(screening: dict[str, Any], path: str, item: Item) -> None:
    if "result" in screening:
        result = _RESULTS.get(screening["result"].upper())
        if result is None:
            item.note("FLD-CODE", f"{path}/result", screening["result"])
        screening["result"] = result
    postal_items.instant(screening, "screened_at", item, path=f"{path}/screened_at")
