"""A batch in memory: every input folded in record order onto the dossiers that were loaded and locked for it.

Pure but for what it was given: no SQL, no Kafka. An order and the consignments that name it meet here, whichever comes first, each as an
input of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from services.router import beside, links, tracks, transition
from services.router.dossier import Dossier
from services.router.fold import Input, fold
from services.router.policy.model import Policy
from services.router.transition import NO_HASH, Transition
from shared.contracts import Answer, Command, Topics, derived_id, order_key
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


def named_by(inputs: Iterable[Received]) -> set[tuple[str, str]]:
    """Return the linking keys that *inputs* bring or name (orders, masters, receptacles, numbers of declarations), each with the key of
    the input."""
    named: set[tuple[str, str]] = set()
    for received in inputs:
        body, key = received.entry.body, received.entry.key
        if isinstance(body, Filing):
            named.update((ref, key) for ref in links.of_filing(body, key))
        elif isinstance(body, Answer):
            named.update((ref, key) for ref in links.of_answer(body, key))
    return named


def reached_by(inputs: Iterable[Received]) -> set[str]:
    """Return the linking keys beneath which *inputs* reach: everything that is linked to them is concerned."""
    found: set[str] = set()
    for received in inputs:
        if not isinstance(received.entry.body, Command):
            found.update(links.reached(received.entry.body, received.entry.key))
    return found


def disputable(dossiers: Mapping[str, Stored]) -> set[str]:
    """Return the numbers of declarations under which something waits: whether it goes on depends on who else goes by the number."""
    return {key for key, held in dossiers.items() if key.startswith(("mrn:", "lrn:")) and held.dossier.statements}


def numbers_held(dossiers: Mapping[str, Stored]) -> set[str]:
    """Return the MRNs, as keys, that waiting answers give: whoever gets those answers gets these numbers."""
    waiting = (held.dossier.statements or () for key, held in dossiers.items() if links.is_reference(key))
    return {f"mrn:{one.reference}" for statements in waiting for one in statements if one.reference}


def bodies_needed(inputs: Iterable[Received], dossiers: Mapping[str, Stored], linked: Mapping[str, set[str]]) -> set[UUID]:
    """Return the causes whose inputs must be loaded before *inputs* can be folded: what is held by consignments that a filing or an
    order touches, and what waits under the keys that are named."""
    touched: set[str] = set()
    joins = False
    for received in inputs:
        body = received.entry.body
        if received.entry.conflict or isinstance(body, Command):
            continue
        if isinstance(body, Answer):
            joins = joins or links.numbered(body, received.entry.key) is not None or links.is_reference(received.entry.key)
        elif body.order is not None:
            touched |= linked.get(received.entry.key, set())
        elif beside.kind_of(body) is not None:
            joins = joins or body.movement is not None
        else:
            touched.add(received.entry.key)
            joins = joins or bool(linked)
    needed: set[UUID] = set()
    for key in touched:
        if key in dossiers:
            dossier = dossiers[key].dossier
            needed.update(order.cause_id for order in dossier.orders)
            if dossier.filing is not None and not dossier.withdrawn:
                needed.add(dossier.filing.cause_id)
    if joins:
        for ref in linked:
            if ref in dossiers:
                needed.update(_waiting(dossiers[ref].dossier))
    return needed


def _waiting(dossier: Dossier) -> Iterator[UUID]:
    """Yield the causes of what a consignment gets that is linked to *dossier*."""
    if dossier.filing is not None and not dossier.withdrawn:
        yield dossier.filing.cause_id
    yield from (fact.cause_id for fact in dossier.facts or ())
    yield from (one.cause_id for one in dossier.statements or ())


class Batch:
    """Folds inputs one after another; afterwards ``changed`` holds the dossiers, ``transitions`` the rows, ``links`` the new links,
    ``outgoing`` the events.

    *linked* says what the keys of :func:`named_by` lead to: everything, where inputs reach beneath them or they are :func:`disputable`;
    of a master that is only named, no more than the keys that name it.
    """

    def __init__(
        self,
        policy: Policy,
        topics: Topics,
        dossiers: Mapping[str, Stored],
        linked: Mapping[str, set[str]],
        bodies: Mapping[UUID, bytes],
    ) -> None:
        self._policy = policy
        self._topics = topics
        self._present = frozenset(dossiers)
        self._held: dict[str, Stored] = dict(dossiers)
        self._linked: dict[str, set[str]] = {ref: set(keys) for ref, keys in linked.items()}
        self._bodies = dict(bodies)
        self.changed: dict[str, Stored] = {}
        self.transitions: list[Transition] = []
        self.links: list[tuple[str, str]] = []
        self.outgoing: list[Outgoing] = []

    def keys(self) -> set[str]:
        """Return the keys whose dossiers are held: loaded, locked, or made."""
        return set(self._held)

    def is_new(self, key: str) -> bool:
        """Whether the dossier of *key* was not there before this batch."""
        return key not in self._present

    def apply(self, received: Received) -> None:
        """Fold one input, and the links it makes, before or after it."""
        body, key = received.entry.body, received.entry.key
        if received.entry.conflict or isinstance(body, Command):
            self._fold(received)
        elif isinstance(body, Answer):
            self._apply_answer(received, body)
        elif body.consignment is not None:
            refs = links.declared(body)
            if refs and self._may_link(key, body):
                causes = [cause for ref in refs for cause in self._join(ref, key, received.at, body.participant)]
                self._fold(received, before=transition.also(causes))
            else:
                self._fold(received)
        elif body.order is not None:
            self._apply_order(received, body)
        elif beside.kind_of(body) is not None:
            self._apply_beside(received, body)
        else:
            self._fold(received)

    def _join(self, ref: str, key: str, at: datetime, owner: str | None = None) -> list[UUID]:
        """Link *key*, filed by *owner*, to *ref* and fold onto it what waits there; return the causes of that."""
        new = self._link(ref, key)
        causes = []
        if ref.startswith("order:"):
            order = self._order_to_attach(ref, key)
            if order is not None:
                causes.append(self._fold_link(order, key, at))
        waiting = self._held[ref].dossier if new and ref in self._held else None
        if waiting is not None:
            for fact in waiting.facts or ():
                if ref.startswith("order:"):
                    causes.append(self._hand_on(fact.cause_id, Filing, key, at)[0])
            for statement in tracks.handed_on(ref, waiting.statements or (), at, disputed=self._is_disputed(ref, owner)):
                causes += self._hand_on(statement.cause_id, Answer, key, at)
        return causes

    def _is_disputed(self, ref: str, owner: str | None = None) -> bool:
        """Whether consignments of several participants go by the number *ref*: senders choose their own, so only what stops is sure."""
        if not ref.startswith(("mrn:", "lrn:")):
            return False
        held = (self._held[key].dossier.filing for key in self._linked.get(ref, ()) if key in self._held)
        return len({filing.ref.participant for filing in held if filing is not None} | ({owner} if owner is not None else set())) > 1

    def _hand_on(self, cause: UUID, model: type[Filing | Answer], key: str, at: datetime) -> list[UUID]:
        """Fold what *cause* brought elsewhere onto *key* too; return the causes of that and of what follows from it."""
        raw = self._bodies[cause]
        derived = derived_id("link", cause, key)
        body = model.from_json(raw)
        if isinstance(body, Filing):
            self._fold(Received(Input(derived, key, "filing", body), raw, at))
            return [derived]
        return [derived, *self._apply_answer(Received(Input(derived, key, "answer", body), raw, at), body)]

    def _apply_answer(self, received: Received, answer: Answer) -> list[UUID]:
        """Fold an answer, and onto everything beneath its key; a consignment to which it gives an MRN is linked to that. Return the causes
        of all that, itself not among them."""
        key, at = received.entry.key, received.at
        causes: list[UUID] = []
        beneath = sorted(self._linked.get(key, ())) if links.is_reference(key) else []
        if beneath and self._is_disputed(key) and not tracks.stops(answer):
            beneath = []
        for linked in beneath:
            derived = derived_id("link", received.entry.cause_id, linked)
            below = received._replace(entry=Input(derived, linked, "answer", answer))
            causes += [derived, *self._apply_answer(below, answer)]
        number = links.numbered(answer, key)
        if number is not None:
            causes += self._join(number, key, at)
        self._fold(received, before=transition.also(causes))
        return causes

    def _apply_beside(self, received: Received, filing: Filing) -> None:
        """Fold a filing beside the declaration: a movement links its unit, a payment reaches every order it names and their
        consignments."""
        key, at = received.entry.key, received.at
        causes = [cause for unit in beside.units(filing) for cause in self._join(unit, key, at)]
        reached: set[str] = set()
        for ref in dict.fromkeys(order_key(ref) for ref in filing.order_refs()):
            parent = received.entry.cause_id
            if ref != key:
                parent = derived_id("link", filing.filing_id, ref)
                causes.append(self._fold_beside(received, filing, parent, ref))
            for linked in sorted(self._linked.get(ref, set()) - reached - {key}):
                reached.add(linked)
                causes.append(self._fold_beside(received, filing, derived_id("link", parent, linked), linked))
        self._fold(received, before=transition.also(causes))

    def _fold_beside(self, received: Received, filing: Filing, cause: UUID, key: str) -> UUID:
        self._fold(received._replace(entry=Input(cause, key, "filing", filing)))
        return cause

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

    def _link(self, ref: str, key: str) -> bool:
        """Remember that *ref* leads to *key*; return whether that is new."""
        keys = self._linked.setdefault(ref, set())
        if key in keys:
            return False
        keys.add(key)
        self.links.append((ref, key))
        return True

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
        if entry.kind != "command":
            self._bodies[entry.cause_id] = received.raw

    def _loaded(self, dossier: Dossier, entry: Input) -> Dossier:
        """Put the bodies a filing may need into *dossier*, where they are not there yet."""
        if entry.kind != "filing" or entry.conflict or entry.key.startswith("order:") or beside.kind_of(entry.body) is not None:  # type: ignore[arg-type]
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
