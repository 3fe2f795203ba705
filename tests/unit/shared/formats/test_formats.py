"""What all formats have in common."""

import re
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import pytest

from shared.errors import MalformedMessage, UnknownFormat
from shared.formats import FORMATS, READERS, WRITERS, json, manifest_csv, manifest_json, neutral, order, recognition, rules, values, xml
from shared.formats.base import Envelope, FilingWriter
from shared.formats.provenance import provenance
from shared.model import DEFAULT_DIALECT, Dialect, Filing
from tests.builders import a_filing, a_house_consignment
from tests.samples import FOLDER, RECEIVED_AT, raw, samples

FILING_WRITERS = {name: module for name, module in FORMATS.items() if isinstance(module, FilingWriter)}


def test_every_format_says_what_it_is() -> None:
    for name, module in FORMATS.items():
        assert name == module.NAME
        assert module.TITLE
        assert module.CONTENT_TYPES
        assert module.VERSIONS
        assert module.SOURCE
        assert module.CERTAINTY in ("published", "inferred", "reconstructed")


_README = (Path(__file__).parents[4] / "README.md").read_text(encoding="utf-8")
_ROW = re.compile(r"^\| `([a-z0-9-]+)` \| [^|]+ \| ((?:reads|writes notices|writes filings)(?:, writes \w+)*) \|", re.MULTILINE)


def test_each_format_reads_and_writes_exactly_what_the_readme_says() -> None:
    directions = {"reads": READERS, "writes notices": WRITERS, "writes filings": FILING_WRITERS}
    told = {name: set(ways.split(", ")) for name, ways in _ROW.findall(_README)}
    assert told == {name: {way for way, able in directions.items() if name in able} for name in FORMATS}


def test_every_format_that_reads_has_samples_and_every_folder_of_samples_is_of_one() -> None:
    folders = {path.name for path in FOLDER.iterdir() if path.is_dir() and path.name[0] != "_"}
    assert folders - {"unrecognised"} == set(READERS)


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_no_format_is_half_a_reader(name: str) -> None:
    has = {needed: hasattr(FORMATS[name], needed) for needed in ("recognise", "parse", "PATHS")}
    assert len(set(has.values())) == 1, has
    assert has["parse"] == (name in READERS)
    assert name in READERS or name in WRITERS or name in FILING_WRITERS


@pytest.mark.parametrize("name", sorted(READERS))
def test_a_format_is_recognised_by_its_content_alone(name: str) -> None:
    for path in samples(name):
        if path.stem in ("reference", "single", "several"):
            assert name == recognition.recognise(path.read_bytes(), "application/octet-stream", "no-such-format").NAME


@pytest.mark.parametrize("name", sorted(FILING_WRITERS))
def test_no_writer_cuts_the_number_of_a_house(name: str) -> None:
    number = "JXE26030000171234567890123456789012"
    house = a_house_consignment(house_transport_document_id=number, master_transport_document_id="888-45123072", channel="express")
    envelope = Envelope("M-1", "jx", "nlcust", RECEIVED_AT)
    written = FILING_WRITERS[name].write([a_filing(house, key=f"express:jx:{number}")], envelope, DEFAULT_DIALECT)
    refused = any(finding.severity == "error" for finding in written.findings)
    assert refused or number.encode() in _unpacked(written.body)


def _unpacked(body: bytes) -> bytes:
    if not body.startswith(b"PK"):
        return body
    with ZipFile(BytesIO(body)) as archive:
        return b"".join(map(archive.read, archive.namelist()))


def test_a_hint_decides_where_the_content_nearly_fits() -> None:
    body = b'<ItmattFile xmlns="urn:elsewhere"><Header/></ItmattFile>'
    with pytest.raises(UnknownFormat):
        recognition.recognise(body)
    assert recognition.recognise(body, hint="itmatt").NAME == "itmatt"


