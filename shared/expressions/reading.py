"""From text to a syntax tree within limits, and from a node back to its place in the text."""

from __future__ import annotations

import ast
import warnings

from shared.expressions.errors import ExpressionError

LONGEST = 2_000
"""Characters of an expression."""

DEEPEST = 30
"""Levels of its syntax tree."""

MOST_NODES = 500
"""Nodes of its syntax tree."""


class Source:
    """One expression's text with its tree; knows where a node stands."""

    def __init__(self, text: str) -> None:
        if len(text) > LONGEST:
            raise ExpressionError(f"expression is longer than {LONGEST} characters")
        if not text.strip():
            raise ExpressionError("expression is empty")
        self.text = text.replace("\r\n", "\n").replace("\r", "\n")
        self._wrapped = f"(\n{self.text}\n)"  # brackets let an expression run over several lines
        self._lines = self._wrapped.split("\n")
        self.tree = self._parse()

    def place(self, node: ast.expr) -> tuple[int, int]:
        """Return line and column, counted from 1 in characters of the text."""
        return self._from_bytes(node.lineno, node.col_offset)

    def end_place(self, node: ast.expr, characters: int) -> tuple[int, int]:
        """Return the place *characters* before the end of the node: where the last name of a path stands."""
        line, column = self._from_bytes(node.end_lineno or node.lineno, node.end_col_offset or node.col_offset)
        return line, max(1, column - characters)

    def written(self, node: ast.expr) -> str:
        """Return the node as it is written in the text."""
        return ast.get_source_segment(self._wrapped, node) or ""

    def _from_bytes(self, line: int, offset: int) -> tuple[int, int]:
        before = self._lines[line - 1].encode("utf-8", "surrogatepass")[:offset]
        return line - 1, len(before.decode("utf-8", "replace")) + 1

    def _parse(self) -> ast.expr:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # "\d" in a pattern is meant
                tree = ast.parse(self._wrapped, mode="eval").body
        except SyntaxError as exc:
            raise ExpressionError(f"expression cannot be read: {exc.msg}", *self._syntax_place(exc)) from exc
        except (ValueError, RecursionError, MemoryError, OverflowError) as exc:
            raise ExpressionError(f"expression cannot be read: {exc}") from exc
        if tree.lineno == 1:
            raise ExpressionError("expression cannot be read: brackets do not match, or a comma stands outside them")
        _within_limits(tree)
        return tree

    def _syntax_place(self, exc: SyntaxError) -> tuple[int, int]:
        last = self.text.count("\n") + 1
        return min(max((exc.lineno or 2) - 1, 1), last), max(exc.offset or 1, 1)


def _within_limits(tree: ast.expr) -> None:
    level: list[ast.AST] = [tree]
    nodes = 0
    for _ in range(DEEPEST):
        nodes += len(level)
        level = [child for node in level for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr)]
        if not level:
            break
    if level:
        raise ExpressionError(f"expression is nested deeper than {DEEPEST} levels")
    if nodes > MOST_NODES:
        raise ExpressionError(f"expression has more than {MOST_NODES} parts")
