"""What the services say to each other: topics, event types, event bodies, CloudEvents headers. The only place that names a topic.

Every record is a CloudEvent 1.0 in Kafka binary mode: attributes are headers ``ce_*``, the value is the JSON body of the type. Keys,
headers and topic names carry no personal data.

=====================================  =======================  ==============================  ===========================
topic (prefix ``exchange.``)           key                      body (``ce_type``)              written by → read by
=====================================  =======================  ==============================  ===========================
``inbound.<participant>``              the sender's own         the sender's own bytes          door, participant → ingest
``large.v1``                           the inbound topic        the sender's own bytes          ingest → ingest
``filings.v1``                         consignment key          ``Filing``                      ingest → router
``answers.v1``                         consignment key          ``Answer``                      connectors, services → router
``commands.v1``                        consignment key          ``Command``                     officers' CLI, clock → router
``requests.<service>.v1``              consignment key          ``ServiceRequest``              router → connector or service
``decisions.v1``                       consignment key          the events of ``EVENTS``        router, ingest → notify, door
``release.<cc>.v1``, ``hold.<cc>.v1``  consignment key          ``Notice``                      notify → customs systems
``outbound.<participant>``             consignment key          the participant's own format    notify → the participant
``dead.v1``                            as it came               the bytes as they came          every service → operators
=====================================  =======================  ==============================  ===========================
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from hashlib import sha1
from typing import Annotated, Final, Literal, get_args
from uuid import UUID, SafeUUID

from pydantic import AwareDatetime, BeforeValidator, Field, PlainSerializer, StringConstraints, WithJsonSchema

from shared.model import Consignment, Filing, Finding, Kind, Model, Money, Order, OrderRef, Rejection
from shared.model.dataset import BusinessModel, Channel, Country, Nature

NAMESPACE: Final = UUID("6f1d3c5e-0d2b-5d0f-9c57-6775696368e7")
"""Namespace of every derived id of the hub (uuid5)."""

CONTENT_JSON: Final = b"application/json"
_NAMESPACE_BYTES: Final = NAMESPACE.bytes
_VERSION_5: Final = 0x5 << 76 | 0x2 << 62
_PAYLOAD_BITS: Final = (1 << 128) - 1 ^ (0xF << 76 | 0x3 << 62)
"""The bits of an RFC 9562 UUID that are not version or variant."""
_UNKNOWN: Final = SafeUUID.unknown
_set: Final = object.__setattr__

PARTICIPANT_PATTERN: Final = re.compile(r"[a-z0-9][a-z0-9-]{1,39}")
SERVICE_PATTERN: Final = re.compile(r"[a-z][a-z0-9-]{1,39}")


def derived_id(*parts: object) -> UUID:
    """Return the id that the same *parts* always give (uuid5 over the parts joined with ``|``)."""
    digest = sha1(_NAMESPACE_BYTES + "|".join(map(str, parts)).encode(), usedforsecurity=False).digest()
    made = UUID.__new__(UUID)  # without the questions that UUID() asks of what may come from anybody
    _set(made, "int", int.from_bytes(digest[:16]) & _PAYLOAD_BITS | _VERSION_5)
    _set(made, "is_safe", _UNKNOWN)
    return made


# --- topics ------------------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Topics:
    """The names of all topics under one prefix."""

    prefix: str = "exchange."

    @property
    def filings(self) -> str:
        return f"{self.prefix}filings.v1"

    @property
    def answers(self) -> str:
        return f"{self.prefix}answers.v1"

    @property
    def commands(self) -> str:
        return f"{self.prefix}commands.v1"

    @property
    def decisions(self) -> str:
        return f"{self.prefix}decisions.v1"

    @property
    def dead(self) -> str:
        return f"{self.prefix}dead.v1"

    @property
    def large(self) -> str:
        return f"{self.prefix}large.v1"

    def inbound(self, participant: str) -> str:
        return f"{self.prefix}inbound.{participant}"

    @property
    def inbound_pattern(self) -> str:
        return f"^{re.escape(self.prefix)}inbound\\..*$"

    def participant_of(self, inbound_topic: str) -> str:
        """Return the participant whose inbound topic this is."""
        return inbound_topic.removeprefix(f"{self.prefix}inbound.")

    def outbound(self, participant: str) -> str:
        return f"{self.prefix}outbound.{participant}"

    def requests(self, service: str) -> str:
        return f"{self.prefix}requests.{service}.v1"

    def release(self, country: str) -> str:
        return f"{self.prefix}release.{country.lower()}.v1"

    def hold(self, country: str) -> str:
        return f"{self.prefix}hold.{country.lower()}.v1"

    def group(self, name: str) -> str:
        """Return the consumer group *name* under this prefix: two hubs on one Kafka share nothing."""
        return f"{self.prefix}{name}"

    def core(self) -> tuple[str, ...]:
        """Return the topics every hub has, whoever is connected."""
        return (self.large, self.filings, self.answers, self.commands, self.decisions, self.dead)


# --- keys --------------------------------------------------------------------------------------------------------------------------------


def post_key(s10: str) -> str:
    """``post:<S10>``"""
    return f"post:{s10}"


def express_key(carrier: str, house: str) -> str:
    """``express:<carrier>:<house waybill>``; the carrier is the participant, the waybill upper case."""
    return f"express:{carrier}:{house.upper()}"


def freight_key(carrier: str, house: str) -> str:
    """``freight:<carrier>:<house document>``"""
    return f"freight:{carrier}:{house.upper()}"


def order_key(ref: OrderRef) -> str:
    """``order:<platform>:<order id>``, the key of an order until a consignment names it."""
    return f"order:{ref.platform_id}:{ref.order_id}"


# --- what a decision may say -------------------------------------------------------------------------------------------------------------


class Outcome(StrEnum):
    """What may be done with the consignment. Precedence: the later stops more."""

    RELEASE = "release"
    DOCUMENT_CHECK = "document_check"
    PHYSICAL_CHECK = "physical_check"
    REFERRAL = "referral"
    HOLD = "hold"
    WITHDRAWN = "withdrawn"


PublicReason = Literal[
    "data_missing",
    "description_unclear",
    "value_query",
    "payment_due",
    "documents_needed",
    "agency_control",
    "restricted_goods",
    "prohibited_goods",
    "address_problem",
    "scheme_invalid",
    "examination",
    "security",
    "no_answer",
    "officer",
    "withdrawn_by_sender",
    "other",
]
"""What platform, carrier and buyer may be told (clearance policy, section 6)."""

SILENT_WHEN_FREE: Final[frozenset[PublicReason]] = frozenset({"security", "examination", "other"})
"""Reasons that stopped nothing and would only tell that somebody looked: of a release nobody but customs hears them."""


Effect = Literal["created", "changed", "repeated", "stale", "withdrawn", "linked"]
"""What a filing did to its dossier."""


class Reason(Model):
    """Why: a rule that fired, an answer, an officer. ``code`` is stable; ``public`` is all that others than customs may see."""

    code: str
    outcome: Outcome
    public: PublicReason
    why: str
    source: str | None = None
    path: str | None = None
    value: str | None = None


class PolicyRef(Model):
    """The pack that judged: enough to recompute the decision exactly."""

    pack: str
    version: str
    digest: str


class FilingRef(Model):
    """Which filing, without its content. ``references`` are those by which its sender may know it (``lrn:…``)."""

    filing_id: UUID
    participant: str
    format: str
    message_id: str
    position: str
    function: Literal["original", "replace", "cancel"]
    version: int | None = None
    received_at: AwareDatetime
    submission_id: UUID | None = None
    kind: Kind
    references: tuple[str, ...] | None = None

    @classmethod
    def of(cls, filing: Filing) -> FilingRef:
        return cls.model_construct(
            filing_id=filing.filing_id,
            participant=filing.participant,
            format=filing.format,
            message_id=filing.message_id,
            position=filing.position,
            function=filing.function,
            version=filing.version,
            received_at=filing.received_at,
            submission_id=filing.submission_id,
            kind=filing.kind,
            references=filing.references,
        )


class Summary(Model):
    """What of a consignment travels with its events: references, routing and totals, no person.

    Subscribers' filter expressions are written over these fields and those of ``DecisionMade`` (see ``shared.expressions``).
    """

    house_transport_document_id: str
    master_transport_document_id: str | None = None
    channel: Channel
    nature_of_transaction: Nature | None = None
    business_model: BusinessModel | None = None
    country_of_dispatch: Country | None = None
    country_of_destination: Country | None = None
    posted_at: AwareDatetime | None = None
    departure_on: date | None = None
    package_count: int | None = None
    gross_mass_kg: Decimal | None = None
    declared_value: Money | None = None
    hs_codes: tuple[str, ...] = ()
    carrier_id: str | None = None
    platform_id: str | None = None
    orders: tuple[OrderRef, ...] | None = None
    origin_post: str | None = None
    destination_post: str | None = None
    mail_class: str | None = None


# --- event bodies ------------------------------------------------------------------------------------------------------------------------


class ConsignmentAccepted(Model):
    """Third answer: the hub holds the data; what is missing, for which view, and who is best placed to give it.

    ``effect`` says what the filing did: a new version, the same again (nothing changed), stale (an older version than held).
    """

    event_id: UUID
    key: str
    sequence: int
    accepted_at: AwareDatetime
    filing: FilingRef
    effect: Effect
    missing: tuple[Missing, ...] | None = None
    findings: tuple[Finding, ...] | None = None
    consignment: Summary | None = None
    order: OrderRef | None = None
    parties: tuple[str, ...]


class Missing(Model):
    """One element that a view needs and nobody gave. ``holders`` lists who is best placed, best first (elements.csv)."""

    path: str
    view: Literal["pre_loading", "pre_arrival", "simplified", "full"]
    holders: tuple[str, ...]


class OpenReferral(Model):
    """What an authority wants before loading, while it is open: ``RFI`` information or documents, ``RFS`` screening, ``DNL`` do not load.

    ``referral_id`` is the authority's own: who replies names it. ``requested`` are dataset paths, ``contact`` whom to call. ``answered``:
    a reply was given; the authority has yet to say that it is enough.
    """

    type: Literal["RFI", "RFS", "DNL"]
    referral_id: str | None = None
    due_at: AwareDatetime | None = None
    requested: tuple[str, ...] | None = None
    contact: str | None = None
    answered: bool | None = None


class Charge(Model):
    """One duty, tax or fee of an authority. ``type`` is ``CUD`` (duty), ``VAT``, ``GST``, ``EXC`` (excise), ``FEE``, ``FIN`` (fine),
    ``OTH``, or the authority's own code; ``hs_code`` names the goods it is for where it is not for all."""

    type: Annotated[str, StringConstraints(min_length=1, max_length=17)]
    amount: Money
    rate_percent: Annotated[Decimal, Field(max_digits=10, decimal_places=3)] | None = None
    hs_code: Annotated[str, StringConstraints(max_length=12)] | None = None


