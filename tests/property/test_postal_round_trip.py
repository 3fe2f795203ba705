"""What the postal family writes it reads again, whatever is in it; what is spoiled is read or refused, quickly."""

import time
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.contracts import Answer
from shared.errors import MalformedMessage
from shared.formats import READERS, checks, cusitm, itmatt, recognition
from shared.formats.base import Envelope
from shared.identifiers import s10
from shared.model import DEFAULT_DIALECT, Consignment, Dialect, Filing, Rejection
from tests.samples import RECEIVED_AT, raw, samples

BOUNDED = settings(max_examples=120, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
ENVELOPE = Envelope("M-1", "NLP", "NLCUST", RECEIVED_AT)


def texts(most: int, least: int = 3) -> st.SearchStrategy[str]:
    """Texts as people write them: no control characters, no blanks at the ends, no blank runs."""
    characters = st.characters(
        codec="utf-8", exclude_categories=("Cc", "Cs", "Cn", "Zl", "Zp", "Zs"), exclude_characters="\ufffd\ufffe\uffff"
    )
    return st.text(characters, min_size=least, max_size=most)


def decimals(most: int, places: int) -> st.SearchStrategy[Decimal]:
    return st.decimals(min_value=Decimal(1).scaleb(-places), max_value=most, places=places, allow_nan=False)


COUNTRIES = st.sampled_from(sorted(checks.ORIGINS))
ADDRESSES = st.sampled_from(sorted(checks.COUNTRIES))
"""Countries of addresses: not all that goods may come from (``XI``) are."""
CURRENCIES = st.sampled_from(sorted(checks.CURRENCIES))
NUMBERS = st.builds(
    lambda serial, country: f"LZ{serial:08d}{s10.check_digit(f'{serial:08d}')}{country}", st.integers(0, 99_999_999), COUNTRIES
)
INSTANTS = st.builds(
    lambda seconds, hours: (datetime(2026, 10, 1, tzinfo=UTC) + timedelta(seconds=seconds)).astimezone(timezone(timedelta(hours=hours))),
    st.integers(0, 4_000_000),
    st.integers(-11, 13),
)
PARTIES = st.fixed_dictionaries(
    {"name": texts(70), "street_line": texts(70), "city": texts(35), "country": ADDRESSES},
    optional={
        "street_line_2": texts(70),
        "postcode": texts(17, 1),
        "country_subdivision": texts(35, 1),
        "phone": texts(35, 1),
        "email": texts(80, 1),
    },
)


@st.composite
def consignments(draw: st.DrawFn) -> Consignment:
    """A consignment within the limits of the profile, in the form in which a reader leaves it."""
    currency = draw(CURRENCIES)
    pieces = []
    for number in range(1, draw(st.integers(1, 4)) + 1):
        piece: dict[str, Any] = {
            "sequence_number": number,
            "goods_description": draw(texts(255)),
            "quantity": draw(st.integers(1, 9_999_999)),
            "item_amount": {"amount": draw(decimals(99_999, 2)), "currency": currency},
        }
        piece |= draw(
            st.fixed_dictionaries({}, optional={"hs_code": st.from_regex(r"[0-9]{6,10}", fullmatch=True), "country_of_origin": COUNTRIES})
        )
        pieces.append(piece)
    consignor, consignee = draw(PARTIES), draw(PARTIES)
    nature = draw(st.sampled_from(["sale", "returned_goods", "gift", "commercial_sample", "documents", "mixed", "other"]))
    extra = draw(st.dictionaries(st.from_regex(r"[A-Z][A-Za-z]{2,20}X", fullmatch=True), texts(255), max_size=3))
    optional = draw(
        st.fixed_dictionaries(
            {},
            optional={
                "mode_of_transport": st.sampled_from("12345"),
                "departure_on": st.dates(date(2026, 1, 1), date(2027, 1, 1)),
                "insured_value": st.builds(lambda amount: {"amount": amount, "currency": currency}, decimals(999, 2)),
                "documents": st.just([{"document_type": "380", "document_id": "INV-1", "name": "an invoice"}]),
                "tax_ids": st.just([{"scheme": "vat", "number": "NL123", "role": "consignee"}]),
            },
        )
    )
    return Consignment.model_validate(
        {
            "house_transport_document_id": draw(NUMBERS),
            "house_transport_document_type": "750",
            "channel": "post",
            "posted_at": draw(INSTANTS),
            "nature_of_transaction": nature,
            "is_return": nature == "returned_goods",
            "country_of_dispatch": consignor["country"],
            "country_of_destination": consignee["country"],
            "package_count": 1,
            "gross_mass_kg": draw(decimals(30, 3)),
            "declared_value": {"amount": sum(piece["item_amount"]["amount"] for piece in pieces), "currency": currency},
            "consignor": consignor,
            "consignee": consignee,
            "goods_items": pieces,
            "postal": {
                "origin_post": "USP",
                "destination_post": "NLP",
                "mail_class": draw(st.sampled_from("UCET")),
                "local_ids": ["L1"],
                "postage": {"amount": "1.20", "currency": currency},
            },
            **({"extra": extra} if extra else {}),
            **optional,
        }
    )


def filed(consignment: Consignment, function: str) -> Filing:
    first = next(iter(itmatt.parse(raw((samples("itmatt")[0].parent / "reference.xml").read_bytes()), DEFAULT_DIALECT)))
    key = f"post:{consignment.house_transport_document_id}"
    return Filing.model_validate(
        {**dict(first), "consignment": consignment, "key": key, "function": function, "version": 3, "findings": None}
    )


@BOUNDED
@given(consignments(), st.sampled_from(["original", "replace", "cancel"]))
def test_an_item_written_is_read_again(consignment: Consignment, function: str) -> None:
    written = itmatt.write([filed(consignment, function)], ENVELOPE, DEFAULT_DIALECT)
    assert written.findings == ()
    (again,) = itmatt.parse(raw(written.body), Dialect())
    assert isinstance(again, Filing), again
    assert (again.consignment, again.function, again.version) == (consignment, function, 3)


@BOUNDED
@given(consignments(), st.sampled_from(["I", "O"]))
def test_a_declaration_to_customs_written_is_read_again(consignment: Consignment, flow: str) -> None:
    said = {"PostOrganizationCd": "NLP", "CustOrganizationCd": "NLCUST", "Flow": flow, "CustomsOfficeCd": "NL000432"}
    whole = Consignment.model_validate(
        {**dict(consignment), "receptacle_id": "USLAXANLHAGIAUN60123004100085", "extra": {**(consignment.extra or {}), **said}}
    )
    written = cusitm.write([filed(whole, "original")], ENVELOPE, DEFAULT_DIALECT)
    assert written.findings == ()
    (again,) = cusitm.parse(raw(written.body), Dialect())
    assert isinstance(again, Filing), again
    assert again.consignment == whole


FAMILY = ("itmatt", "cusitm", "cusrsp", "itmref", "refrsp", "predes", "resdes", "emsevt", "cds-view", "national-item")
SEEDS = [
    (name, path.read_bytes())
    for name in FAMILY
    for path in samples(name)
    if path.stem in ("reference", "full", "several", "soap_responses")
]


@settings(max_examples=600, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(SEEDS),
    st.lists(st.tuples(st.integers(0, 10**6), st.binary(max_size=6), st.integers(0, 40), st.booleans()), min_size=1, max_size=6),
)
def test_a_spoiled_file_is_read_or_refused(seed: tuple[str, bytes], spoils: list[tuple[int, bytes, int, bool]]) -> None:
    name, body = seed
    for place, put, cut, doubled in spoils:
        at = place % (len(body) + 1)
        body = body[: at + 60] + body[at:] if doubled else body[:at] + put + body[at + cut :]
    spend(name, body)


@settings(max_examples=400, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(SEEDS), st.lists(st.tuples(st.integers(0, 10**4), st.text(max_size=40)), min_size=1, max_size=4), st.integers(0, 2))
def test_spoiled_values_are_read_or_refused(seed: tuple[str, bytes], spoils: list[tuple[int, str]], more: int) -> None:
    name, body = seed
    mark = ">" if body.lstrip().startswith(b"<") else ":"
    pieces = body.decode().split(mark)
    for place, said in spoils:
        at = place % (len(pieces) - 1)
        _, opened, tail = pieces[at].partition("<" if mark == ">" else ",")
        clean = "".join(c for c in said if c >= " " and c not in "<>&")
        pieces[at] = ("9" * 70_000 if more == 2 and len(body) < 1_200 else clean) + opened + tail
    spend(name, mark.join(pieces).encode("utf-8", "replace"))


def timed(name: str, body: bytes) -> tuple[list[Any], float]:
    began = time.process_time()
    try:
        outcomes: list[Any] = list(READERS[name].parse(raw(body), DEFAULT_DIALECT))
    except MalformedMessage:
        outcomes = []
    return outcomes, time.process_time() - began


def spend(name: str, body: bytes) -> None:
    """Read *body*: filings, answers, rejections or a refusal, in the time its size allows; a slow reading gets a second chance."""
    allowed = 0.05 * max(len(body) / 3_000, 1)
    outcomes, took = timed(name, body)
    assert took < allowed or timed(name, body)[1] < allowed
    for outcome in outcomes:
        assert isinstance(outcome, Filing | Answer | Rejection)
        assert type(outcome).from_json(outcome.to_json()) == outcome
        if isinstance(outcome, Rejection):
            assert outcome.findings


@pytest.mark.parametrize("name", FAMILY)
def test_a_format_of_the_family_is_recognised(name: str) -> None:
    for path in samples(name):
        if path.stem != "other_namespace" and path.stem in ("reference", "minimal", "full", "several", "update", "cancel"):
            assert name == recognition.recognise(path.read_bytes()).NAME
