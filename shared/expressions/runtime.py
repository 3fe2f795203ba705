"""What compiled expressions call. Every function is total: an absent operand, or a result that does not exist, is None."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

Numeric = int | Decimal


def add(left: Numeric | None, right: Numeric | None) -> Numeric | None:
    """Return the sum."""
    try:
        return None if left is None or right is None else left + right
    except ArithmeticError:
        return None


def subtract(left: Numeric | None, right: Numeric | None) -> Numeric | None:
    """Return the difference."""
    try:
        return None if left is None or right is None else left - right
    except ArithmeticError:
        return None


def multiply(left: Numeric | None, right: Numeric | None) -> Numeric | None:
    """Return the product."""
    try:
        return None if left is None or right is None else left * right
    except ArithmeticError:
        return None


def divide(left: Numeric | None, right: Numeric | None) -> Decimal | None:
    """Return the quotient as a decimal number; division by zero is absent."""
    try:
        return None if left is None or right is None else Decimal(left) / right
    except ArithmeticError:
        return None


def days_between(first: date | None, second: date | None) -> int | None:
    """Return the calendar days from *first* to *second*, negative when *second* is earlier; instants count by their UTC day."""
    if first is None or second is None:
        return None
    return (_day(second) - _day(first)).days


def _day(when: date) -> date:
    if not isinstance(when, datetime):
        return when
    try:
        return when.astimezone(UTC).date() if when.tzinfo else when.date()
    except OverflowError:
        return when.date()