class Stop(Model):
    """A decision that stopped a consignment, as it was told: no rule, no detail. ``do_not_load``: an authority had said so."""

    outcome: Outcome
    public: tuple[PublicReason, ...]
    do_not_load: bool | None = None


class DecisionMade(Model):
    """Fourth answer. ``sequence`` rises with every change of the dossier; a later sequence supersedes an earlier one. ``answer_due_at`` is
    by when an authority's open question wants its answer. ``instead_of`` is the stop told before, which holds no longer, or no longer
    alone: receivers that keep a list of holds take it off. ``referrals`` are what authorities want before loading and have not ended.
    ``charges`` are the duties, taxes and fees of what stops the consignment, once nothing does those of its release.
    """

    event_id: UUID
    key: str
    sequence: int
    outcome: Outcome
    decided_at: AwareDatetime
    received_at: AwareDatetime
    reasons: tuple[Reason, ...]
    category: int
    policy: PolicyRef
    consignment: Summary
    filing: FilingRef
    parties: tuple[str, ...]
    asked: tuple[str, ...] = ()
    supersedes: UUID | None = None
    missing: tuple[Missing, ...] | None = None
    answer_due_at: AwareDatetime | None = None
    instead_of: Stop | None = None
    referrals: tuple[OpenReferral, ...] | None = None
    charges: tuple[Charge, ...] | None = None


