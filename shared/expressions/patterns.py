"""Regular expressions that cannot run away.

Allowed: characters, ``.``, classes, ``\\d \\D \\w \\W \\s \\S \\b \\B`` and escaped punctuation, groups ``(…)`` and ``(?:…)``,
``|``, ``^``, ``$``, the quantifiers ``? * + {m} {m,} {m,n}`` (also lazy), and ``(?i)`` at the beginning. Refused: back-references,
look-around, a quantifier over something that itself can match in several ways, and patterns whose number of ways over the longest text
is beyond a limit. So the time of one search is bounded whatever the text.
"""

from __future__ import annotations

import re
import warnings

from shared.expressions.errors import ExpressionError

LONGEST_PATTERN = 200
LONGEST_TEXT = 1_000
"""A search looks at this many characters of a text."""

_MOST_WAYS = 4 * LONGEST_TEXT * (LONGEST_TEXT + 1)
_MOST_REPEATS = 1_000
_ESCAPES = "dDwWsSbB"
_QUANTIFIER = re.compile(r"(?:(?P<sign>[?*+])|\{(?P<least>[0-9]{1,4})(?P<comma>,)?(?P<most>[0-9]{1,4})?\})\??")


def compile_pattern(pattern: str) -> re.Pattern[str]:
    """Return the compiled *pattern*; raises :class:`ExpressionError` (without position) when it is not of the safe kind."""
    if len(pattern) > LONGEST_PATTERN:
        raise ExpressionError(f"pattern is longer than {LONGEST_PATTERN} characters")
    _Reader(pattern).check()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as exc:
        raise ExpressionError(f"pattern is not a regular expression: {exc}") from exc


class _Reader:
    """One pass over the pattern that counts in how many ways it can match."""

    def __init__(self, pattern: str) -> None:
        self.rest = pattern.removeprefix("(?i)")

    def check(self) -> None:
        anchored = self.rest.startswith("^") and "|" not in self.rest
        ways = self._alternatives() * (1 if anchored else LONGEST_TEXT)
        if self.rest:
            raise ExpressionError("pattern closes a group that is not open")
        if ways > _MOST_WAYS:
            raise ExpressionError("pattern can match in too many ways; begin it with ^ or use fewer * and +")

    def _alternatives(self) -> int:
        ways = self._sequence()
        while self.rest.startswith("|"):
            self.rest = self.rest[1:]
            ways += self._sequence()
        return ways

    def _sequence(self) -> int:
        ways = 1
        while self.rest and self.rest[0] not in "|)":
            ways *= self._piece()
        return ways

    def _piece(self) -> int:
        inner = self._atom()
        quantifier = _QUANTIFIER.match(self.rest)
        if quantifier is None:
            if self.rest[:1] and self.rest[0] in "{*+?":
                raise ExpressionError("pattern has a quantifier that cannot be read; write \\{ for the character")
            return inner
        self.rest = self.rest[quantifier.end() :]
        least, most = _bounds(quantifier)
        if inner > 1 and most > 1:
            raise ExpressionError("pattern repeats something that can match in several ways; use a character class")
        if _QUANTIFIER.match(self.rest):
            raise ExpressionError("pattern has two quantifiers in a row")
        return inner * (most - least + 1)

    def _atom(self) -> int:
        first, self.rest = self.rest[0], self.rest[1:]
        if first == "(":
            return self._group()
        if first == "[":
            self._character_class()
        elif first == "\\":
            self._escape()
        elif first in "*+?{":
            raise ExpressionError("pattern has nothing before a quantifier")
        return 1

    def _group(self) -> int:
        if self.rest.startswith("?"):
            if not self.rest.startswith("?:"):
                raise ExpressionError("pattern uses a group that is not allowed; only (…) and (?:…) are")
            self.rest = self.rest[2:]
        ways = self._alternatives()
        if not self.rest.startswith(")"):
            raise ExpressionError("pattern leaves a group open")
        self.rest = self.rest[1:]
        return ways

    def _character_class(self) -> None:
        # A closing bracket in the first place, after an optional ^, is a member.
        body = re.match(r"\^?\]?(?:[^\\\]]|\\.)*\]", self.rest, re.DOTALL)
        if body is None:
            raise ExpressionError("pattern leaves a character class open")
        self.rest = self.rest[body.end() :]

    def _escape(self) -> None:
        letter, self.rest = self.rest[:1], self.rest[1:]
        if not letter or (letter.isalnum() and letter not in _ESCAPES):
            raise ExpressionError(f"pattern uses \\{letter}, which is not allowed")


def _bounds(quantifier: re.Match[str]) -> tuple[int, int]:
    sign = quantifier["sign"]
    if sign:
        return {"?": (0, 1), "*": (0, LONGEST_TEXT), "+": (1, LONGEST_TEXT)}[sign]
    least = int(quantifier["least"])
    most = int(quantifier["most"]) if quantifier["most"] else LONGEST_TEXT if quantifier["comma"] else least
    if most > _MOST_REPEATS or least > most:
        raise ExpressionError(f"pattern repeats more than {_MOST_REPEATS} times, or at most fewer times than at least")
    return least, most
