"""The standard dataset: what the hub knows about one house consignment, one order.

Element names are those of ``shared/codes/data/standard_dataset/elements.csv``, built on the WCO Data Model; the WCO id of an element
stands there. Everything a sender may leave out is optional here: what must be present is decided by the format (``shared/formats``) and by
the policy pack (``services/router/policies``), so that data may be stored before they are complete.
Mass is in kilograms, money in the minor units of its ISO 4217 currency; both are ``Decimal``. Instants carry a time zone.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, StringConstraints

from shared.model.base import Digits, Model

Text35 = Annotated[str, StringConstraints(min_length=1, max_length=35)]
Text70 = Annotated[str, StringConstraints(min_length=1, max_length=70)]
Text255 = Annotated[str, StringConstraints(min_length=1, max_length=255)]
Text512 = Annotated[str, StringConstraints(min_length=1, max_length=512)]
Country = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
Kilograms = Annotated[Decimal, Digits(16, 6, usual=Decimal("0.001"))]
Amount = Annotated[Decimal, Digits(18, 4, usual=Decimal("0.01"))]
Quantity = Annotated[Decimal, Digits(16, 6, usual=Decimal(1))]

Channel = Literal["post", "express", "freight"]
Nature = Literal["sale", "gift", "commercial_sample", "documents", "returned_goods", "mixed", "other"]
BusinessModel = Literal["b2c", "c2c", "b2b", "b2b2c"]
PersonType = Literal["natural", "legal", "association"]
IdentifierScheme = Literal["eori", "vat", "tin", "duns", "gln", "passport", "national", "personal_customs_code", "other"]
TaxScheme = Literal["ioss", "voec", "ovr", "gst_au", "gst_nz", "lvg_my", "cl_iva", "special_arrangement", "standard", "other", "none"]


class Money(Model):
    """An amount of one currency (ISO 4217), never a float."""

    amount: Amount
    currency: Currency


class Party(Model):
    """A party to the goods. ``street_line`` is street and number; an address sent as one block is kept there whole."""

    name: Text255 | None = None
    identifier: Text35 | None = None
    identifier_scheme: IdentifierScheme | None = None
    type_of_person: PersonType | None = None
    street_line: Text255 | None = None
    street_line_2: Text255 | None = None
    city: Text70 | None = None
    postcode: Annotated[str, StringConstraints(max_length=17)] | None = None
    country_subdivision: Text35 | None = None
    country: Country | None = None
    phone: Text35 | None = None
    email: Annotated[str, StringConstraints(max_length=254)] | None = None
    account_id: Text70 | None = None


class GoodsItem(Model):
    """One line of goods. Amounts and masses are totals of the line, not per unit."""

    sequence_number: int = Field(ge=1, le=99999)
    goods_description: Text512 | None = None
    hs_code: Annotated[str, StringConstraints(pattern=r"^[0-9]{4,12}$")] | None = None
    country_of_origin: Country | None = None
    quantity: Quantity | None = None
    quantity_unit: Annotated[str, StringConstraints(max_length=3)] | None = None
    net_mass_kg: Kilograms | None = None
    gross_mass_kg: Kilograms | None = None
    package_count: int | None = None
    item_amount: Money | None = None
    unit_price: Money | None = None
    discount_amount: Money | None = None
    merchant_product_id: Text70 | None = None
    manufacturer_product_id: Text70 | None = None
    standard_product_id: Annotated[str, StringConstraints(max_length=14)] | None = None
    brand: Text70 | None = None
    product_url: Annotated[str, StringConstraints(max_length=2000)] | None = None
    condition: Literal["new", "used", "refurbished", "waste"] | None = None
    licence_reference: Text70 | None = None


class Document(Model):
    """A document named by the sender; the bytes may stay with their holder. ``document_type`` is UN/EDIFACT 1001."""

    document_id: Text70 | None = None
    document_type: Annotated[str, StringConstraints(max_length=3)] | None = None
    name: Text255 | None = None
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")] | None = None


class TaxId(Model):
    """A tax scheme number given for the consignment (IOSS, VOEC, VAT…); ``role`` says whose it is."""

    scheme: TaxScheme | Literal["vat", "gst", "eori", "ein"]
    number: Text35
    role: Literal["seller", "platform", "consignor", "consignee", "importer"] | None = None


class OrderRef(Model):
    """The order a consignment fulfils. The link key of an order: ``order:<platform>:<order id>``."""

    platform_id: Text35
    order_id: Text70


class Postal(Model):
    """What only a postal item has: UPU operator codes, class, category, sub-class and handling (lists of postal-messages)."""

    origin_post: Annotated[str, StringConstraints(max_length=17)] | None = None
    destination_post: Annotated[str, StringConstraints(max_length=17)] | None = None
    mail_class: Annotated[str, StringConstraints(max_length=1)] | None = None
    mail_category: Annotated[str, StringConstraints(max_length=1)] | None = None
    mail_subclass: Annotated[str, StringConstraints(max_length=2)] | None = None
    handling: Annotated[str, StringConstraints(max_length=2)] | None = None
    local_ids: tuple[Text35, ...] | None = None
    declaration_id: Annotated[str, StringConstraints(max_length=36)] | None = None
    postage: Money | None = None


class Consignment(Model):
    """The standard dataset of one house consignment: one parcel, or a few to one consignee under one house document."""

    house_transport_document_id: Text35
    house_transport_document_type: Annotated[str, StringConstraints(max_length=3)] | None = None
    master_transport_document_id: Text35 | None = None
    receptacle_id: Annotated[str, StringConstraints(max_length=29)] | None = None
    channel: Channel
    mode_of_transport: Annotated[str, StringConstraints(pattern=r"^[1-9]$")] | None = None
    carrier_id: Annotated[str, StringConstraints(max_length=17)] | None = None
    conveyance_reference: Annotated[str, StringConstraints(max_length=17)] | None = None
    departure_on: date | None = None
    place_of_loading: Annotated[str, StringConstraints(max_length=17)] | None = None
    place_of_arrival: Annotated[str, StringConstraints(max_length=17)] | None = None
    posted_at: AwareDatetime | None = None
    nature_of_transaction: Nature | None = None
    business_model: BusinessModel | None = None
    is_return: bool | None = None
    trader_reference: Text35 | None = None
    ucr: Text35 | None = None
    country_of_dispatch: Country | None = None
    country_of_destination: Country | None = None
    package_count: int | None = None
    gross_mass_kg: Kilograms | None = None
    declared_value: Money | None = None
    freight_cost: Money | None = None
    insurance_cost: Money | None = None
    insured_value: Money | None = None
    incoterm: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")] | None = None
    tax_scheme: TaxScheme | None = None
    tax_ids: tuple[TaxId, ...] | None = None
    consignor: Party | None = None
    consignee: Party | None = None
    seller: Party | None = None
    platform_id: Text35 | None = None
    orders: tuple[OrderRef, ...] | None = None
    goods_items: tuple[GoodsItem, ...] = ()
    documents: tuple[Document, ...] | None = None
    postal: Postal | None = None
    extra: dict[str, str] | None = None


class OrderLine(Model):
    """One line of an order as the platform sold it. ``item_amount`` is the line after discount."""

    sequence_number: int = Field(ge=1, le=99999)
    goods_description: Text512 | None = None
    hs_code: Annotated[str, StringConstraints(pattern=r"^[0-9]{4,12}$")] | None = None
    country_of_origin: Country | None = None
    quantity: Quantity | None = None
    unit_price: Money | None = None
    discount_amount: Money | None = None
    item_amount: Money | None = None
    item_tax_amount: Money | None = None
    merchant_product_id: Text70 | None = None
    standard_product_id: Annotated[str, StringConstraints(max_length=14)] | None = None
    brand: Text70 | None = None
    product_url: Annotated[str, StringConstraints(max_length=2000)] | None = None


class Order(Model):
    """The transaction behind a consignment, as its platform tells it (``transaction`` of the standard dataset)."""

    order_id: Text70
    platform_id: Text35
    order_at: AwareDatetime | None = None
    order_status: Literal["placed", "paid", "shipped", "delivered", "cancelled", "returned", "refunded"] | None = None
    business_model: BusinessModel | None = None
    order_total: Money | None = None
    shipping_charged: Money | None = None
    tax_charged: Money | None = None
    tax_rate: Annotated[Decimal, Field(max_digits=9, decimal_places=6)] | None = None
    tax_scheme: TaxScheme | None = None
    tax_scheme_id: Text35 | None = None
    seller: Party | None = None
    seller_account_id: Text70 | None = None
    buyer: Party | None = None
    buyer_account_ref: Annotated[str, StringConstraints(max_length=64)] | None = None
    consignee: Party | None = None
    country_of_destination: Country | None = None
    tracking_numbers: tuple[Text35, ...] | None = None
    invoice_number: Text70 | None = None
    lines: tuple[OrderLine, ...] = ()
