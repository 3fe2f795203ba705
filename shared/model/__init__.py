"""The stages of the data: ``RawMessage → Filing → Dossier → Decision → Notification → Attempt``, the first two here."""

from shared.model.base import Model
from shared.model.dataset import (
    Consignment,
    Document,
    GoodsItem,
    Money,
    Order,
    OrderLine,
    OrderRef,
    Party,
    Postal,
    TaxId,
)
from shared.model.dialect import DEFAULT_DIALECT, Dialect
from shared.model.filing import Filing, Function, MessageHead, RawMessage, Rejection
from shared.model.findings import Finding, Severity

__all__ = [
    "DEFAULT_DIALECT",
    "Consignment",
    "Dialect",
    "Document",
    "Filing",
    "Finding",
    "Function",
    "GoodsItem",
    "MessageHead",
    "Model",
    "Money",
    "Order",
    "OrderLine",
    "OrderRef",
    "Party",
    "Postal",
    "RawMessage",
    "Rejection",
    "Severity",
    "TaxId",
]
