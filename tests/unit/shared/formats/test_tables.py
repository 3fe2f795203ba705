"""Spreadsheets: character sets and separators by dialect, formulas neutralised, findings sent back in their own column."""

import io
import zipfile
from dataclasses import replace
from uuid import UUID

import pytest

from shared.errors import MalformedMessage, Misconfigured
from shared.formats import csv, manifest_csv, manifest_table, manifest_xlsx, recognition, xlsx
from shared.formats.base import Envelope, Received, Taken
from shared.model import DEFAULT_DIALECT, Dialect, Filing, Finding, RawMessage, Rejection
from tests.samples import FOLDER, RECEIVED_AT, raw

ENVELOPE = Envelope("M-1", "sender", "receiver", RECEIVED_AT)
REFERENCE = (FOLDER / "manifest-csv" / "reference.csv").read_bytes()


@pytest.mark.parametrize(
    ("encoding", "names", "text"),
    [
        ("windows-1251", {"Накладная": "hawb", "Описание": "description"}, "Кружка керамическая"),
        ("gb18030", {"运单号": "hawb", "品名": "description"}, "陶瓷杯子"),
        ("utf-8", {"N° de lettre": "hawb", "Désignation": "description"}, "Tasse en grès"),
    ],
)
def test_a_sender_s_own_columns_in_its_own_character_set(encoding: str, names: dict[str, str], text: str) -> None:
    own = {hub: name for name, hub in names.items()}
    body = f"{own['hawb']};mawb;flight;pieces;gross_weight;{own['description']}\nA1;888-45123072;XX1;1;1.234,5;{text}\n".encode(encoding)
    dialect = Dialect(encoding=encoding, columns=names, decimal_comma=True)
    module = recognition.recognise(body, columns=dialect.columns, encoding=encoding)
    (item,) = module.parse(raw(body), dialect)
    assert module.NAME == "manifest-csv"
    assert item.key == "express:sample-sender:A1"


def test_a_decimal_comma_means_the_same_in_text_and_in_a_workbook_s_number() -> None:
    table = csv.parse(REFERENCE, "utf-8", {})
    first = table.cells(table.rows[0])
    header = list(first)
    dialect = Dialect(decimal_comma=True)
    body = xlsx.write(header, [[{**first, "gross_weight": "0,5", "item_value": "1.022,90"}[name] for name in header]])
    body = _edit(body, lambda sheet: _as_number(sheet, header.index("pieces"), "1"))
    (item,) = manifest_xlsx.parse(raw(_edit(body, lambda s: _as_number(s, header.index("gross_weight"), "0.5"))), dialect)
    assert isinstance(item, Filing)
    assert item.consignment is not None
    assert str(item.consignment.gross_mass_kg) == "0.500"
    assert str(item.consignment.goods_items[0].item_amount.amount) == "1022.90"  # type: ignore[union-attr]


def _as_number(sheet: bytes, place: int, value: str) -> bytes:
    cell = f'<c r="{xlsx.column_name(place)}2" '.encode()
    before, _, rest = sheet.partition(cell)
    return before + cell + f"><v>{value}</v></c>".encode() + rest.partition(b"</c>")[2]


def _edit(body: bytes, change: object) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(body)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            data = old.read(name)
            new.writestr(name, change(data) if name.endswith("sheet1.xml") else data)  # type: ignore[operator]
    return out.getvalue()


def test_a_character_set_that_is_none_is_the_operator_s_mistake() -> None:
    for name in ("klingon", "zlib", "utf-7", "unicode_escape", "idna"):
        with pytest.raises(Misconfigured):
            csv.charset(name)


@pytest.mark.parametrize("text", ["=1+1", "+32 4", "-5", "@SUM(A1)", "\tx", "\rx", "'=x", "''=x"])
def test_no_cell_becomes_a_formula_and_every_cell_comes_back(text: str) -> None:
    assert csv.guarded(text)[0] == "'"
    assert csv.unguarded(csv.guarded(text)) == text
    assert csv.write(["a"], [[text]]).decode("utf-8-sig").splitlines(keepends=True)[1].startswith("\"'")


def acknowledged(module: object, message: RawMessage, outcomes: list[Filing | Rejection]) -> bytes:
    taken = tuple(Taken(each.position, each.key, isinstance(each, Rejection), tuple(each.findings or ())) for each in outcomes)
    back: bytes = module.acknowledge(Received(UUID(int=9), message, None, taken), DEFAULT_DIALECT)  # type: ignore[attr-defined]
    return back