class FilingRejected(Model):
    """Second answer when it is no: the whole message, or one item of it, with every finding."""

    event_id: UUID
    key: str
    rejected_at: AwareDatetime
    rejection: Rejection
    parties: tuple[str, ...]


class SubmissionRead(Model):
    """Second answer for a receipt of the HTTP door: well-formed; how many items (filings, and an authority's answers) went on, how many
    were rejected. ``filings`` names the former."""

    event_id: UUID
    key: str
    submission_id: UUID
    participant: str
    format: str | None = None
    message_id: str | None = None
    read_at: AwareDatetime
    items: int
    rejected: int
    filings: tuple[UUID, ...] = ()


def _decoded(value: object) -> object:
    return base64.b64decode(value, validate=True) if isinstance(value, str) else value


Bytes = Annotated[
    bytes,
    BeforeValidator(_decoded),
    PlainSerializer(lambda value: base64.b64encode(value).decode(), return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "contentEncoding": "base64"}),
]
"""Bytes as they are; in JSON as base64 (RFC 4648, section 4)."""


class Acknowledgement(Model):
    """The answer in kind to a message as a whole: a CONTRL, an XFNM, the table that came with a column of findings.

    ``format`` is the name of the format it is written in. At most 1 MiB.
    """

    format: str
    content_type: str
    body: Bytes


