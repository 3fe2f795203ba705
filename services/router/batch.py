"""A batch in memory: every input folded in record order onto the dossiers that were loaded and locked for it.

Pure but for what it was given: no SQL, no Kafka. An order and the consignments that name it meet here, whichever comes first, each as an
input of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from services.router import transition
from services.router.dossier import Dossier
from services.router.fold import Input, fold
from services.router.policy.model import Policy
from services.router.transition import NO_HASH, Transition
from shared.contracts import Topics, derived_id, order_key
from shared.model import Filing
from shared.outgoing import Outgoing


class Received(NamedTuple):
    """One input as it came: its bytes, and the time at which it is applied."""

    entry: Input
    raw: bytes
    at: datetime


class Stored(NamedTuple):
    """A dossier as loaded, and the hash of its last transition."""

    dossier: Dossier
    hash: bytes


def refs_of(inputs: Iterable[Received]) -> set[str]:
    """Return the orders that *inputs* bring or name."""
    refs: set[str] = set()
    for received in inputs:
        body = received.entry.body
        if isinstance(body, Filing):
            if body.order is not None:
                refs.add(received.entry.key)
            elif body.consignment is not None and body.consignment.orders:
                refs.update(order_key(ref) for ref in body.consignment.orders)
    return refs


def bodies_needed(inputs: Iterable[Received], dossiers: Mapping[str, Stored], links: Mapping[str, set[str]]) -> set[UUID]:
    """Return the causes whose inputs must be loaded before *inputs* can be folded: what is held by consignments that a filing or an
    order touches, and
    orders that are named."""
    touched: set[str] = set()
    needed: set[UUID] = set()
    for received in inputs:
        body = received.entry.body
        if not isinstance(body, Filing) or received.entry.conflict:
            continue
        if body.order is not None:
            touched |= links.get(received.entry.key, set())
            continue
        touched.add(received.entry.key)
        for ref in body.order_refs():
            order = dossiers.get(order_key(ref))
            if order is not None and order.dossier.filing is not None and not order.dossier.withdrawn:
                needed.add(order.dossier.filing.cause_id)
    for key in touched:
        if key in dossiers:
            dossier = dossiers[key].dossier
            needed.update(order.cause_id for order in dossier.orders)
            if dossier.filing is not None and not dossier.withdrawn:
                needed.add(dossier.filing.cause_id)
    return needed


class Batch:
    """Folds inputs one after another; afterwards ``changed`` holds the dossiers, ``transitions`` the rows, ``links`` the new links,
    ``outgoing`` the events."""

    def __init__(
        self,
        policy: Policy,
        topics: Topics,
        dossiers: Mapping[str, Stored],
        links: Mapping[str, set[str]],
        bodies: Mapping[UUID, bytes],
    ) -> None:
        self._policy = policy
        self._topics = topics
        self._present = frozenset(dossiers)
        self._held: dict[str, Stored] = dict(dossiers)
        self._linked: dict[str, set[str]] = {ref: set(keys) for ref, keys in links.items()}
        self._bodies = dict(bodies)
        self.changed: dict[str, Stored] = {}
        self.transitions: list[Transition] = []
        self.links: list[tuple[str, str]] = []
        self.outgoing: list[Outgoing] = []

    def is_new(self, key: str) -> bool:
        """Whether the dossier of *key* was not there before this batch."""
        return key not in self._present

    def apply(self, received: Received) -> None:
        """Fold one input, and the links it makes, before or after it."""
        body = received.entry.body
        if received.entry.conflict or not isinstance(body, Filing):
            self._fold(received)
        elif body.order is not None:
            self._apply_order(received, body)
        elif body.consignment is not None and body.consignment.orders and self._may_link(received.entry.key, body):
            self._apply_linking(received, body)
        else:
            self._fold(received)

    def _apply_linking(self, received: Received, filing: Filing) -> None:
        """Attach the orders already held that *filing* names, then fold the filing, so that it is judged with them."""
        causes = []
        for ref in dict.fromkeys(order_key(ref) for ref in filing.order_refs()):
            self._link(ref, received.entry.key)
            order = self._order_to_attach(ref, received.entry.key)
            if order is not None:
                causes.append(self._fold_link(order, received.entry.key, received.at))
        self._fold(received, before=transition.also(causes))

    def _apply_order(self, received: Received, filing: Filing) -> None:
        """Fold an order onto its own dossier; if it changed that, onto every consignment that names it too."""
        key = received.entry.key
        before = self._held.get(key)
        keys = sorted(self._linked.get(key, ()))
        causes = [derived_id("link", filing.filing_id, linked) for linked in keys]
        place = len(self.transitions)
        self._fold(received)
        adopted = self._held[key].dossier.filing
        if adopted is None or adopted.cause_id != filing.filing_id or (before is not None and before.dossier.filing == adopted) or not keys:
            return
        row = self.transitions[place]
        self._replace_events(place, "\n".join(part for part in (row.events, transition.also(causes)) if part))
        for linked in keys:
            self._fold_link(received, linked, received.at)

    def _replace_events(self, place: int, events: str) -> None:
        row = self.transitions[place]
        digest = row.input_digest
        link = transition.chained(
            row.previous_hash, row.cause_id, row.key, row.sequence, row.at, row.kind, row.policy_digest, digest, events
        )
        self.transitions[place] = row._replace(events=events, hash=link)
        stored = Stored(self._held[row.key].dossier, link)
        self._held[row.key] = self.changed[row.key] = stored

    def _may_link(self, key: str, filing: Filing) -> bool:
        """Only who filed a consignment, or files it first, may name its orders."""
        held = self._held.get(key)
        return held is None or held.dossier.filing is None or held.dossier.filing.ref.participant == filing.participant

    def _link(self, ref: str, key: str) -> None:
        keys = self._linked.setdefault(ref, set())
        if key not in keys:
            keys.add(key)
            self.links.append((ref, key))

    def _order_to_attach(self, ref: str, key: str) -> Received | None:
        """Return the order *ref* as an input, unless it is not held, withdrawn, or already attached to *key*."""
        order = self._held.get(ref)
        if order is None or order.dossier.filing is None or order.dossier.withdrawn:
            return None
        filing_id = order.dossier.filing.cause_id
        held = self._held.get(key)
        if held is not None and any(attached.filing_id == filing_id for attached in held.dossier.orders):
            return None
        raw = self._bodies[filing_id]
        return Received(Input(filing_id, ref, "filing", Filing.from_json(raw)), raw, order.dossier.filing.ref.received_at)

    def _fold_link(self, order: Received, key: str, at: datetime) -> UUID:
        assert isinstance(order.entry.body, Filing)
        cause = derived_id("link", order.entry.body.filing_id, key)
        self._fold(Received(Input(cause, key, "filing", order.entry.body), order.raw, at))
        return cause

    def _fold(self, received: Received, *, before: str = "") -> None:
        entry = received.entry
        stored = self._held.get(entry.key)
        dossier = self._loaded(stored.dossier, entry) if stored is not None else None
        step = fold(dossier, entry, self._policy, received.at)
        outgoing, text = transition.published(step.events, entry.key, received.at, self._topics)
        events = f"{before}\n{text}" if before and text else before or text
        previous = stored.hash if stored is not None else NO_HASH
        row = transition.make(entry, received.raw, step.dossier.sequence, received.at, events, self._policy.digest, previous)
        self._held[entry.key] = self.changed[entry.key] = Stored(step.dossier, row.hash)
        self.transitions.append(row)
        self.outgoing += outgoing
        if entry.kind == "filing":
            self._bodies[entry.cause_id] = received.raw

    def _loaded(self, dossier: Dossier, entry: Input) -> Dossier:
        """Put the bodies a filing may need into *dossier*, where they are not there yet."""
        if entry.kind != "filing" or entry.conflict or entry.key.startswith("order:"):
            return dossier
        changes: dict[str, object] = {}
        if dossier.content is None and dossier.filing is not None and not dossier.withdrawn:
            changes["content"] = Filing.from_json(self._bodies[dossier.filing.cause_id])
        if len(dossier.order_contents) != len(dossier.orders):
            changes["order_contents"] = tuple(Filing.from_json(self._bodies[order.cause_id]) for order in dossier.orders)
        return dossier.with_(changes) if changes else dossier


def fold_all(batch: Batch, inputs: Sequence[Received]) -> Batch:
    """Fold *inputs* in order and return the batch."""
    for received in inputs:
        batch.apply(received)
    return batch
