"""Does a text describe goods? The word lists and patterns of ``data/goods_description`` as one fast function.

Order of tests: patterns that carry no information, the whole text against the list, then listed terms inside the text, last
whether there is enough of it (two words, or one of five letters). The strongest verdict wins: reject over flag over warn over
accept. Only ``reject`` may stop a message.

>>> judge("men's cotton knitted T-shirts").action
'accept'
>>> verdict = judge("GIFTS"); verdict.action, verdict.category
('reject', 'purpose_not_nature')
>>> judge("documents").action, judge("documents", documents_allowed=True).action
('reject', 'accept')
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Sequence
from functools import cache
from typing import Literal, NamedTuple, cast

from shared.codes.tables import Row, names, read_table
from shared.errors import Misconfigured

Action = Literal["accept", "warn", "flag", "reject"]

_RANK: dict[str, int] = {"accept": 0, "warn": 1, "flag": 2, "reject": 3}
_SECOND_HAND = frozenset({"used goods", "second hand goods"})
_NOT_ASCII_ALPHANUMERIC = re.compile(r"[^a-z0-9]+")
_NOT_ALPHANUMERIC = re.compile(r"[\W_]+")


class DescriptionVerdict(NamedTuple):
    """What the list says of one description.

    ``term`` is the listed term met, ``pattern_id`` the pattern met; ``hint`` tells the sender what to write instead.
    ``second_hand`` is set where the text calls the goods used.
    """

    action: Action
    term: str = ""
    category: str = ""
    hint: str = ""
    pattern_id: str = ""
    second_hand: bool = False


class Term(NamedTuple):
    """One row of the word list; ``words`` is the normalised term split at blanks."""

    words: tuple[str, ...]
    term: str
    category: str
    whole_text_action: str
    embedded_action: str
    hint: str


class Pattern(NamedTuple):
    """One row of the pattern list; ``find`` returns a match or None, ``latin_only`` spares texts in other scripts."""

    find: Callable[[str], re.Match[str] | None]
    latin_only: bool
    verdict: DescriptionVerdict


class WordList(NamedTuple):
    """The lists, compiled once. ``embedded`` holds by first word the terms that count inside a longer text, longest first."""

    whole: dict[str, Term]
    embedded: dict[str, tuple[Term, ...]]
    patterns: tuple[Pattern, ...]


ACCEPTED = DescriptionVerdict("accept")
_TOO_LITTLE = DescriptionVerdict(
    "warn",
    category="too_little",
    hint="Say what the goods are in two words or more, with material or function.",
    pattern_id="too_few_words",
)
_NOT_GOODS_BUT_A_NAME = DescriptionVerdict(
    "warn",
    category="name_of_party",
    hint="Name the goods, not the seller, the platform or the brand.",
    pattern_id="equals_name",
)


def normalised(text: str) -> str:
    """Return *text* for comparison: NFKC, case folded, everything but letters and digits one blank.

    >>> normalised("  T-Shirt, COTTON! ")
    't shirt cotton'
    """
    if text.isascii():
        return _NOT_ASCII_ALPHANUMERIC.sub(" ", text.lower()).strip()
    return _NOT_ALPHANUMERIC.sub(" ", unicodedata.normalize("NFKC", text).casefold()).strip()


@cache
def shipped() -> WordList:
    """Return the shipped lists."""
    return compile_lists(
        read_table("goods_description/goods_description_stopwords"),
        read_table("goods_description/junk_patterns"),
    )


def compile_lists(stopwords: Iterable[Row], patterns: Iterable[Row]) -> WordList:
    """Compile rows of the two files (columns as in their README); an operator may load the authority's current list over ours."""
    try:
        terms = [_term(row) for row in stopwords]
        compiled = tuple(_pattern(row) for row in patterns if "goods_description" in names(row["applies_to"]))
    except (KeyError, re.error) as exc:
        raise Misconfigured(f"goods description lists: {exc!r}") from exc
    embedded: dict[str, list[Term]] = {}
    for term in sorted(terms, key=lambda term: -len(term.words)):
        if term.embedded_action != "ignore":
            embedded.setdefault(term.words[0], []).append(term)
    return WordList(
        {" ".join(term.words): term for term in terms},
        {first: tuple(found) for first, found in embedded.items()},
        compiled,
    )


