"""The standard dataset as a table: every element, what each view asks of it, who knows it best, who may see it.

Files: ``data/standard_dataset``. Views are the questions regimes ask over one record: pre-loading, pre-arrival, simplified
and full declaration.

>>> element("goods_item.hs_code").requirement(View.PRE_ARRIVAL)
<Requirement.MANDATORY: 'M'>
>>> visible("partner_agency", "V")
'banded'
"""

from __future__ import annotations

from enum import StrEnum
from functools import cache

from pydantic import BaseModel, ConfigDict

from shared.codes.tables import names, read_table


class View(StrEnum):
    """A set of elements a regime wants complete at one moment."""

    PRE_LOADING = "pre_loading"
    PRE_ARRIVAL = "pre_arrival"
    SIMPLIFIED = "simplified"
    FULL = "full"


class Requirement(StrEnum):
    """What a view asks of an element."""

    MANDATORY = "M"
    CONDITIONAL = "C"
    OPTIONAL = "O"
    NOT_USED = "-"


class Element(BaseModel):
    """One element. ``best_holders`` and ``source_messages`` are best first; ``data_class`` is a letter of the visibility table."""

    model_config = ConfigDict(frozen=True)

    entity: str
    name: str
    wco_id: str
    format: str
    code_list: str
    pre_loading: Requirement
    pre_arrival: Requirement
    simplified: Requirement
    full: Requirement
    best_holders: tuple[str, ...]
    source_messages: tuple[str, ...]
    data_class: str
    note: str

    @property
    def path(self) -> str:
        """``entity.name``, the key of the table."""
        return f"{self.entity}.{self.name}"

    @property
    def is_seven_plus_one(self) -> bool:
        """Whether the element belongs to the pre-loading minimum ("7+1")."""
        return "7+1" in self.note

    def requirement(self, view: View) -> Requirement:
        """Return what *view* asks of this element."""
        return {
            View.PRE_LOADING: self.pre_loading,
            View.PRE_ARRIVAL: self.pre_arrival,
            View.SIMPLIFIED: self.simplified,
            View.FULL: self.full,
        }[view]


@cache
def elements() -> dict[str, Element]:
    """Return every element by ``entity.name``, in the order of the table."""
    found = (
        Element.model_validate(
            {
                **row,
                # Holders of a party's data depend on its role: the table then says so in words.
                "best_holders": ()
                if row["best_holders"] == "see roles"
                else names(row["best_holders"].replace("risk service", "RISK"), " "),
                "source_messages": () if row["source_messages"] == "see roles" else names(row["source_messages"], " "),
            }
        )
        for row in read_table("standard_dataset/elements")
    )
    return {element.path: element for element in found}


def element(path: str) -> Element:
    """Return the element at ``entity.name``; raises KeyError for a name the dataset does not have."""
    return elements()[path]


@cache
def required(view: View, requirement: Requirement = Requirement.MANDATORY) -> tuple[Element, ...]:
    """Return the elements for which *view* asks *requirement*, in the order of the table."""
    return tuple(entry for entry in elements().values() if entry.requirement(view) is requirement)


@cache
def visibility() -> dict[str, dict[str, str]]:
    """Return role → data class → degree (``full``, ``own``, ``masked``, ``banded``, ``none``, …)."""
    return {row["role"]: {key: degree for key, degree in row.items() if key != "role"} for row in read_table("standard_dataset/visibility")}


def visible(role: str, data_class: str) -> str:
    """Return how much of *data_class* the *role* sees; ``none`` for a role or class the table does not know."""
    return visibility().get(role, {}).get(data_class, "none")
