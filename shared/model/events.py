"""What is told about a consignment besides its declaration: payments, movements, events, replies to referrals.

None of these replaces what a declaration says: they are kept beside it (``Filing.content``).
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AwareDatetime, StringConstraints

from shared.model.base import Model
from shared.model.dataset import Amount, Channel, Country, Document, Kilograms, Money, OrderRef, Quantity, Text35, Text70, Text255, Text512

Code = Annotated[str, StringConstraints(min_length=1, max_length=17)]
Hash64 = Annotated[str, StringConstraints(max_length=64)]


class Payment(Model):
    """One payment or refund as the payment provider tells it (``payment`` of the standard dataset). References to persons are keyed
    hashes.
    """

    payment_id: Text70
    payment_provider_id: Text35
    orders: tuple[OrderRef, ...] | None = None
    paid_amount: Money | None = None
    paid_at: AwareDatetime | None = None
    payment_status: Literal["authorised", "captured", "refunded", "part_refunded", "chargeback"] | None = None
    payment_method: Literal["card", "wallet", "bank_transfer", "instalment", "cod", "other"] | None = None
    refund_of: Text70 | None = None
    reason: Text255 | None = None
    payer_ref: Hash64 | None = None
    payer_country: Country | None = None
    payee_account_ref: Hash64 | None = None


class Movement(Model):
    """What carries what: a house consignment in a receptacle, a despatch, under a master document, on a conveyance.

    ``stage`` says how sure it is: ``planned``, ``despatched`` (closed by the sender), ``loaded``, ``received``. Locations are IATA or
    UN/LOCODE.
    """

    stage: Literal["planned", "despatched", "loaded", "received"]
    channel: Channel
    house_transport_document_id: Text35 | None = None
    master_transport_document_id: Text35 | None = None
    receptacle_id: Annotated[str, StringConstraints(max_length=29)] | None = None
    receptacle_type: Annotated[str, StringConstraints(max_length=3)] | None = None
    despatch_id: Annotated[str, StringConstraints(max_length=20)] | None = None
    postal_consignment_id: Text35 | None = None
    seals: tuple[Text35, ...] | None = None
    mode_of_transport: Annotated[str, StringConstraints(pattern=r"^[1-9]$")] | None = None
    carrier_id: Code | None = None
    conveyance_reference: Code | None = None
    place_of_loading: Code | None = None
    place_of_arrival: Code | None = None
    departure_at: AwareDatetime | None = None
    arrival_at: AwareDatetime | None = None
    closed_at: AwareDatetime | None = None
    origin_post: Code | None = None
    destination_post: Code | None = None
    package_count: int | None = None
    gross_mass_kg: Kilograms | None = None
    goods_description: Text512 | None = None
    extra: dict[str, str] | None = None


class Event(Model):
    """Something that happened: a scan of the carrier or post, stock in or out of a warehouse, a return, a sign of a device or seal.

    ``code`` is the sender's own (``EMC``, ``RCF``); ``means`` the hub's word for it where the format's table has one. Stock and devices
    name the product or
    the thing, tracking names the consignment.
    """

    kind: Literal["tracking", "stock_entry", "stock_exit", "return", "device", "security"]
    code: Code
    at: AwareDatetime
    means: Text35 | None = None
    house_transport_document_id: Text35 | None = None
    master_transport_document_id: Text35 | None = None
    receptacle_id: Annotated[str, StringConstraints(max_length=29)] | None = None
    orders: tuple[OrderRef, ...] | None = None
    place: Text35 | None = None
    next_place: Text35 | None = None
    country: Country | None = None
    reason_code: Code | None = None
    action_code: Code | None = None
    condition_code: Code | None = None
    customs_reference: Text35 | None = None
    charges: Money | None = None
    pieces: int | None = None
    gross_mass_kg: Kilograms | None = None
    conveyance_reference: Code | None = None
    merchant_product_id: Text70 | None = None
    standard_product_id: Annotated[str, StringConstraints(max_length=14)] | None = None
    quantity: Quantity | None = None
    warehouse_id: Text35 | None = None
    device_id: Text70 | None = None
    measurement: Amount | None = None
    unit: Annotated[str, StringConstraints(max_length=8)] | None = None
    refund: Money | None = None
    note: Text255 | None = None
    extra: dict[str, str] | None = None


class Screening(Model):
    """One screening that was done on request. ``method`` is a code of the aviation security methods (``XRY``, ``EDD``, ``PHS``…)."""

    method: Code
    result: Literal["clear", "suspect"] | None = None
    screened_at: AwareDatetime | None = None
    operator_id: Text35 | None = None
    place: Text35 | None = None


class ReferralReply(Model):
    """What the responsible party answers to a referral. Corrected data travel as a declaration of their own; ``new_version`` names it."""

    referral_id: Text35
    reply_sequence: int = 1
    outcome: Literal["data_sent", "data_text", "screened", "not_loaded", "already_loaded", "not_found", "withdrawn", "acknowledged"]
    house_transport_document_id: Text35 | None = None
    new_version: int | None = None
    provided: dict[str, str] | None = None
    screenings: tuple[Screening, ...] | None = None
    documents: tuple[Document, ...] | None = None
    text: Annotated[str, StringConstraints(max_length=1000)] | None = None