def test_a_hint_never_outweighs_the_content() -> None:
    assert recognition.recognise((FOLDER / "order" / "single.json").read_bytes(), "application/xml", "itmatt").NAME == "order"


@pytest.mark.parametrize(
    "body",
    [
        b"Dear customs, please find attached nothing.\n",
        b"Dear customs,\nplease find attached, as agreed, nothing.\n",
        b"Note, please: the parcels come tomorrow\nYours\n",
        b"Liebe Kollegen; anbei nichts",
    ],
)
def test_prose_is_no_table_and_is_told_which_tables_there_are(body: bytes) -> None:
    assert recognition.look(body).kind == "text"
    with pytest.raises(UnknownFormat, match=r"text without a header row\. .*manifest-csv: .*hawb") as refused:
        recognition.recognise(body)
    assert "stock: " in str(refused.value)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"name,amount\nmug,3\n", "csv"),
        (b"hawb;remarks", "text"),
        (b"hawb;pieces", "csv"),
        (b'"Waybill; No.";mass\n"A;1";2\n', "csv"),
        (b"FHL, as agreed\nFHL/5\nMBI/888-45123072SZXLGG/T3K2.7\n", "cargo-imp"),
    ],
)
def test_a_header_row_has_names_of_ours_or_a_row_like_it_below(body: bytes, kind: str) -> None:
    assert recognition.look(body).kind == kind


def test_a_table_is_told_what_it_lacks() -> None:
    with pytest.raises(UnknownFormat, match=r"stock: a table with 2 columns of stock movements, but without movement"):
        recognition.recognise(b"stock_event_ref;sku\nIN-1;TS-1\n")


def test_a_sender_s_own_columns_are_known() -> None:
    body = b"Waybill No,pieces,mawb,flight,description\nA1,1,888-45123072,XX1,mug\n"
    dialect = Dialect(columns={"Waybill No": "hawb"})
    assert recognition.recognise(body, columns=dialect.columns) is READERS["manifest-csv"]
    assert next(iter(manifest_csv.parse(raw(body), dialect))).key == "express:sample-sender:A1"


@pytest.mark.parametrize("name", ["manifest-csv", "manifest-json", "order", "payment", "returns", "stock", "device-event"])
def test_every_value_tells_where_it_came_from(name: str) -> None:
    module = READERS[name]
    for path in samples(name):
        try:
            filings = [item for item in module.parse(raw(path.read_bytes()), DEFAULT_DIALECT) if isinstance(item, Filing)]
        except MalformedMessage:
            continue
        for filing in filings:
            found = provenance(filing, module.PATHS)
            derived = {where for where, source in found.items() if source == filing.position}
            assert derived <= {"/channel", "/carrier_id", "/house_transport_document_type", "/kind"}


def test_a_goods_line_of_a_table_tells_its_own_line() -> None:
    filing = next(iter(manifest_csv.parse(raw((FOLDER / "manifest-csv" / "two_lines_pounds.csv").read_bytes()), DEFAULT_DIALECT)))
    assert isinstance(filing, Filing)
    found = provenance(filing, manifest_csv.PATHS)
    assert (found["/goods_items/0/hs_code"], found["/goods_items/1/hs_code"]) == ("line 2/hs_code", "line 5/hs_code")


def test_a_value_of_the_manifest_s_head_tells_so() -> None:
    filing = next(iter(manifest_json.parse(raw((FOLDER / "manifest-json" / "reference.json").read_bytes()), DEFAULT_DIALECT)))
    assert isinstance(filing, Filing)
    found = provenance(filing, manifest_json.PATHS)
    assert found["/conveyance_reference"] == "flight"
    assert found["/goods_items/1/item_amount/amount"] == "consignments[1]/items[2]/item_value"


def test_a_corrected_manifest_of_the_same_number_is_another_message() -> None:
    body = (FOLDER / "manifest-csv" / "two_lines_pounds.csv").read_bytes()
    heads = [manifest_csv.parse(raw(each), DEFAULT_DIALECT).head.message_id for each in (body, body.replace(b"22.9;", b"23.9;"), body)]
    assert heads[0] == heads[2] != heads[1]