def _term(row: Row) -> Term:
    return Term(
        tuple(row["term_normalised"].split()),
        row["term_normalised"],
        row["category"],
        row["whole_text_action"],
        row["embedded_action"],
        row["hint"],
    )


def _pattern(row: Row) -> Pattern:
    source = row["regex_case_insensitive"]
    expression = re.compile(source, re.IGNORECASE)
    verdict = DescriptionVerdict(
        cast(Action, row["action"]),
        category="no_information",
        hint=row["meaning"],
        pattern_id=row["pattern_id"],
    )
    return Pattern(
        expression.match if source.startswith("^") else expression.search,
        row["latin_only"] == "yes",
        verdict,
    )


def judge(
    text: str,
    *,
    documents_allowed: bool = False,
    master_level: bool = False,
    party_names: Collection[str] = (),
    lists: WordList | None = None,
) -> DescriptionVerdict:
    """Judge one goods description.

    *documents_allowed*: the consignment is category 1, where "documents" is a fair description. *master_level*: words such as
    "consolidation" are allowed, the house consignments carry the descriptions. *party_names*: seller, platform and brand, which
    do not describe goods.
    """
    known = lists or shipped()
    text = text.strip()
    plain = normalised(text)
    words = plain.split()
    junk = _junk(text, known.patterns)
    if junk is not None and junk.action == "reject":
        return junk
    listed = known.whole.get(plain)
    if listed is not None:
        return _stronger(junk, _whole(listed, documents_allowed, master_level))
    found = None if known.embedded.keys().isdisjoint(words) else _embedded(words, known.embedded, master_level)
    if found is not None:
        return _stronger(junk, found)
    if len(words) < 2 and len(plain) < 5 and plain.isascii():
        return junk or _TOO_LITTLE
    if party_names and plain in {normalised(name) for name in party_names}:
        return junk or _NOT_GOODS_BUT_A_NAME
    return junk or ACCEPTED


def _junk(text: str, patterns: Sequence[Pattern]) -> DescriptionVerdict | None:
    latin = text.isascii() or _is_latin(text)
    for find, latin_only, verdict in patterns:
        if find(text) and (latin or not latin_only):
            return verdict
    return None


def _is_latin(text: str) -> bool:
    """Whether every letter of *text* is of the Latin script, accented ones included."""
    return all(unicodedata.name(letter, "").startswith("LATIN") for letter in text if letter.isalpha())


def _whole(term: Term, documents_allowed: bool, master_level: bool) -> DescriptionVerdict:
    if (term.whole_text_action == "reject_unless_category_1" and documents_allowed) or (master_level and term.embedded_action == "reject"):
        return ACCEPTED
    action: Action = "warn" if term.whole_text_action == "warn" else "reject"
    return DescriptionVerdict(
        action,
        term.term,
        term.category,
        term.hint,
        second_hand=term.term in _SECOND_HAND,
    )


def _embedded(words: list[str], terms: dict[str, tuple[Term, ...]], master_level: bool) -> DescriptionVerdict | None:
    best: DescriptionVerdict | None = None
    for place, word in enumerate(words):
        for term in terms.get(word, ()):
            if tuple(words[place : place + len(term.words)]) != term.words:
                continue
            if not (master_level and term.embedded_action == "reject"):
                action = cast(Action, term.embedded_action)
                best = _stronger(
                    best,
                    DescriptionVerdict(
                        action,
                        term.term,
                        term.category,
                        term.hint,
                        second_hand=term.term in _SECOND_HAND,
                    ),
                )
            break
    return best


def _stronger(first: DescriptionVerdict | None, second: DescriptionVerdict) -> DescriptionVerdict:
    return second if first is None or _RANK[second.action] > _RANK[first.action] else first


@cache
def examples() -> dict[str, str]:
    """Return what to write instead, by the description that is not acceptable: for replies to senders."""
    return {row["not_acceptable"]: row["acceptable_example"] for row in read_table("goods_description/description_examples")}