class ItemTaken(Model):
    """What became of one item of a message: where it stood, its key, whether it was refused, everything found, in the sender's own names.

    Without ``position`` it is about the message as a whole.
    """

    position: str | None = None
    key: str | None = None
    refused: bool
    findings: tuple[Finding, ...] = ()


class MessageAcknowledged(Model):
    """Second answer in the sender's own kind, to every message of a sender who asked for it, tests among them.

    ``acknowledgement`` is absent where the format has none, or where it would be larger than an answer may be. Then ``details`` tells what
    became of the items: of each of them; of those refused, where that would be too large; else it is absent, too. The same bytes of one
    sender have the same ``event_id``.
    """

    event_id: UUID
    key: str
    participant: str
    acknowledged_at: AwareDatetime
    received_at: AwareDatetime
    submission_id: UUID | None = None
    format: str | None = None
    message_id: str | None = None
    test: bool | None = None
    items: int
    rejected: int
    acknowledgement: Acknowledgement | None = None
    details: tuple[ItemTaken, ...] | None = None


class PublicView(Model):
    """One reason as its receiver may see it. ``code``, ``why`` and ``source`` are left out where the receiver's role may only know the
    public reason."""

    public: PublicReason
    code: str | None = None
    why: str | None = None
    source: str | None = None
    path: str | None = None


class Notice(Model):
    """What one subscriber is told of one event: the body of the feed, of webhooks, of ``release.<cc>.v1``; what the writing formats render.

    ``notice_id`` is the event's own id, ``at`` the event's own time, ``feed_sequence`` the position in this subscription's feed.
    ``reasons`` are already cut to what the receiver may see, ``findings`` and ``missing`` are set only for the party whose data they are
    about. ``filing`` names the filing judged, and only when it was the receiver's own; ``referred`` lists the dataset paths an authority
    asks for, ``answer_due_at`` by when, ``instead_of`` the stop he was told before, ``referrals`` what authorities want before loading;
    ``charges`` what is to be paid, or was; these only where the filing judged was his own, the last three also to customs. Nothing here
    belongs to another party.
    """

    notice_id: UUID
    subscription: UUID
    participant: str
    feed_sequence: int
    type: str
    at: AwareDatetime
    key: str
    sequence: int
    outcome: Outcome | None = None
    effect: Effect | None = None
    reasons: tuple[PublicView, ...] = ()
    consignment: Summary | None = None
    filing: FilingRef | None = None
    order: OrderRef | None = None
    missing: tuple[Missing, ...] | None = None
    findings: tuple[Finding, ...] | None = None
    referred: tuple[str, ...] | None = None
    category: int | None = None
    policy: PolicyRef | None = None
    received_at: AwareDatetime | None = None
    answer_due_at: AwareDatetime | None = None
    supersedes: UUID | None = None
    submission_id: UUID | None = None
    format: str | None = None
    message_id: str | None = None
    position: str | None = None
    items: int | None = None
    rejected: int | None = None
    acknowledgement: Acknowledgement | None = None
    details: tuple[ItemTaken, ...] | None = None
    instead_of: Stop | None = None
    referrals: tuple[OpenReferral, ...] | None = None
    charges: tuple[Charge, ...] | None = None


