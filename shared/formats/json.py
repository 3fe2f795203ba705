"""JSON: the fast parser, then one walk over what came out.

Refused: more than 5 MiB, another character set than UTF-8, NUL, lone surrogates, NaN and Infinity, more than 32 levels, texts above 64
kB, a key named twice in one object. The fast parser keeps the last of two equal keys, so keys are counted: only when the count differs
from the bytes is the slow parser asked which one it was.
"""

from __future__ import annotations

import re
from typing import Any, Final

import orjson

from shared.formats.places import Lines
from shared.formats.xml import DEPTH_LIMIT, check_bytes, malformed

STRING_LIMIT: Final = 64 * 1024
"""Characters of one text."""

_SPACED_KEY = re.compile(rb'"\s+:').finditer
_TOKENS = re.compile(rb'("[^"\\]*+(?:\\.[^"\\]*+)*+")\s*+(:)?|[\[\]{}]', re.DOTALL).finditer
"""Texts, with the colon behind a key, and brackets."""
_OPENING: Final = (b"{", b"[")
_CLOSING: Final = (b"}", b"]")
_NO_NUMBER = re.compile(rb"(?<![\w\"])-?(?:NaN|Infinity)(?![\w\"])")


def parse(body: bytes) -> Any:
    """Return the value in *body*. Raises :class:`shared.errors.MalformedMessage`."""
    check_bytes(body)
    body = body.removeprefix(b"\xef\xbb\xbf")
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as exc:
        raise _syntax(exc, body) from exc
    if _measure(value) != body.count(b'":') + sum(1 for _ in _SPACED_KEY(body)):
        _find_duplicate(body)
    return value


def _syntax(exc: orjson.JSONDecodeError, body: bytes) -> Exception:
    try:
        body.decode()
    except UnicodeDecodeError as wrong:
        return malformed("MSG-CHARSET", "The bytes are not UTF-8.", line=body.count(b"\n", 0, wrong.start) + 1)
    if "surrogate" in exc.msg:
        return malformed("MSG-SURROGATE", line=exc.lineno, column=exc.colno)
    if "depth" in exc.msg.lower() or "recursion" in exc.msg.lower():
        return malformed("MSG-DEPTH")
    if _NO_NUMBER.search(body):
        return malformed("MSG-NUMBER", line=exc.lineno, column=exc.colno)
    return malformed("MSG-SYNTAX", f"The JSON is not well-formed: {exc.msg}.", line=exc.lineno, column=exc.colno)


def _measure(value: Any) -> int:
    """Return the number of keys; refuse what is too deep or too long."""
    keys = 0
    level: list[Any] = [value]
    for _ in range(DEPTH_LIMIT + 1):
        deeper: list[Any] = []
        for each in level:
            if isinstance(each, dict):
                keys += len(each)
                deeper.extend(each.values())
            elif isinstance(each, list):
                deeper.extend(each)
            elif isinstance(each, str):
                _check_text(each)
        if not deeper:
            return keys
        level = deeper
    raise malformed("MSG-DEPTH")


def _check_text(text: str) -> None:
    if len(text) > STRING_LIMIT:
        raise malformed("MSG-STRING")
    if "\0" in text:
        raise malformed("MSG-NUL")


def _find_duplicate(body: bytes) -> None:
    """Raise when an object names a key twice. A text that merely looks like a key has brought us here in vain."""
    around: list[set[str]] = []
    for token in _TOKENS(body):
        if token[0] in _OPENING:
            around.append(set())
        elif token[0] in _CLOSING:
            around.pop()
        elif token[2]:
            name = orjson.loads(token[1])
            if name in around[-1]:
                line, column = Lines(body).place(token.start())
                message = f"The key {name[:60]!r} is named twice in one object."
                raise malformed("MSG-DUPLICATE-KEY", message, value=name[:60], line=line, column=column)
            around[-1].add(name)


def text_of(value: Any) -> str | None:
    """Return a scalar as the text the checks work on, trimmed; None for an absent or empty one. Raises ``TypeError`` for lists and
    objects."""
    if isinstance(value, str):
        return value.strip() or None
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    raise TypeError(type(value).__name__)
