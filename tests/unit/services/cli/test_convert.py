"""``guichet convert`` and ``guichet map``, offline."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from services.cli.main import app
from tests.samples import FOLDER

run = CliRunner().invoke
MANIFEST = FOLDER / "manifest-csv" / "reference.csv"


def test_a_manifest_becomes_lines_of_the_standard_dataset_and_a_manifest_again(tmp_path: Path) -> None:
    lines, back = tmp_path / "lines.jsonl", tmp_path / "back.xlsx"
    first = run(app, ["convert", str(MANIFEST), "--to", "neutral-lines", "-o", str(lines)])
    assert (first.exit_code, first.stderr) == (0, "")
    assert [json.loads(line)["consignment"]["house_transport_document_id"] for line in lines.read_text().splitlines()[1:]] == [
        "JXE2603000017",
        "JXE2603000018",
    ]
    second = run(app, ["convert", str(lines), "--to", "manifest-xlsx", "-o", str(back)])
    assert (second.exit_code, second.stderr) == (0, "")
    shown = run(app, ["parse", str(back)])
    assert [json.loads(line)["key"] for line in shown.stdout.splitlines()] == [
        "express:sender:JXE2603000017",
        "express:sender:JXE2603000018",
    ]


def test_what_the_target_cannot_carry_is_listed_and_what_is_not_written_fails() -> None:
    told = run(app, ["convert", str(FOLDER / "itmatt" / "reference.xml"), "--to", "manifest-csv"])
    assert told.exit_code == 0
    assert {"/channel", "/posted_at", "/postal/mail_class"} <= {json.loads(line)["path"] for line in told.stderr.splitlines()}


@pytest.mark.parametrize("to", ["manifest-csv", "itmatt", "awmds", "cuscar", "xfhl"])
def test_what_is_not_written_at_all_fails_and_leaves_no_empty_message(tmp_path: Path, to: str) -> None:
    target = tmp_path / "out"
    failed = run(app, ["convert", str(FOLDER / "order" / "single.json"), "--to", to, "-o", str(target)])
    assert (failed.exit_code, failed.stdout, target.exists()) == (1, "", False)
    assert json.loads(failed.stderr.splitlines()[0])["severity"] == "error"


@pytest.mark.parametrize("name", ["manifest-json", "no-such-format"])
def test_a_format_in_which_no_filings_are_written_is_a_usage_mistake(name: str) -> None:
    assert run(app, ["convert", str(MANIFEST), "--to", name]).exit_code == 2


def test_a_mapping_is_kept_only_after_a_yes(tmp_path: Path) -> None:
    table, kept = tmp_path / "own.csv", tmp_path / "carrier.json"
    table.write_text("Waybill No.,Master AWB,Devise\nJXE2603000017,888-45123072,EUR\n")
    refused = run(app, ["map", str(table), "--save", str(kept)], input="n\n")
    assert (refused.exit_code, kept.exists()) == (1, False)
    agreed = run(app, ["map", str(table), "--save", str(kept)], input="y\n")
    assert agreed.exit_code == 0
    assert json.loads(kept.read_text()) == {"columns": {"Waybill No.": "hawb", "Master AWB": "mawb", "Devise": "currency"}}


def test_character_set_and_decimal_comma_are_kept_with_the_mapping(tmp_path: Path) -> None:
    table, kept = tmp_path / "own.csv", tmp_path / "carrier.json"
    table.write_bytes("Накладная;Вес;Описание товара;Получатель\nRU0001;1,5;Хлопковая футболка;Иван Петров\n".encode("cp1251"))
    agreed = run(app, ["map", str(table), "--save", str(kept), "--doubtful", "--yes"])
    assert agreed.exit_code == 0
    assert "character set is probably cp1251" in agreed.stderr
    said = json.loads(kept.read_text())
    assert (said["encoding"], said["decimal_comma"], said["columns"]["Накладная"]) == ("cp1251", True, "hawb")
    (parcel,) = [json.loads(line) for line in run(app, ["parse", str(table), "--dialect", str(kept)]).stdout.splitlines()]
    assert parcel["key"] == "express:sender:RU0001"


def test_a_table_of_stock_movements_is_mapped_as_such_unless_another_format_is_named(tmp_path: Path) -> None:
    table = tmp_path / "own.csv"
    table.write_text("Movement reference,Direction,Warehouse,Article number,Qty\nIN-1,in,FC-LGG-2,TS-1,5\n")
    likely = json.loads(run(app, ["map", str(table), "--json"]).stdout)
    assert (likely["format"], likely["missing"]) == ("stock", ["moved_at"])
    named = json.loads(run(app, ["map", str(table), "--json", "--format", "manifest-csv"]).stdout)
    assert (named["format"], named["columns"]) == ("manifest-csv", {"Article number": "sku", "Qty": "quantity"})
    wrong = run(app, ["map", str(table), "--format", "order"])
    assert wrong.exit_code == 2
    assert "manifest-csv, stock" in wrong.stderr.replace("\n", " ")


def test_a_payment_is_printed_as_what_it_is() -> None:
    shown = run(app, ["parse", "--as", "sample-sender", str(FOLDER / "payment" / "reference.json")])
    assert json.loads(shown.stdout)["about"] == "payment"
    assert json.loads(shown.stdout)["data"]["payment_id"] == "PAY-2603-000871"
