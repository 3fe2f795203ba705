"""The one error of the expression language."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from shared.errors import Misconfigured


class ExpressionError(Misconfigured):
    """An expression breaks the language or the schema; raised when it is compiled, never when it runs.

    ``line`` and ``column`` count from 1; ``suggestion`` is what was probably meant, or None; ``rule`` is the code of the rule when
    many are compiled together.
    """

    code = "expression.invalid"

    def __init__(self, message: str, line: int = 1, column: int = 1, suggestion: str | None = None, rule: str | None = None) -> None:
        place = f"column {column}" if line == 1 else f"line {line}, column {column}"
        meant = f"; did you mean {suggestion}?" if suggestion else ""
        prefix = f"{rule}: " if rule else ""
        super().__init__(f"{prefix}{message} at {place}{meant}")
        self.message = message
        self.line = line
        self.column = column
        self.suggestion = suggestion
        self.rule = rule

    def of_rule(self, rule: str) -> ExpressionError:
        """Return the same mistake, said of the rule *rule*."""
        return ExpressionError(self.message, self.line, self.column, self.suggestion, rule)


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word most like *word*, or None when nothing is near."""
    return next(iter(get_close_matches(word, list(known), n=1, cutoff=0.6)), None)
