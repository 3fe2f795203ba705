"""Writing XML by hand: leaves and groups, escaped and without what XML cannot hold."""

from __future__ import annotations

import re
from xml.sax.saxutils import escape, quoteattr

_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def text(value: str) -> str:
    """Return *value* as XML text; what XML cannot hold becomes a question mark."""
    return value if value.isalnum() else escape(_ILLEGAL.sub("?", value))


def attribute(value: str) -> str:
    """Return *value* as a quoted XML attribute."""
    return quoteattr(_ILLEGAL.sub("?", value))


def leaf(name: str, value: object) -> str:
    """Return one leaf, or nothing for an absent value."""
    return "" if value is None else f"<{name}>{text(str(value))}</{name}>"


def group(name: str, *parts: str) -> str:
    """Return a group, or nothing when it holds nothing."""
    content = "".join(parts)
    return f"<{name}>{content}</{name}>" if content else ""


def measure(name: str, value: str | None, attribute: str, unit: str) -> str:
    """Return a leaf with its unit or currency, or nothing for an absent value."""
    return "" if value is None else f"<{name} {attribute}={quoteattr(unit)}>{text(value)}</{name}>"
