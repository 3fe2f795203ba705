"""Does an HS code fit the words of a description? A classifier that would rather be silent than wrong.

Each word of the nomenclature, but the most general, belongs to the chapters whose texts use it. A description contradicts its code when
none of its words is used in the code's chapter and either two of its telling words (in the texts of at most three chapters) agree on
another chapter, or what it names first (the last word before a comma, *with*, *of* or *for*) is used in one other chapter only. Anything
else, words that the nomenclature does not have or another language among them, is no contradiction.

>>> chapters_instead("Men's knitted cotton T-shirt", "930200")
('61', '62')
>>> chapters_instead("Stoneware coffee mug", "691200"), chapters_instead("Silicone phone case", "392690")
((), ())
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Mapping
from functools import cache
from itertools import combinations
from typing import Final

from shared.codes import hs2022

TELLING: Final = 3
"""A word in the texts of more chapters says little about any of them."""
GENERAL: Final = 24
"""A word in the texts of more chapters, of 97, says nothing of the goods: *other*, *with*, *part*. Materials are in fewer."""
CHAPTER: Final = 2
"""Digits of a chapter's code."""
_WORD: Final = re.compile(r"[a-z]{3,}")
_QUALIFIED: Final = re.compile(r"[,;(]| (?:with|for|of) ")
_NONE: Final[frozenset[str]] = frozenset()


def chapters_instead(description: str, hs_code: str) -> tuple[str, ...]:
    """Return the chapters that *description* speaks of where it contradicts *hs_code*; none where it does not."""
    used = _chapters()
    words = [word for word in dict.fromkeys(_words(description)) if word in used]
    if not words or any(hs_code[:CHAPTER] in used[word] for word in words):
        return ()
    telling = [used[word] for word in words if len(used[word]) <= TELLING]
    for one, other in combinations(telling, 2):
        if one & other:
            return tuple(sorted(one & other))
    named = _words(_QUALIFIED.split(description.lower(), maxsplit=1)[0])
    chapters = used.get(named[-1], _NONE) if named else _NONE
    return tuple(chapters) if len(chapters) == 1 else ()


@cache
def _chapters() -> Mapping[str, frozenset[str]]:
    """Return the chapters of each word of the nomenclature that tells anything."""
    found: dict[str, set[str]] = defaultdict(set)
    for code, entry in hs2022.entries().items():
        for word in _words(entry.description):
            found[word].add(code[:CHAPTER])
    return {word: frozenset(chapters) for word, chapters in found.items() if len(chapters) <= GENERAL}


def _words(text: str) -> list[str]:
    """Return the words of three letters and more in lower case, without accents, in the singular."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return [_singular(word) for word in _WORD.findall(plain)]


def _singular(word: str) -> str:
    """Return an English word without the ending of the plural; both sides of a comparison lose it alike."""
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("sses", "shes", "ches", "xes")):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith("ss") and len(word) > 3 else word
