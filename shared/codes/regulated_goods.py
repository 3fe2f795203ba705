"""Prohibited, restricted and controlled goods: starter rules by HS prefix and keyword, ``data/regulated_goods``.

A match marks goods worth a look; most of them are lawful. Prefix and keyword together is stronger than either; a keyword without
its prefix points at a wrong code.

>>> [(match.rule.rule_id, match.keyword) for match in matches("930200", "steel pistol") if match.by_prefix]
[('RG0002', 'pistol')]
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict

from shared.codes.goods_description import normalised
from shared.codes.tables import names, read_table

DefaultAction = Literal["hold_for_enforcement", "hold_for_agency", "screen", "info"]


class RegulatedGoods(BaseModel):
    """One rule: an HS prefix (2, 4 or 6 digits), English keywords, and who must look."""

    model_config = ConfigDict(frozen=True)

    rule_id: str
    category: str
    subcategory: str
    hs_prefix: str
    keywords: tuple[str, ...]
    controls: tuple[str, ...]
    agency_types: tuple[str, ...]
    default_action: DefaultAction
    is_e_waste: bool
    is_hazardous: bool
    basis: str
    basis_status: str


class AgencyType(BaseModel):
    """A kind of agency and what it sees by default."""

    model_config = ConfigDict(frozen=True)

    agency_type: str
    role: str
    sees_personal_data_by_default: bool
    sees_prices_by_default: bool


class Match(NamedTuple):
    """A rule met by prefix, by keyword, or by both; ``keyword`` is empty where only the prefix matched."""

    rule: RegulatedGoods
    by_prefix: bool
    keyword: str


@cache
def rules() -> tuple[RegulatedGoods, ...]:
    """Return every rule, in the order of the file."""
    return tuple(
        RegulatedGoods.model_validate(
            {
                **row,
                "keywords": names(row["keywords"]),
                "controls": names(row["control"]),
                "agency_types": names(row["agency_type"]),
            }
        )
        for row in read_table("regulated_goods/regulated_goods")
    )


@cache
def agency_types() -> dict[str, AgencyType]:
    """Return the agency types by name."""
    return {row["agency_type"]: AgencyType.model_validate(row) for row in read_table("regulated_goods/agency_types")}


@cache
def _by_prefix() -> Mapping[str, tuple[RegulatedGoods, ...]]:
    found: dict[str, list[RegulatedGoods]] = {}
    for rule in rules():
        found.setdefault(rule.hs_prefix, []).append(rule)
    return {prefix: tuple(group) for prefix, group in found.items()}


@cache
def _by_first_word() -> Mapping[str, tuple[tuple[tuple[str, ...], str, tuple[RegulatedGoods, ...]], ...]]:
    """First word → (all words, keyword, rules with it), longest keyword first."""
    owners: dict[str, list[RegulatedGoods]] = {}
    for rule in rules():
        for keyword in rule.keywords:
            owners.setdefault(keyword, []).append(rule)
    found: dict[str, list[tuple[tuple[str, ...], str, tuple[RegulatedGoods, ...]]]] = {}
    for keyword, group in owners.items():
        words = tuple(normalised(keyword).split())
        found.setdefault(words[0], []).append((words, keyword, tuple(group)))
    return {word: tuple(sorted(entries, key=lambda entry: -len(entry[0]))) for word, entries in found.items()}


def matches(hs_code: str, description: str) -> tuple[Match, ...]:
    """Return the rules met by *hs_code* (digits, may be empty) or by a keyword in *description*, in the order of the file."""
    prefixes = _by_prefix()
    keywords = _keywords_in(description)
    met = {rule.rule_id: rule for size in (2, 4, 6) for rule in prefixes.get(hs_code[:size], ()) if len(hs_code) >= size}
    by_prefix = frozenset(met)
    by_keyword: dict[str, str] = {}
    for keyword, group in keywords:
        for rule in group:
            by_keyword.setdefault(rule.rule_id, keyword)
            met[rule.rule_id] = rule
    return tuple(Match(met[rule_id], rule_id in by_prefix, by_keyword.get(rule_id, "")) for rule_id in sorted(met))


def _keywords_in(description: str) -> list[tuple[str, tuple[RegulatedGoods, ...]]]:
    index = _by_first_word()
    words = normalised(description).split()
    if index.keys().isdisjoint(words):
        return []
    found = []
    for place, word in enumerate(words):
        for needle, keyword, group in index.get(word, ()):
            if tuple(words[place : place + len(needle)]) == needle:
                found.append((keyword, group))
                break
    return found