def test_ten_thousand_and_one_consignments_are_refused() -> None:
    for module, body in (
        (manifest_csv, b"hawb,mawb,flight,pieces\n" + b"".join(b"A%d,,,1\n" % n for n in range(10_001))),
        (manifest_json, b'{"consignments": [' + b",".join([b"{}"] * 10_001) + b"]}"),
        (order, b'{"orders": [' + b",".join([b"{}"] * 10_001) + b"]}"),
    ):
        with pytest.raises(MalformedMessage) as refused:
            module.parse(raw(body), DEFAULT_DIALECT)
        assert refused.value.finding_code == "MSG-ITEMS"


def test_a_text_that_looks_like_a_key_is_no_duplicate() -> None:
    assert json.parse(b'{"a": "\\"a\\": 1", "b": {"a": 2}}') == {"a": '"a": 1', "b": {"a": 2}}


@pytest.mark.parametrize("body", [b'{"a":1,"a":2}', b'{"a" : 1, "b": 2, "a"\n: 2}', b'[{"b": "\\"a\\" :"}, {"a":{"c":1,"c" :2}}]'])
def test_a_key_named_twice_in_one_object_refuses_the_message(body: bytes) -> None:
    with pytest.raises(MalformedMessage) as refused:
        json.parse(body)
    assert refused.value.finding_code == "MSG-DUPLICATE-KEY"


@pytest.mark.parametrize("lines", [b"%s\n%s", b" \n\r\n%s\r\n\r\n%s\n", b"\xef\xbb\xbf%s\n%s"])
def test_items_on_lines_are_read_line_by_line(lines: bytes) -> None:
    one = b'{"payment":{"payment_id":"1","orders":[{"order_id":"1"}]}}'
    assert neutral.parse(raw(lines % (one, one)), DEFAULT_DIALECT).count == 2
    assert neutral.parse(raw(b"\n" + one + b"\n \n"), DEFAULT_DIALECT).count == 1


def test_a_text_above_sixty_four_kilobytes_is_refused() -> None:
    with pytest.raises(MalformedMessage) as refused:
        json.parse(b'{"a": "' + b"x" * 65_537 + b'"}')
    assert refused.value.finding_code == "MSG-STRING"


def test_nesting_that_exhausts_the_parser_is_refused() -> None:
    with pytest.raises(MalformedMessage) as refused:
        json.parse(b"[" * 100_000 + b"]" * 100_000)
    assert refused.value.finding_code == "MSG-DEPTH"


def test_nothing_is_fetched_for_a_document() -> None:
    with pytest.raises(MalformedMessage) as refused:
        xml.parse(b'<!DOCTYPE a SYSTEM "http://127.0.0.1:9/a.dtd"><a/>')
    assert refused.value.finding_code == "MSG-DOCTYPE"


def test_every_code_has_a_remedy() -> None:
    assert all(rule.message.endswith(".") and rule.remedy.endswith(".") for rule in rules.RULES.values())


@pytest.mark.parametrize(
    ("said", "money", "mass", "quantity"),
    [
        ("0", "0.00", "0.000", "0"),
        ("054", "54.00", "54.000", "54"),
        ("2.5000", "2.50", "2.500", "2.5"),
        ("-1", "-1.00", "-1.000", "-1"),
        ("1e5", None, None, None),
        ("1_000", None, None, None),
        ("٣", None, None, None),
        ("NaN", None, None, None),
        ("1,5", None, None, None),
    ],
)
def test_numbers_have_one_way_of_being_written(said: str, money: str | None, mass: str | None, quantity: str | None) -> None:
    assert values.money(said, DEFAULT_DIALECT) == money
    assert values.mass(said, DEFAULT_DIALECT) == mass
    assert values.quantity(said, DEFAULT_DIALECT) == quantity
