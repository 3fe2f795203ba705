"""EDIFACT: what is written is read again; whatever comes in is read or refused, soon."""

from datetime import UTC, date, datetime
from decimal import Decimal
from time import process_time
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.ingest import intake
from shared.contracts import Answer
from shared.directory import Participant, Role
from shared.formats import cuscar, cusitm_edifact, itmatt_edifact
from shared.formats.base import Envelope
from shared.formats.edifact import Composer, Syntax, whole
from shared.model import DEFAULT_DIALECT, Consignment, Document, Filing, GoodsItem, Money, Party, Postal, RawMessage, Rejection, TaxId
from tests.samples import FOLDER, RECEIVED_AT

BOUNDED = settings(
    max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
CUSTOMS = Participant(id="sample-sender", name="Sample sender", role=Role.CUSTOMS, country="NL")
SEEDS = [
    path.read_bytes()
    for folder in sorted(FOLDER.glob("*-edifact")) + [FOLDER / name for name in ("cuscar", "cusdec", "cusres", "contrl", "aperak")]
    for path in sorted(folder.glob("*.edi"))
]
AT = datetime(2026, 11, 21, 12, tzinfo=UTC)

latin = st.characters(min_codepoint=32, max_codepoint=255, blacklist_categories=("Cc", "Zs", "Cf"))


def text(most: int, least: int = 3) -> st.SearchStrategy[str]:
    """Texts without blanks at their ends; service characters are as likely as any other."""
    word = st.text(st.one_of(latin, st.sampled_from("+:'? ")), min_size=least, max_size=most)
    return word.map(lambda said: " ".join(said.split(" "))).filter(lambda said: said == said.strip() and len(said) >= least)


plain = st.text(st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"), min_size=4, max_size=17)
kilograms = st.integers(1, 9_999).map(lambda grams: Decimal(grams).scaleb(-3))
amounts = st.integers(1, 10**9).map(lambda cents: Decimal(cents).scaleb(-2))
parties = st.builds(
    Party,
    name=text(175),
    street_line=text(35),
    street_line_2=st.none() | text(70, 1),
    city=text(35),
    country_subdivision=st.none() | plain,
    postcode=plain,
    country=st.sampled_from(["US", "CN", "GB"]),
    phone=plain,
    email=st.none() | plain,
)


def goods(origin: str | None, *, express: bool) -> st.SearchStrategy[tuple[GoodsItem, ...]]:
    line = st.builds(
        GoodsItem,
        sequence_number=st.integers(1, 99),
        goods_description=text(350),
        hs_code=st.none() | st.sampled_from(["610910", "691200", "85183000"]),
        country_of_origin=st.just(origin),
        quantity=st.integers(1, 10**6).map(Decimal),
        net_mass_kg=kilograms,
        item_amount=st.builds(Money, amount=amounts, currency=st.just("EUR")),
        gross_mass_kg=kilograms if express else st.none(),
        package_count=st.integers(1, 99) if express else st.none(),
        quantity_unit=st.just("PCE") if express else st.none(),
    )
    return st.lists(line, min_size=1, max_size=3).map(tuple)


def filing(consignment: Consignment, key: str) -> Filing:
    return Filing(
        filing_id=UUID(int=1), key=key, participant="p", format="x", message_id="m", position="1", received_at=AT, content_digest="0",
        version=1, consignment=consignment,
    )  # fmt: skip


@BOUNDED
@given(st.lists(text(300, 0), max_size=6), st.sampled_from(["UNOC", "UNOW"]))
def test_released_texts_come_back(texts: list[str], charset: str) -> None:
    syntax = Syntax()
    composer = Composer(charset, DEFAULT_DIALECT)
    composer.segment("FTX", *texts, "END")
    body = composer.interchange([[charset, "3"]], 0, "R").decode("utf-8" if charset == "UNOW" else "latin-1")
    segment = next(each for each in syntax.split_all(body) if each.startswith("FTX"))
    assert [part[0] for part in syntax.split(segment)[1:-1]] == texts


@BOUNDED
@given(text(350, 1))
def test_a_text_cut_into_components_is_put_together_again(said: str) -> None:
    composer = Composer("UNOC", DEFAULT_DIALECT)
    assert whole([["FTX"], composer.cut(said, 70, 5)], 1, 70) == said


@BOUNDED
@given(st.data())
def test_cuscar_comes_back(data: st.DataObject) -> None:
    lines = data.draw(goods("CN", express=True))
    consignor, consignee = data.draw(parties), data.draw(parties)
    consignment = Consignment(
        house_transport_document_id=data.draw(plain),
        house_transport_document_type="703",
        master_transport_document_id="888-45123072",
        channel="express",
        carrier_id="p",
        mode_of_transport="4",
        conveyance_reference="XX8012",
        departure_on=date(2026, 3, 1),
        place_of_loading="SZX",
        place_of_arrival="LGG",
        country_of_dispatch="HK",
        country_of_destination=consignee.country,
        package_count=data.draw(st.integers(1, 99)),
        gross_mass_kg=data.draw(kilograms),
        declared_value=Money(amount=data.draw(amounts), currency="EUR"),
        freight_cost=data.draw(st.none() | st.builds(Money, amount=amounts, currency=st.just("EUR"))),
        ucr=data.draw(st.none() | plain),
        tax_scheme="ioss",
        tax_ids=(TaxId(scheme="ioss", number="IM3720000018", role="seller"),),
        consignor=consignor,
        consignee=consignee,
        seller=Party(name=data.draw(text(35))),
        goods_items=lines,
        extra={"manifest_no": "M1"},
    )
    written = cuscar.write([filing(consignment, f"express:p:{consignment.house_transport_document_id}")], ENVELOPE, DEFAULT_DIALECT)
    [back] = cuscar.parse(RawMessage("p", written.body, AT), DEFAULT_DIALECT)
    assert isinstance(back, Filing), back
    assert back.consignment == consignment
    assert not written.findings


ENVELOPE = Envelope("M1", "JX:ZZZ", "HUB:ZZZ", AT)


def postal_item(data: st.DataObject) -> Consignment:
    lines = data.draw(goods("BD", express=False))
    consignor, consignee = data.draw(parties), data.draw(parties)
    total = sum((line.item_amount.amount for line in lines if line.item_amount), Decimal(0))
    return Consignment(
        house_transport_document_id="LZ314159268US",
        house_transport_document_type="750",
        channel="post",
        posted_at=AT,
        nature_of_transaction="sale",
        is_return=False,
        country_of_dispatch=consignor.country,
        country_of_destination=consignee.country,
        package_count=1,
        gross_mass_kg=Decimal("30.000"),
        declared_value=Money(amount=total, currency="EUR"),
        consignor=consignor,
        consignee=consignee,
        goods_items=lines,
        documents=(Document(document_type="380", document_id="INV-1", name=data.draw(text(200, 1))),),
        postal=Postal(origin_post="USP", destination_post="NLP", mail_class="U", handling="R", local_ids=("A", "B")),
        extra={"Remark": data.draw(text(350, 1))},
    )


@BOUNDED
@given(st.data())
def test_itmatt_comes_back(data: st.DataObject) -> None:
    consignment = postal_item(data)
    written = itmatt_edifact.write([filing(consignment, "post:LZ314159268US")], ENVELOPE, DEFAULT_DIALECT)
    [back] = itmatt_edifact.parse(RawMessage("p", written.body, AT), DEFAULT_DIALECT)
    assert isinstance(back, Filing), back
    assert back.consignment == consignment
    assert not written.findings


@BOUNDED
@given(st.data(), st.sampled_from(["I", "O"]), st.none() | st.sampled_from(["true", "false"]))
def test_cusitm_comes_back(data: st.DataObject, flow: str, late: str | None) -> None:
    declared = {"PostOrganizationCd": "JX", "CustOrganizationCd": "NLCUST", "CustomsOfficeCd": "NL000432", "Flow": flow}
    item = postal_item(data)
    extra = {**(item.extra or {}), **declared, **({"ArrivedBeforeData": late} if late else {})}
    consignment = item.model_copy(update={"extra": extra, "receptacle_id": "USLAXANLHAGIAUN60123004100085"})
    written = cusitm_edifact.write([filing(consignment, "post:LZ314159268US")], ENVELOPE, DEFAULT_DIALECT)
    [back] = cusitm_edifact.parse(RawMessage("p", written.body, AT), DEFAULT_DIALECT)
    assert isinstance(back, Filing), back
    assert back.consignment == consignment
    assert not written.findings


def read(body: bytes) -> list[Filing | Answer | Rejection]:
    return list(intake.read(RawMessage(CUSTOMS.id, body, RECEIVED_AT), CUSTOMS))


def seconds(body: bytes) -> float:
    before = process_time()
    read(body)
    return process_time() - before


def check(body: bytes) -> None:
    allowed = 0.05 * max(1, len(body) / 3000)
    before = process_time()
    outcomes = read(body)
    if process_time() - before > allowed:
        assert min(seconds(body) for _ in range(3)) < allowed, "50 ms for 3 kB"
    for outcome in outcomes:
        assert isinstance(outcome, Filing | Answer | Rejection)
        assert type(outcome).from_json(outcome.to_json()) == outcome
        if isinstance(outcome, Rejection):
            assert outcome.findings


@settings(BOUNDED, max_examples=400)
@given(
    st.sampled_from(SEEDS), st.lists(st.tuples(st.integers(0, 10**6), st.binary(max_size=6), st.integers(0, 40)), min_size=1, max_size=8)
)
def test_a_spoiled_interchange_is_read_or_refused(body: bytes, spoils: list[tuple[int, bytes, int]]) -> None:
    for place, put, cut in spoils:
        at = place % (len(body) + 1)
        body = body[:at] + put + body[at + cut :]
    check(body)


@settings(BOUNDED, max_examples=400)
@given(st.sampled_from(SEEDS), st.data())
def test_segments_doubled_swapped_left_out_and_filled_with_anything(body: bytes, data: st.DataObject) -> None:
    segments = body.split(b"'")
    for _ in range(data.draw(st.integers(1, 6))):
        first = data.draw(st.integers(0, len(segments) - 1))
        second = data.draw(st.integers(0, len(segments) - 1))
        match data.draw(st.integers(0, 4)):
            case 0:
                segments[first], segments[second] = segments[second], segments[first]
            case 1:
                segments.insert(first, segments[second])
            case 2 if len(segments) > 2:
                del segments[first]
            case 3:
                elements = segments[first].split(b"+")
                said = data.draw(st.text(max_size=40) | st.sampled_from(["0", "-1", "9" * 60, "1e9", ":::::", "é" * 300, "\ufffd"]))
                elements[second % len(elements)] = said.encode("utf-8", "replace")
                segments[first] = b"+".join(elements)
            case _:
                segments[first] += b"+" + b":" * data.draw(st.sampled_from([1, 500, 20_000]))
    check(b"'".join(segments))