@pytest.mark.parametrize("module", [manifest_csv, manifest_xlsx], ids=lambda module: module.NAME)
def test_a_large_table_comes_back_with_the_rows_of_which_there_is_something_to_say(module: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(manifest_table, "ANSWER_LIMIT", 100)
    lines = [["hawb", "mawb", "flight", "pieces"], ["A1", "888-45123072", "XX1", "0"], ["B2", "888-45123072", "XX1", "1"]]
    body = (csv.write if module is manifest_csv else xlsx.write)(lines[0], lines[1:])
    fine = Taken("line 3", "express:s:B2", False, ())
    finding = Finding(code="FLD-FORM", message="No number.", remedy="Send a number.", sender_path="line 2/pieces")
    told = (Taken("line 2", "express:s:A1", True, (finding,)), fine)
    back = module.acknowledge(Received(UUID(int=9), raw(body), None, told), DEFAULT_DIALECT)  # type: ignore[attr-defined]
    rows = csv.as_it_came(back, "utf-8")[2] if module is manifest_csv else xlsx.read(back).rows[1:]
    assert [cells for _, cells in rows] == [[*lines[1], "NOT TAKEN | FLD-FORM pieces: No number. Send a number."]]


@pytest.mark.parametrize("module", [manifest_csv, manifest_xlsx], ids=lambda module: module.NAME)
def test_a_table_refused_as_a_whole_comes_back_as_the_reasons(module: object) -> None:
    no = Finding(code="MSG-HEAD", message="No header.", remedy="Send one.")
    back = module.acknowledge(Received(UUID(int=9), raw(b"x"), None, (), (no,)), DEFAULT_DIALECT)  # type: ignore[attr-defined]
    assert "NOT TAKEN | MSG-HEAD: No header. Send one." in (back.decode() if module is manifest_csv else str(xlsx.read(back).rows))


@pytest.mark.parametrize("module", [manifest_csv, manifest_xlsx], ids=lambda module: module.NAME)
def test_a_table_comes_back_with_what_was_found_and_may_be_sent_again(module: object) -> None:
    body = (FOLDER / "manifest-csv" / "refused_rows.csv").read_bytes()
    if module is manifest_xlsx:
        table = [line.split(",") for line in ("hawb,mawb,flight,pieces", "A1,888-45123072,XX1,0", "B2,888-45123072,XX1,1")]
        body = xlsx.write(table[0], table[1:])
    message = raw(body)
    outcomes = list(module.parse(message, DEFAULT_DIALECT))  # type: ignore[attr-defined]
    assert any(isinstance(each, Rejection) for each in outcomes)
    back = acknowledged(module, message, outcomes)
    again = list(module.parse(replace(message, body=back), DEFAULT_DIALECT))  # type: ignore[attr-defined]
    assert [(type(each), each.key, [made.code for made in each.findings or ()]) for each in again] == [
        (type(each), each.key, [made.code for made in each.findings or ()]) for each in outcomes
    ]
    assert acknowledged(module, replace(message, body=back), again) == back
    text = back.decode("utf-8-sig") if module is manifest_csv else xlsx.read(back).rows[1][1][-1]
    assert "NOT TAKEN" in text


def test_what_a_manifest_has_no_place_for_is_told() -> None:
    (filing, _) = manifest_csv.parse(raw(REFERENCE), DEFAULT_DIALECT)
    assert isinstance(filing, Filing)
    assert filing.consignment is not None
    richer = filing.model_copy(update={"consignment": filing.consignment.model_copy(update={"ucr": "6BE-1", "posted_at": RECEIVED_AT})})
    assert [made.path for made in manifest_csv.write([richer], ENVELOPE, DEFAULT_DIALECT).findings] == ["/posted_at", "/ucr"]
    assert not manifest_csv.write([filing], ENVELOPE, DEFAULT_DIALECT).findings


def test_a_bomb_costs_little_memory() -> None:
    import tracemalloc

    body = (FOLDER / "manifest-xlsx" / "bomb_refused.xlsx").read_bytes()
    tracemalloc.start()
    with pytest.raises(MalformedMessage) as refused:
        xlsx.read(body)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert refused.value.finding_code == "XLS-ARCHIVE"
    assert peak < 20_000_000


def test_rows_with_different_columns_filled_are_read_as_if_each_were_alone() -> None:
    table = csv.parse(REFERENCE, "utf-8", {})
    (row,) = [cells for cells in map(table.cells, table.rows) if cells["hawb"] == "JXE2603000017"]
    optional = {"shipper_city": "Shenzhen", "consignee_eori": "BE0999888777", "consignee_tax_no": "123", "ioss_no": "IM3720000018"}
    optional |= {"weight_unit": "LB", "seller_name": "Aurora", "sku": "A-1", "own_note": "urgent"}
    header = list(row | optional)
    rows = []
    for number in range(2 ** len(optional)):
        left_out = {name: "" for at, name in enumerate(optional) if number >> at & 1}
        rows.append(list((row | optional | {"hawb": f"JX{number:03}"} | left_out).values()))
    together = list(manifest_csv.parse(raw(csv.write(header, rows)), DEFAULT_DIALECT))
    alone = [filing for one in rows for filing in manifest_csv.parse(raw(csv.write(header, [one])), DEFAULT_DIALECT)]
    assert len(together) == len(alone) == 256
    for each, one in zip(together, alone, strict=True):
        assert isinstance(each, Filing)
        assert isinstance(one, Filing)
        assert (each.content_digest, each.consignment) == (one.content_digest, one.consignment)
        assert [made.code for made in each.findings or ()] == [made.code for made in one.findings or ()]
