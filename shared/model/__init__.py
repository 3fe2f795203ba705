"""The stages of the data: ``RawMessage → Filing → Dossier → Decision → Notification → Attempt``, the first two here."""

from shared.model.base import Model
from shared.model.dataset import Consignment, Document, GoodsItem, Money, Order, OrderLine, OrderRef, Party, Postal, TaxId
from shared.model.dialect import DEFAULT_DIALECT, Dialect
from shared.model.events import Event, Movement, Payment, ReferralReply, Screening
from shared.model.filing import Filing, Function, Kind, MessageHead, RawMessage, Rejection
from shared.model.findings import Finding, Severity

__all__ = [
    "DEFAULT_DIALECT",
    "Consignment",
    "Dialect",
    "Document",
    "Event",
    "Filing",
    "Finding",
    "Function",
    "GoodsItem",
    "Kind",
    "MessageHead",
    "Model",
    "Money",
    "Movement",
    "Order",
    "OrderLine",
    "OrderRef",
    "Party",
    "Payment",
    "Postal",
    "RawMessage",
    "ReferralReply",
    "Rejection",
    "Screening",
    "Severity",
    "TaxId",
]
