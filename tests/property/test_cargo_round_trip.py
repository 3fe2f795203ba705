"""Cargo-XML: what is written is read again; spoiled bytes give filings, answers or refusals, in time."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.formats import recognition, xfhl, xfzb
from shared.formats.base import Envelope
from shared.identifiers import air_waybill
from shared.model import DEFAULT_DIALECT, Consignment, Filing, Movement
from tests.property.test_postal_round_trip import COUNTRIES, CURRENCIES, PARTIES, decimals, spend, texts
from tests.samples import RECEIVED_AT, raw, samples

BOUNDED = settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
ENVELOPE = Envelope("M-1", "REUAGT88JXEXPRESS/SZX01", "REUCUS01HUB/LGG01", RECEIVED_AT)
FAMILY = ("xfzb", "xfhl", "xfwb", "xffm", "xfsu", "xcsn", "xfnm")
SEEDS = [
    (name, path.read_bytes()) for name in FAMILY for path in samples(name) if path.stem in ("reference", "full", "two_houses", "several")
]

AWBS = st.builds(air_waybill.build, st.sampled_from(["888", "020", "125"]), st.integers(0, 9_999_999))
HOUSES = st.from_regex(r"[A-Z0-9][A-Z0-9-]{0,33}[A-Z0-9]", fullmatch=True)
AIRPORTS = st.from_regex(r"[A-Z]{3}", fullmatch=True)
MONEY = st.builds(lambda amount, currency: {"amount": amount, "currency": currency}, decimals(10**9, 2), CURRENCIES)
LINES = st.fixed_dictionaries(
    {"goods_description": texts(300), "package_count": st.integers(1, 999)},
    optional={
        "hs_code": st.from_regex(r"[0-9]{6}([0-9]{2}){0,2}", fullmatch=True),
        "country_of_origin": COUNTRIES,
        "gross_mass_kg": decimals(9999, 3),
    },
)
TRADERS = st.sampled_from([("tin", "USCI91440300MA5EXMPL0X"), ("eori", "BE0999888777"), ("vat", "BE0123456749"), None])


@st.composite
def consignments(draw: st.DrawFn) -> Consignment:
    """A house within the limits of the format, in the form in which the reader leaves it."""
    parties = {}
    for side in ("consignor", "consignee"):
        party: dict[str, Any] = dict(draw(PARTIES))
        trader = draw(TRADERS)
        if trader is not None:
            party |= {"identifier_scheme": trader[0], "identifier": trader[1]}
        parties[side] = party
    lines = [{"sequence_number": number, **line} for number, line in enumerate(draw(st.lists(LINES, min_size=1, max_size=5)), 1)]
    optional = draw(
        st.fixed_dictionaries(
            {},
            optional={
                "master_transport_document_id": AWBS,
                "place_of_loading": AIRPORTS,
                "place_of_arrival": AIRPORTS,
                "conveyance_reference": st.from_regex(r"[A-Z]{2}[0-9]{3,4}", fullmatch=True),
                "departure_on": st.dates(),
                "declared_value": MONEY,
                "insured_value": MONEY,
                "freight_cost": MONEY,
                "documents": st.just([{"document_id": "26BE0000H7K3P41AR8", "document_type": "929"}]),
                "extra": st.fixed_dictionaries(
                    {"HandlingSPHInstructions": st.sampled_from(["SPX", "SPX\nECC"])},
                    optional={"OCI[1]": st.just("BE/ISS/RA/BE/RA/00001-01"), "ConversationID": texts(35), "GoodsStatusCode": st.just("T1")},
                ),
            },
        )
    )
    return Consignment.model_validate(
        {
            "house_transport_document_id": draw(HOUSES),
            "house_transport_document_type": "703",
            "channel": "express",
            "mode_of_transport": "4",
            "carrier_id": "sample-sender",
            "package_count": sum(line["package_count"] for line in lines),
            "gross_mass_kg": draw(decimals(10**5, 3)),
            "country_of_dispatch": parties["consignor"]["country"],
            "country_of_destination": parties["consignee"]["country"],
            "goods_items": lines,
            **parties,
            **optional,
        }
    )


def filed(content: Consignment | Movement, function: str = "original") -> Filing:
    first = next(iter(xfzb.parse(raw((samples("xfzb")[0].parent / "reference.xml").read_bytes()), DEFAULT_DIALECT)))
    key = f"express:sample-sender:{content.house_transport_document_id}"
    kind = "movement" if isinstance(content, Movement) else "consignment"
    return Filing.model_validate({**dict(first), "consignment": None, kind: content, "key": key, "function": function, "findings": None})


@BOUNDED
@given(consignments(), st.sampled_from(["original", "replace", "cancel"]))
def test_a_house_waybill_written_is_read_again(consignment: Consignment, function: str) -> None:
    written = xfzb.write([filed(consignment, function)], ENVELOPE, DEFAULT_DIALECT)
    assert written.findings == ()
    (again,) = xfzb.parse(raw(written.body), DEFAULT_DIALECT)
    assert isinstance(again, Filing), again
    assert (again.consignment, again.function) == (consignment, function)


@st.composite
def manifests(draw: st.DrawFn) -> list[Movement]:
    """Houses and their master, as the reader leaves them."""
    master = draw(AWBS)
    common = {"stage": "planned", "channel": "express", "mode_of_transport": "4", "carrier_id": "sample-sender"}
    places = st.fixed_dictionaries({}, optional={"place_of_loading": AIRPORTS, "place_of_arrival": AIRPORTS})
    house = st.fixed_dictionaries(
        {
            "house_transport_document_id": HOUSES,
            "package_count": st.integers(1, 9999),
            "gross_mass_kg": decimals(10**5, 3),
            "goods_description": texts(200),
        },
        optional={"extra": st.fixed_dictionaries({"HandlingSPHInstructions": st.just("ELI"), "OCI[1]": st.just("CN/SHP/T/USCI9144/1")})},
    )
    said: list[dict[str, Any]] = draw(st.lists(house, min_size=1, max_size=6))
    houses = [Movement.model_validate(common | each | {"master_transport_document_id": master} | draw(places)) for each in said]
    total = {
        "master_transport_document_id": master,
        "package_count": sum(each["package_count"] for each in said),
        "gross_mass_kg": sum((each["gross_mass_kg"] for each in said), Decimal(0)),
    }
    return [*houses, Movement.model_validate(common | total | draw(places))]


@BOUNDED
@given(manifests(), st.sampled_from(["original", "replace", "cancel"]))
def test_a_house_manifest_written_is_read_again(movements: list[Movement], function: str) -> None:
    written = xfhl.write([filed(movement, function) for movement in movements], ENVELOPE, DEFAULT_DIALECT)
    assert written.findings == ()
    again = list(xfhl.parse(raw(written.body), DEFAULT_DIALECT))
    assert [each.movement if isinstance(each, Filing) else each for each in again] == movements
    assert not any(each.findings for each in again)


@settings(max_examples=500, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(SEEDS),
    st.lists(st.tuples(st.integers(0, 10**6), st.binary(max_size=6), st.integers(0, 40), st.booleans()), min_size=1, max_size=6),
)
def test_a_spoiled_message_is_read_or_refused(seed: tuple[str, bytes], spoils: list[tuple[int, bytes, int, bool]]) -> None:
    name, body = seed
    for place, put, cut, doubled in spoils:
        at = place % (len(body) + 1)
        body = body[: at + 60] + body[at:] if doubled else body[:at] + put + body[at + cut :]
    spend(name, body)


@settings(max_examples=500, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(SEEDS), st.lists(st.tuples(st.integers(0, 10**4), st.text(max_size=40)), min_size=1, max_size=4), st.booleans())
def test_spoiled_values_are_read_or_refused(seed: tuple[str, bytes], spoils: list[tuple[int, str]], giant: bool) -> None:
    name, body = seed
    pieces = body.decode().split(">")
    for place, said in spoils:
        at = place % (len(pieces) - 1)
        _, opened, tail = pieces[at].partition("<")
        clean = "".join(mark for mark in said if mark >= " " and mark not in "<>&")
        pieces[at] = ("9" * 20_000 if giant and len(body) < 2_000 else clean) + opened + tail
    spend(name, ">".join(pieces).encode("utf-8", "replace"))


@settings(max_examples=200, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(SEEDS), st.lists(st.tuples(st.integers(0, 10**4), st.integers(0, 10**4)), min_size=1, max_size=4))
def test_doubled_and_swapped_elements_are_read_or_refused(seed: tuple[str, bytes], swaps: list[tuple[int, int]]) -> None:
    name, body = seed
    lines = body.split(b"\n")
    for one, other in swaps:
        first, second = one % len(lines), other % len(lines)
        lines[first], lines[second] = lines[second], lines[first]
        lines.insert(first, lines[second])
    spend(name, b"\n".join(lines))


@pytest.mark.parametrize("name", FAMILY)
def test_a_message_of_the_family_is_recognised(name: str) -> None:
    for path in samples(name):
        if path.stem in ("reference", "minimal", "full", "several", "update", "cancel", "other_prefixes", "default_namespace"):
            assert name == recognition.recognise(path.read_bytes()).NAME