ConsignmentAccepted.model_rebuild()

EventBody = ConsignmentAccepted | DecisionMade | FilingRejected | SubmissionRead | MessageAcknowledged

EVENTS: Final[Mapping[str, type[Model]]] = {
    "guichet.consignment.accepted": ConsignmentAccepted,
    "guichet.decision.made": DecisionMade,
    "guichet.filing.rejected": FilingRejected,
    "guichet.submission.read": SubmissionRead,
    "guichet.message.acknowledged": MessageAcknowledged,
}
"""``ce_type`` of each event on ``decisions.v1``."""

TYPE_OF: Final[Mapping[type[Model], str]] = {body: name for name, body in EVENTS.items()}

ON_REQUEST: Final = frozenset({TYPE_OF[MessageAcknowledged]})
"""Events that are only made for those who name them in a subscription."""


# --- what goes to services and comes back ------------------------------------------------------------------------------------------------


class ServiceRequest(Model):
    """A question to a single window, risk service or agency: one outstanding per consignment and service.

    ``consignment`` is the view the service may see; a later request for the same key replaces an earlier one.
    """

    request_id: UUID
    key: str
    service: str
    sequence: int
    asked_at: AwareDatetime
    answer_due_at: AwareDatetime
    consignment: Consignment
    orders: tuple[Order, ...] = ()
    category: int


DecisionCode = Literal[
    "RECEIVED",
    "ACCEPTED",
    "REJECTED",
    "ASSESSED_OK",
    "INFO_REQUESTED",
    "DOCS_REQUESTED",
    "SCREEN_REQUESTED",
    "EXAMINE",
    "HOLD",
    "DO_NOT_LOAD",
    "TRANSFER_OK",
    "RELEASE",
    "REFUSE",
    "PAYMENT_REQUIRED",
    "CANCELLED",
]
"""The neutral words that every authority's own codes are translated to."""

Track = Literal["filing", "pre_loading", "clearance"]
"""Three tracks that are never mixed: a pre-loading ``ASSESSED_OK`` is no clearance ``RELEASE``."""


Phase = Literal["REG", "ADV", "FIN"]
"""Registration, advance decision, final decision: the phases of CUSRSP."""
_PHASES: Final[tuple[Phase, ...]] = get_args(Phase)


class Scope(Model):
    """How far an authority's message reaches. One about a master or a receptacle holds for every house beneath; one about pieces for so
    many of them.
    """

    level: Literal["master", "receptacle", "house", "pieces"]
    pieces: int | None = None


