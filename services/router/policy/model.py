"""What a policy pack says, as frozen models; :class:`Policy` is a pack compiled for use.

A pack's content is one value with one digest (SHA-256 over its canonical JSON, code lists included), so a decision that names the digest
can be
recomputed exactly.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Final, Literal

import orjson
from pydantic import Field, StringConstraints, model_validator

from services.router.building import build
from services.router.quality import Views
from shared.codes.exchange_rates import Rates, parse_rates
from shared.contracts import Outcome, PolicyRef, PublicReason, Reason
from shared.expressions import Schema, compile_all
from shared.model import Consignment, Model

Text = Annotated[str, StringConstraints(min_length=1, max_length=500)]
Code = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9-]{2,39}$")]


class Sample(Model):
    """A consignment that meets a rule, or just misses it: the pack's base sample with ``set`` merged in, then ``without`` taken out.

    ``set`` is merged by key; ``goods_items`` is a list of changes to the base's one goods item. ``without`` are paths such as
    ``consignee.name`` or
    ``goods_item.hs_code``.
    """

    set: dict[str, Any] = Field(default_factory=dict)
    without: tuple[str, ...] = ()


class Rule(Model):
    """One rule: fires with an ``outcome``, or says that a service must ``ask``; exactly one of the two.

    ``when`` is an expression over the consignment and ``assessment`` (:class:`Judged`); valid from one day to another, both inclusive.
    """

    code: Code
    when: Text
    outcome: Outcome | None = None
    ask: str | None = None
    public: PublicReason = "other"
    why: Text
    source: Text
    valid_from: date
    valid_to: date | None = None
    meets: Sample
    misses: Sample

    @model_validator(mode="after")
    def _one_effect(self) -> Rule:
        if (self.outcome is None) == (self.ask is None):
            raise ValueError("a rule has either an outcome or a service to ask")
        if self.outcome is Outcome.WITHDRAWN:
            raise ValueError("only a sender withdraws")
        return self

    def holds_on(self, day: date) -> bool:
        """Whether the rule is in force on *day*."""
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)

    def reason(self) -> Reason:
        """Return what a decision says when this rule fired."""
        return build(
            Reason,
            code=self.code,
            outcome=self.outcome or Outcome.RELEASE,
            public=self.public,
            why=self.why,
            source=self.source,
            path=None,
            value=None,
        )


class ServiceSpec(Model):
    """A body that may have to answer, and what its silence means. ``batch`` is how many requests go into one call over HTTP."""

    name: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{1,39}$")]
    transport: Literal["http", "kafka"]
    answer_within_seconds: int = Field(ge=1)
    when_silent: Outcome
    batch: int = Field(50, ge=1, le=50)
    concurrency: int = Field(4, ge=1, le=64)
    timeout_seconds: float = Field(5.0, gt=0)

    @model_validator(mode="after")
    def _silence_releases_nothing(self) -> ServiceSpec:
        if self.when_silent in (Outcome.RELEASE, Outcome.WITHDRAWN):
            raise ValueError("silence neither releases nor withdraws")
        return self


class ViewSpec(Model):
    """The elements a view asks of each channel; ``a|b`` is met by either. ``not_for_documents`` are not asked of correspondence."""

    post: tuple[str, ...] = ()
    express: tuple[str, ...] = ()
    freight: tuple[str, ...] = ()
    not_for_documents: tuple[str, ...] = ()


class Content(Model):
    """A pack as written. ``rates`` is CSV in the hub's format, ``lists`` the SHA-256 of each code list that has a say."""

    pack: str
    version: str
    currency: str
    territory: tuple[str, ...]
    holders: dict[str, tuple[str, ...]]
    views: dict[Literal["pre_loading", "pre_arrival"], ViewSpec]
    services: tuple[ServiceSpec, ...]
    rules: tuple[Rule, ...]
    sample: dict[str, Any]
    rates: str
    lists: dict[str, str]

    def canonical(self) -> bytes:
        """Return the one JSON text that stands for this content."""
        return orjson.dumps(self.model_dump(mode="json"), option=orjson.OPT_SORT_KEYS)


class Judged(Model):
    """What the hub worked out about a consignment, for rules to ask: the name ``assessment`` in an expression.

    ``value`` is the intrinsic value in the pack's currency, 0 when not known (``value_known``). ``description`` is the worst verdict
    over all goods
    items. ``regulated``: prefix and keyword of one row of the regulated goods agree; ``enforcement``: such a row wants enforcement.
    """

    in_territory: bool = False
    category: int = 0
    value: Decimal = Decimal(0)
    value_known: bool = False
    threshold_unconfirmed: bool = False
    missing_pre_loading: int = 0
    missing_pre_arrival: int = 0
    description: Literal["accept", "warn", "flag", "reject"] = "accept"
    second_hand: bool = False
    regulated: bool = False
    enforcement: bool = False
    commercial: bool = False
    hs_short: int = 0
    subheadings: int = 0
    product_ids_missing: int = 0
    ioss_numbers: int = 0
    ioss_malformed: int = 0
    has_order: bool = False


SCHEMA: Final = Schema.of(Consignment, {"assessment": Judged})


class Policy:
    """A pack ready to judge: rules compiled once per period in which the same rules hold."""

    def __init__(self, content: Content) -> None:
        self.content = content
        self.canonical = content.canonical()
        self.digest = hashlib.sha256(self.canonical).hexdigest()
        self.ref = PolicyRef(pack=content.pack, version=content.version, digest=self.digest)
        self.rules: Mapping[str, Rule] = {rule.code: rule for rule in content.rules}
        self.services: Mapping[str, ServiceSpec] = {service.name: service for service in content.services}
        self.territory = frozenset(content.territory)
        self.rates: Rates = parse_rates(content.rates, f"{content.pack} exchange rates")
        self.views = Views.of(
            {name: {"post": view.post, "express": view.express, "freight": view.freight} for name, view in content.views.items()},
            {name: view.not_for_documents for name, view in content.views.items()},
            content.holders,
        )
        self._reasons: Mapping[str, Reason] = {rule.code: rule.reason() for rule in content.rules if rule.outcome is not None}
        self._by_period: dict[tuple[str, ...], Callable[[Any], list[str]]] = {}
        self._by_day: dict[date, Callable[[Any], list[str]]] = {}

    def fired(self, root: Any, day: date) -> list[str]:
        """Return the codes of the rules in force on *day* that *root* (consignment fields and ``assessment``) meets, in the pack's
        order."""
        judge = self._by_day.get(day)
        if judge is None:
            judge = self._by_day[day] = self._compiled_for(day)
        return judge(root)

    def reasons(self, codes: list[str]) -> tuple[Reason, ...]:
        """Return the reasons of the rules among *codes* that have an outcome."""
        return tuple(self._reasons[code] for code in codes if code in self._reasons)

    def to_ask(self, codes: list[str]) -> tuple[str, ...]:
        """Return the services that the rules among *codes* say must answer, each once."""
        asked = dict.fromkeys(self.rules[code].ask for code in codes)
        return tuple(name for name in asked if name is not None)

    def _compiled_for(self, day: date) -> Callable[[Any], list[str]]:
        codes = tuple(code for code, rule in self.rules.items() if rule.holds_on(day))
        if codes not in self._by_period:
            self._by_period[codes] = compile_all({code: self.rules[code].when for code in codes}, SCHEMA)
        return self._by_period[codes]
