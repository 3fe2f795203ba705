"""Which other keys an input names: the orders, units and numbers by which something else may reach its consignment.

``order:`` an order, ``master:`` and ``receptacle:`` what the goods travel in, ``mrn:`` and ``lrn:`` the numbers of a declaration. Each such
key has a dossier of its own, where what came early waits, and rows that lead from it to the keys beneath.
"""

from __future__ import annotations

from typing import Final

from services.router import beside
from shared.contracts import Answer, order_key
from shared.model import Filing

_REFERENCES: Final = ("mrn:", "lrn:", "master:", "receptacle:")
_CONSIGNMENTS: Final = ("post:", "express:", "freight:")


def is_reference(key: str) -> bool:
    """Whether *key* leads to consignments instead of naming one."""
    return key.startswith(_REFERENCES)


def is_consignment(key: str) -> bool:
    """Whether *key* names a consignment."""
    return key.startswith(_CONSIGNMENTS)


def declared(filing: Filing) -> tuple[str, ...]:
    """Return the keys that a declaration names: its orders, its receptacle and master, its own numbers; each once."""
    consignment = filing.consignment
    assert consignment is not None
    orders, master, receptacle = consignment.orders, consignment.master_transport_document_id, consignment.receptacle_id
    if not (orders or master or receptacle or filing.references):
        return ()
    named = [order_key(ref) for ref in orders or ()]
    if master:
        named.append(f"master:{master}")
    if receptacle:
        named.append(f"receptacle:{receptacle}")
    named += (reference for reference in filing.references or () if is_reference(reference))
    return tuple(dict.fromkeys(named))


def numbered(answer: Answer, key: str) -> str | None:
    """Return the MRN, as a key, that an authority's *answer* about the consignment *key* gives it."""
    return f"mrn:{answer.reference}" if answer.decision is not None and answer.reference and is_consignment(key) else None


def of_filing(filing: Filing, key: str) -> tuple[str, ...]:
    """Return the keys to lock with *filing*, besides its own where that is a consignment's."""
    if filing.consignment is not None:
        return declared(filing)
    if filing.order is not None:
        return (key,)
    named = (*beside.units(filing), *(order_key(ref) for ref in filing.order_refs())) if beside.kind_of(filing) is not None else ()
    return named if is_consignment(key) else (key, *named)


def of_answer(answer: Answer, key: str) -> tuple[str, ...]:
    """Return the keys to lock with *answer*."""
    named = (key,) if is_reference(key) else ()
    return (*named, f"mrn:{answer.reference}") if answer.decision is not None and answer.reference else named


def reached(body: Filing | Answer, key: str) -> tuple[str, ...]:
    """Return those of the keys beneath which *body* reaches: an order and what is about one, an authority's word about a number or unit, a
    movement of a unit, to which may come what waits for it. A consignment joins what it names, and never reaches its neighbours there."""
    if isinstance(body, Answer):
        return of_answer(body, key) if is_reference(key) else ()
    if body.consignment is not None:
        return ()
    orders = tuple(order_key(ref) for ref in body.order_refs())
    return orders if is_consignment(key) else (key, *orders)
