"""Signs of devices and seals, JSON: what a tracker, a lock, a scanner or a thermometer says about goods on their way.

::

    EVENT | {"message_id"?, "prepared_at"?, "device_events": [EVENT, …]}

    EVENT = {"device_id", "event", "at", "security"?: true, "tracking_number"? + "carrier"?, "receptacle_id"?, "master_number"?,
             "measurement"?, "unit"?, "place"?, "country"?, "conveyance_reference"?, "seal"?, "note"?, "function"?, "version"?}

``event`` is the sender's own code (``OPENED``, ``SHOCK``, ``TEMP-HIGH``); the dialect may translate codes (``code_maps.event``), and what
of them touches security is known by ``security`` or by the table of words that always do.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from shared.formats import commerce_events, own_json
from shared.formats.base import Certainty, Likeness, Parsed, Sketch
from shared.formats.filings import Item
from shared.model import Dialect, Filing, MessageHead, RawMessage, Rejection

NAME: Final = "device-event"
TITLE: Final = "Device and security events, JSON"
CONTENT_TYPES: Final[tuple[str, ...]] = ("application/json",)
VERSIONS: Final[tuple[str, ...]] = ("1",)
SOURCE: Final = "hub layout"
CERTAINTY: Final[Certainty] = "reconstructed"

_NAMES: Final = MappingProxyType({"event": "code"})
_KEPT: Final = ("seal",)
PATHS: Final[Mapping[str, str]] = commerce_events.paths(_NAMES, _KEPT)
_LAYOUT: Final = own_json.Layout(NAME, "device_events", "device_event", frozenset({"device_id", "event"}))
_SECURITY: Final = frozenset({"OPENED", "TAMPER", "TAMPERED", "SEAL-BROKEN", "CUT", "INTRUSION", "ALARM", "ROUTE-LEFT"})


def recognise(sketch: Sketch) -> Likeness:
    """An object with ``device_events``, or with ``device_id`` and ``event``."""
    return own_json.recognise(_LAYOUT, sketch)


def parse(raw: RawMessage, dialect: Dialect) -> Parsed:
    """Read device events. Raises :class:`shared.errors.MalformedMessage` when the message is refused as a whole."""
    message = own_json.open_message(_LAYOUT, raw)
    filings = (_event(said, item, message.head, raw) for item, said in own_json.items(message, PATHS, dialect))
    return Parsed(message.head, filings, len(message.entries))


def _event(said: dict[str, Any], item: Item, head: MessageHead, raw: RawMessage) -> Filing | Rejection:
    content = dict(said)
    security = content.pop("security", None)
    if security not in (None, True, False):
        item.note("FLD-FORM", at=f"{item.position}/security")
    code = content.get("event")
    if isinstance(code, str):
        code = content["event"] = item.dialect.code_maps.get("event", {}).get(code, code).strip().upper()
    own_json.as_text(content, ("device_id",))
    if "device_id" not in content:
        item.note("FLD-MISSING", "/device_id")
    kind = "security" if security is True or (isinstance(code, str) and code in _SECURITY) else "device"
    return commerce_events.filing(content, kind, _NAMES, _KEPT, item, head, raw)