class Answer(Model):
    """What a service said. ``answer_id`` is the service's own (the same answer twice has the same id); ``issued_at`` orders answers of
    one service.

    ``request_id`` may be missing when a service speaks unasked; ``outcome`` is never WITHDRAWN. ``final`` marks a customs decision after
    examination or payment (phase FIN of CUSRSP): after it a sender can no longer cancel.
    A message of an authority read by a format also has ``decision`` on its ``track``, its ``scope``, whether it ends (``lifted``) an
    earlier one of the same code,
    the referral it is about and the elements it asks for. ``key`` is a consignment key where the message names the consignment, else a
    reference that leads to
    it: ``mrn:``, ``lrn:``, ``master:``, ``receptacle:`` and the number. ``phase`` and ``phase_sequence`` are those of CUSRSP (see
    :attr:`rank`); ``version_judged`` is the version of the item's data that was looked at; ``charges`` are duties, taxes and fees whose
    amount and currency are told; ``extra`` keeps what has no field (directives, taxes in words), ``findings`` what the reader had to say;
    ``position`` stands in the authority's message.
    """

    answer_id: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    key: str
    service: str
    request_id: UUID | None = None
    outcome: Outcome
    issued_at: AwareDatetime
    reason: PublicReason | None = None
    note: Annotated[str, StringConstraints(max_length=255)] | None = None
    raw_code: str | None = None
    reference: str | None = None
    final: bool | None = None
    decision: DecisionCode | None = None
    track: Track | None = None
    lifted: bool | None = None
    scope: Scope | None = None
    referral_id: str | None = None
    due_at: AwareDatetime | None = None
    requested: tuple[str, ...] | None = None
    phase: Phase | None = None
    phase_sequence: int | None = None
    version_judged: int | None = None
    charges: tuple[Charge, ...] | None = None
    extra: dict[str, str] | None = None
    findings: tuple[Finding, ...] | None = None
    format: str | None = None
    message_id: str | None = None
    position: str | None = None

    @property
    def rank(self) -> tuple[int, int]:
        """Return what decides between answers of one authority about one item: registration, advance decision, final decision; within
        a phase the higher sequence. A late advance decision therefore never undoes a final one."""
        return rank_of(self.phase, self.phase_sequence)


def rank_of(phase: Phase | None, sequence: int | None) -> tuple[int, int]:
    """Return what orders the words of one authority that have a phase: see :attr:`Answer.rank`."""
    return -1 if phase is None else _PHASES.index(phase), sequence or 0


class Command(Model):
    """What an officer or the clock wants. ``hold`` and ``release`` work on the hold stack, ``deadline`` says that a service did not
    answer in time."""

    command_id: UUID
    key: str
    action: Literal["hold", "release", "deadline"]
    by: Annotated[str, StringConstraints(min_length=1, max_length=70)]
    because: Annotated[str, StringConstraints(min_length=1, max_length=255)]
    issued_at: AwareDatetime
    hold_code: str | None = None
    service: str | None = None
    request_id: UUID | None = None


INPUTS: Final[Mapping[str, type[Model]]] = {"guichet.filing": Filing, "guichet.answer": Answer, "guichet.command": Command}
"""``ce_type`` of what the router reads."""

REQUEST_TYPE: Final = "guichet.request"
NOTICE_TYPE: Final = "guichet.notice"


# --- CloudEvents headers -----------------------------------------------------------------------------------------------------------------

Headers = Sequence[tuple[str, bytes | None]]
_SPECIFICATION: Final = ("ce_specversion", b"1.0")
_CONTENT: Final = ("content-type", CONTENT_JSON)


def event_headers(
    *, id: UUID | str, type: str, source: str, time: datetime | str, subject: str | None = None, extra: Iterable[tuple[str, str]] = ()
) -> list[tuple[str, bytes]]:
    """Return the headers of one CloudEvent with a JSON body. *extra* adds extension attributes (``ce_`` is put before their names).

    *id* and *time* (RFC 3339) may be given as text where the caller has it.
    """
    headers = [
        _SPECIFICATION,
        ("ce_id", str(id).encode()),
        ("ce_type", type.encode()),
        ("ce_source", source.encode()),
        ("ce_time", (time if isinstance(time, str) else time.isoformat()).encode()),
        _CONTENT,
    ]
    if subject is not None:
        headers.append(("ce_subject", subject.encode()))
    for name, value in extra:
        headers.append((f"ce_{name}", value.encode()))
    return headers


def header(headers: Headers, name: str) -> str | None:
    """Return the first header *name* as text, or None when it is absent, null or not UTF-8."""
    for key, value in headers:
        if key == name:
            try:
                return value.decode() if value is not None else None
            except UnicodeDecodeError:
                return None
    return None
