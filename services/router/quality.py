"""Are the data enough, and do they say anything? Completeness of the views, and the judgement of each goods item.

Which element a view asks of which channel is policy; what an element is, and who knows it best, is the table of the standard dataset.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any, Final, NamedTuple, cast

from services.router.building import build
from shared.codes import dataset, goods_description, hs_words, regulated_goods
from shared.contracts import Missing
from shared.errors import Misconfigured
from shared.model import Consignment, GoodsItem, Party

HS_DIGITS: Final = 6
"""Subheading level, needed from the pre-arrival set on (standard dataset, 5.2)."""

_OWNERS: Final[Mapping[str, type]] = {"consignment": Consignment, "consignor": Party, "consignee": Party, "goods_item": GoodsItem}
_ENTITIES: Final[Mapping[str, tuple[str, ...]]] = {
    "consignment": ("consignment", "transport"),
    "consignor": ("party",),
    "consignee": ("party",),
    "goods_item": ("goods_item",),
}
_EMPTY: Final[Mapping[str, Any]] = {}
VIEW_ORDER: Final = ("pre_loading", "pre_arrival")


class Need(NamedTuple):
    """One element a view asks for: any of ``alternatives`` (owner, field) meets it; ``path`` names the first in answers."""

    alternatives: tuple[tuple[str, str], ...]
    path: str
    view: str
    holders: tuple[str, ...]
    documents_too: bool


Values = Callable[[Mapping[str, Any]], Sequence[Any]]
"""Takes the values of some fields from a record."""


class Usual(NamedTuple):
    """What a complete consignment usually has, so that nothing need be looked for: the first of the alternatives of each need."""

    consignment: Values
    parties: Sequence[tuple[str, Values]]
    item: Values


class Views(NamedTuple):
    """The needs of every channel, earliest view first, split into those of the consignment and those of each goods item."""

    of_consignment: Mapping[str, tuple[Need, ...]]
    of_items: Mapping[str, tuple[Need, ...]]
    usual: Mapping[str, Usual]

    @classmethod
    def of(
        cls,
        views: Mapping[str, Mapping[str, Sequence[str]]],
        not_for_documents: Mapping[str, Sequence[str]],
        holders: Mapping[str, Sequence[str]],
    ) -> Views:
        """Return the needs of *views* (view → channel → elements), checked against the dataset. Raises :class:`Misconfigured`."""
        consignment: dict[str, tuple[Need, ...]] = {}
        items: dict[str, tuple[Need, ...]] = {}
        for channel in ("post", "express", "freight"):
            needs: dict[str, Need] = {}
            for view in VIEW_ORDER:
                spared = frozenset(not_for_documents.get(view, ()))
                for element in views.get(view, {}).get(channel, ()):
                    needs.setdefault(element, _need(element, view, holders, element not in spared))
            consignment[channel] = tuple(need for need in needs.values() if need.alternatives[0][0] != "goods_item")
            items[channel] = tuple(need for need in needs.values() if need.alternatives[0][0] == "goods_item")
        return cls(consignment, items, {channel: _usual(consignment[channel], items[channel]) for channel in consignment})

    def _is_usual(self, consignment: Consignment) -> bool:
        """Whether everything usual is there: then :meth:`missing_of` need not look further."""
        usual, known = self.usual[consignment.channel], consignment.__dict__
        if not (consignment.goods_items and all(usual.consignment(known))):
            return False
        for name, values in usual.parties:
            if known[name] is None or not all(values(known[name].__dict__)):
                return False
        goods = [item.__dict__ for item in consignment.goods_items]
        unusual = [values for values in goods if not all(usual.item(values)) or len(values["hs_code"] or "") < HS_DIGITS]
        return not unusual

    def missing_of(self, consignment: Consignment) -> tuple[Missing, ...]:
        """Return every element that a view needs of this consignment and nobody gave, each once, under the earliest view that needs it."""
        if self._is_usual(consignment):
            return ()
        documents = consignment.nature_of_transaction == "documents"
        known = {
            "consignment": consignment.__dict__,
            "consignor": consignment.consignor.__dict__ if consignment.consignor is not None else _EMPTY,
            "consignee": consignment.consignee.__dict__ if consignment.consignee is not None else _EMPTY,
        }
        found: list[Missing] = []
        for need in self.of_consignment[consignment.channel]:
            for owner, name in need.alternatives:
                if known[owner].get(name):
                    break
            else:
                if need.documents_too or not documents:
                    found.append(_missing(need, need.path))
        needs = self.of_items[consignment.channel]
        if not consignment.goods_items:
            found += [_missing(need, f"/goods_items/0{need.path}") for need in needs if need.documents_too or not documents]
        for place, item in enumerate(consignment.goods_items):
            values = item.__dict__
            for need in needs:
                if _lacks(values, need) and (need.documents_too or not documents):
                    found.append(_missing(need, f"/goods_items/{place}{need.path}"))
        return tuple(found)


def _usual(of_consignment: Sequence[Need], of_items: Sequence[Need]) -> Usual:
    first = [need.alternatives[0] for need in of_consignment]
    parties = [(owner, _taking([name for party, name in first if party == owner])) for owner in ("consignor", "consignee")]
    of_items_first = [need.alternatives[0][1] for need in of_items]
    return Usual(_taking([name for owner, name in first if owner == "consignment"]), parties, _taking(of_items_first))


def _taking(names: Sequence[str]) -> Values:
    """Return what takes the values of *names*; of one name or none, too, as a sequence."""
    return itemgetter(*names) if len(names) > 1 else lambda record: [record[name] for name in names]


def _lacks(values: Mapping[str, Any], need: Need) -> bool:
    for _, name in need.alternatives:
        value = values[name]
        if value is not None and value != "" and (name != "hs_code" or len(value) >= HS_DIGITS):
            return False
    return True


def _missing(need: Need, path: str) -> Missing:
    return build(Missing, path=path, view=cast(Any, need.view), holders=need.holders)


def _need(element: str, view: str, holders: Mapping[str, Sequence[str]], documents_too: bool) -> Need:
    alternatives = tuple(_owner_and_field(part) for part in element.split("|"))
    owner, name = alternatives[0]
    prefix = f"/{owner}" if owner in ("consignor", "consignee") else ""
    best = _best_holders(owner, name) or tuple(holders.get(owner, ()))
    return Need(alternatives, f"{prefix}/{name}", view, best, documents_too)


def _owner_and_field(part: str) -> tuple[str, str]:
    owner, _, name = part.partition(".")
    model = _OWNERS.get(owner)
    if model is None or name not in model.__annotations__:
        raise Misconfigured(f"view element {part!r} is not in the standard dataset")
    return owner, name


def _best_holders(owner: str, name: str) -> tuple[str, ...]:
    for entity in _ENTITIES[owner]:
        element = dataset.elements().get(f"{entity}.{name}")
        if element is not None:
            return element.best_holders
    return ()


# --- goods items --------------------------------------------------------------------------------------------------------------------------


class ItemVerdict(NamedTuple):
    """What the lists say of one goods item. ``regulated`` is the rule id whose prefix and keyword both match, ``possible`` when either
    does; ``elsewhere`` are the chapters that the description speaks of where it contradicts the HS code (DQ-18)."""

    description: str
    hint: str
    second_hand: bool
    regulated: str
    enforcement: bool
    possible: bool
    elsewhere: tuple[str, ...]


@lru_cache(maxsize=16_384)
def judge_item(description: str, hs_code: str, documents_allowed: bool) -> ItemVerdict:
    """Judge one goods item by its text and code. Pure; remembered, because senders repeat themselves.

    A prefix alone marks goods worth a look and a keyword alone may be a coffee capsule: only both together are a control (README of the
    list).
    """
    verdict = goods_description.judge(description, documents_allowed=documents_allowed) if description else None
    matches = [match for match in regulated_goods.matches(hs_code, description) if match.rule.default_action.startswith("hold")]
    strong = [match.rule for match in matches if match.by_prefix and match.keyword]
    return ItemVerdict(
        description=verdict.action if verdict else "accept",
        hint=verdict.hint if verdict else "",
        second_hand=bool(verdict and verdict.second_hand),
        regulated=strong[0].rule_id if strong else "",
        enforcement=any(rule.default_action == "hold_for_enforcement" for rule in strong),
        possible=bool(matches),
        elsewhere=hs_words.chapters_instead(description, hs_code) if description and hs_code else (),
    )


def judge_items(consignment: Consignment) -> list[ItemVerdict]:
    """Judge every goods item of *consignment*, in order."""
    documents = consignment.nature_of_transaction == "documents"
    return [judge_item(item.goods_description or "", item.hs_code or "", documents) for item in consignment.goods_items]
