"""Whatever the model allows, drawn at random: contents of filings with codes that exist."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin
from uuid import UUID

from annotated_types import Ge, Le, MaxLen, MinLen
from hypothesis import strategies as st
from pydantic import BaseModel, StringConstraints

from shared.model import Filing
from tests.samples import PARTICIPANT, RECEIVED_AT

PATTERNS = {
    r"^[A-Z]{2}$": st.sampled_from(["BE", "CN", "DE", "FR", "GB", "NZ"]),
    r"^[A-Z]{3}$": st.sampled_from(["EUR", "USD", "CNY"]),
    r"^[0-9]{4,12}$": st.sampled_from(["610910", "691200", "85183000", "6109100010"]),
    r"^[1-9]$": st.sampled_from("12345"),
    r"^[0-9a-f]{64}$": st.sampled_from(["0" * 64, "9f" * 32]),
}
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "house_transport_document_id": st.sampled_from(["RR473124829GB", "JXE2603000017", "AB-77"]),
    "incoterm": st.sampled_from(["DAP", "DDP", "CIF"]),
    "payment_provider_id": st.just(PARTICIPANT),
    "platform_id": st.just(PARTICIPANT),
    "sequence_number": st.integers(1, 99999),
}
LETTERS = "abcdefghijklmnopqrstuvwxyz ABCDEFXYZ 0123456789 .,;:-+=@'()/&<>\"\\ éÜßŁжШ中文 \u00a0"


def texts(shortest: int = 1, longest: int = 35) -> st.SearchStrategy[str]:
    """Texts without blanks around them."""
    found = st.text(LETTERS, min_size=max(shortest, 1), max_size=min(longest, 24))
    return found.map(lambda text: text.strip() or "x" * max(shortest, 1))


def contents(model: type[BaseModel], **fixed: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Values of *model*; *fixed* gives some fields strategies of their own."""
    required: dict[str, st.SearchStrategy[Any]] = {}
    optional: dict[str, st.SearchStrategy[Any]] = {}
    for name, field in model.model_fields.items():
        known = {**FIELDS, **fixed}
        strategy = known[name] if name in known else _of(field.annotation, field.metadata)
        (required if field.is_required() or name in fixed else optional)[name] = strategy
    made = st.fixed_dictionaries(required, optional=optional)
    return made.map(lambda values: model.model_validate({name: value for name, value in values.items() if value is not None}))


def _of(annotation: Any, metadata: list[Any]) -> st.SearchStrategy[Any]:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if hasattr(annotation, "__metadata__"):
        return _of(arguments[0], [*metadata, *annotation.__metadata__])
    if origin in (Union, UnionType):
        return st.one_of(*(_of(each, metadata) for each in arguments if each is not NoneType))
    if origin is Literal:
        return st.sampled_from(arguments)
    if origin is tuple:
        return st.lists(_of(arguments[0], []), min_size=1, max_size=3).map(tuple)
    if origin is dict:
        return st.dictionaries(texts(1, 12), texts(1, 20), min_size=1, max_size=3)
    if annotation is str:
        return _text(metadata)
    if annotation is Decimal:
        places = next((each.decimal_places for each in _flat(metadata) if getattr(each, "decimal_places", None)), 4)
        digits = next((each.max_digits for each in _flat(metadata) if getattr(each, "max_digits", None)), 16)
        return st.integers(0, 10 ** min(digits - places, 7) * 10**4 - 1).map(lambda number: Decimal(number) / 10**4)
    if annotation is int:
        return st.integers(_limit(metadata, Ge, "ge", 0), _limit(metadata, Le, "le", 9999))
    if annotation is bool:
        return st.booleans()
    if annotation is date:
        return st.dates(date(2020, 1, 1), date(2030, 1, 1))
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return contents(annotation)
    return st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)).map(lambda at: at.replace(microsecond=0, tzinfo=UTC))


def _flat(metadata: list[Any]) -> list[Any]:
    return [inner for each in metadata for inner in (each, *getattr(each, "metadata", ()))]


def _text(metadata: list[Any]) -> st.SearchStrategy[str]:
    shortest, longest = 1, 35
    for each in _flat(metadata):
        if isinstance(each, StringConstraints):
            if each.pattern is not None:
                return PATTERNS[str(each.pattern)]
            shortest, longest = each.min_length or shortest, each.max_length or longest
        elif isinstance(each, MinLen):
            shortest = each.min_length
        elif isinstance(each, MaxLen):
            longest = each.max_length
    return texts(shortest, longest)


def _limit(metadata: list[Any], kind: Any, name: str, otherwise: int) -> int:
    return next((getattr(each, name) for each in _flat(metadata) if isinstance(each, kind)), otherwise)


def filing(kind: str, content: BaseModel, key: str = "post:RR473124829GB", **more: Any) -> Filing:
    """Return a filing of *content*."""
    head = {"filing_id": UUID(int=1), "key": key, "participant": PARTICIPANT, "format": "neutral", "message_id": "M1", "position": "item"}
    return Filing.model_validate(
        {**head, "received_at": RECEIVED_AT - timedelta(days=1), "content_digest": "0" * 64, kind: content, **more}
    )
