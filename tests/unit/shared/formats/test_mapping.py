"""What a new spreadsheet's columns are proposed to be."""

import pytest

from shared.codes import column_names
from shared.errors import MalformedMessage
from shared.formats import TABLES, manifest_csv, mapping, recognition, stock
from shared.model import Dialect, Filing
from tests.samples import FOLDER, raw

OWN = (
    "Waybill No.,Master AWB,Vol,Expéditeur,Shipper street,Sender city,Pays expediteur,Destinataire,Receiver address,Recipient city,"
    "Destination country,Empfänger PLZ,Colis,Poids brut,Désignation,HS,Made in,Qty,Valeur déclarée,Devise,Remarks\n"
    "JXE2603000017,888-45123072,XX8012,Aurora Trading,Fuhua Road 7,Shenzhen,CN,Marie Exemple,Rue de l'Essai 12,Liege,BE,4000,1,0.5,"
    "Cotton T-shirt,610910,CN,1,22.90,EUR,none\n"
    "JXE2603000018,888-45123072,XX8012,Aurora Trading,Fuhua Road 7,Shenzhen,CN,Jean Modele,Chaussee du Test 5,Namur,BE,5000,2,2.2,"
    "Headphones,851830,CN,2,84.00,EUR,none\n"
).encode()


def test_a_foreign_table_is_read_with_the_mapping_proposed_for_it() -> None:
    table = mapping.read(OWN)
    proposals = mapping.propose(table.header, table.rows, manifest_csv)
    found = {each.name: each.column for each in proposals}
    assert found["Waybill No."] == "hawb"
    assert found["Valeur déclarée"] == "item_value"
    assert found["Empfänger PLZ"] == "consignee_postcode"
    assert found["Remarks"] is None
    assert mapping.missing(proposals, manifest_csv) == []
    dialect = Dialect(columns=mapping.columns_of(proposals))
    assert recognition.recognise(OWN, columns=dialect.columns).NAME == "manifest-csv"
    read = list(manifest_csv.parse(raw(OWN), dialect))
    assert [type(each) for each in read] == [Filing, Filing], read


def test_every_proposal_says_why_and_no_column_is_given_twice() -> None:
    table = mapping.read(OWN)
    proposals = mapping.propose(table.header, table.rows, manifest_csv)
    given = [each.column for each in proposals if each.column]
    assert len(given) == len(set(given))
    assert all(each.why for each in proposals)


def test_values_alone_make_a_doubtful_proposal_that_is_not_kept_unasked() -> None:
    proposals = mapping.propose(["X1", "X2"], [["EUR", "888-45123072"], ["USD", "888-45123072"]], manifest_csv)
    assert [(each.column, each.sureness) for each in proposals] == [("currency", "doubtful"), ("mawb", "doubtful")]
    assert mapping.columns_of(proposals) == {}
    assert mapping.columns_of(proposals, "doubtful") == {"X1": "currency", "X2": "mawb"}


def test_values_that_do_not_fit_speak_against_a_name() -> None:
    (proposal,) = mapping.propose(["Currency"], [["Marie"], ["Jean"]], manifest_csv)
    assert proposal.sureness != "sure"


@pytest.mark.parametrize(
    "name", ["manifest-csv/reference.csv", "manifest-csv/tabs.tsv", "manifest-csv/utf16_semicolons.csv", "manifest-xlsx/titles_above.xlsx"]
)
def test_the_hub_s_own_layout_needs_no_mapping(name: str) -> None:
    table = mapping.read((FOLDER / name).read_bytes())
    proposals = mapping.propose(table.header, table.rows, manifest_csv)
    assert {each.sureness for each in proposals} <= {"sure", "likely"}
    assert mapping.columns_of(proposals) == {}


STOCK = (
    b"Transaction No;Direction;Date of movement;Lager;Article number;EAN;Menge;Unit price;Marketplace;Shelf\n"
    b"IN-1;in;2026-03-01T08:00:00Z;FC-LGG-2;TS-0412-M;4006381333931;500;4.10;bazaar-one;R12\n"
    b"OUT-1;out;2026-03-02T08:00:00Z;FC-LGG-2;TS-0412-M;4006381333931;1;4.10;bazaar-one;R12\n"
)


def test_a_foreign_table_of_stock_movements_is_read_with_the_mapping_proposed_for_it() -> None:
    table = mapping.read(STOCK)
    module = mapping.likeliest(table)
    assert module.NAME == stock.NAME
    proposals = mapping.propose(table.header, table.rows, module)
    assert mapping.missing(proposals, module) == []
    dialect = Dialect(columns=mapping.columns_of(proposals))
    assert dialect.columns == {
        "Transaction No": "stock_event_ref",
        "Direction": "movement",
        "Date of movement": "moved_at",
        "Lager": "warehouse_id",
        "Article number": "sku",
        "EAN": "gtin",
        "Menge": "quantity",
        "Unit price": "unit_value",
        "Marketplace": "platform_id",
    }
    assert recognition.recognise(STOCK, columns=dialect.columns).NAME == "stock"
    read = list(stock.parse(raw(STOCK), dialect))
    assert [type(each) for each in read] == [Filing, Filing], read


@pytest.mark.parametrize(
    ("name", "format"),
    [
        ("manifest-csv/reference.csv", "manifest-csv"),
        ("manifest-csv/tabs.tsv", "manifest-csv"),
        ("manifest-xlsx/titles_above.xlsx", "manifest-xlsx"),
        ("stock/table.csv", "stock"),
        ("stock/table_local_times.csv", "stock"),
    ],
)
def test_a_table_is_taken_for_the_format_it_is_of(name: str, format: str) -> None:
    assert format == mapping.likeliest(mapping.read((FOLDER / name).read_bytes())).NAME


def test_every_format_that_reads_tables_has_proposals_for_its_mandatory_columns() -> None:
    for module in TABLES.values():
        proposals = mapping.propose(module.MANDATORY, [], module)
        assert [each.column for each in proposals] == list(module.MANDATORY)
        assert set(module.MANDATORY) <= module.COLUMNS
        assert set(module.MANDATORY) <= set(column_names.columns())


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Номер накладной;Описание;Получатель\nA1;Хлопковая футболка;Иван Петров\n", "cp1251"),
        ("运单号,品名,收件人\nA1,棉质T恤女式,王小明\nA2,陶瓷杯,李华\n", "gb18030"),
        ("Nr;Beschreibung;Empfänger\nA1;Größe L, Männer-T-Shirt;Jörg Müller, Köln\n", "cp1252"),
        ("číslo;popis;město\nA1;Tričko bavlněné;Plzeň\n", "cp1250"),
        ("Nr;Empfänger\nA1;Jörg\n", "utf-8"),
    ],
)
def test_a_table_in_another_character_set_is_read_in_the_likeliest(text: str, encoding: str) -> None:
    body = text.encode(encoding)
    found = mapping.charset(body)
    assert body.decode(found) == text
    assert (found == "utf-8") == (encoding == "utf-8")
    assert mapping.read(body, Dialect(encoding=found)).header == text.splitlines()[0].replace(";", ",").split(",")


def test_what_is_no_table_is_called_what_it_is() -> None:
    with pytest.raises(MalformedMessage, match="a PDF"):
        mapping.charset(b"%PDF-1.4\n1;2;3\n")


@pytest.mark.parametrize(
    ("weights", "commas"),
    [
        (["1,5", "12"], True),
        (["1.234,5", "0,8"], True),
        (["1,234.50", "0,8"], False),
        (["1.5", "0,8"], False),
        (["1.5", "12"], False),
        (["12", "7"], False),
        (["", "n/a", "1,5"], False),
    ],
)
def test_decimal_commas_are_proposed_where_all_numbers_can_be_read_so_and_one_must(weights: list[str], commas: bool) -> None:
    table = mapping.Table(["hawb", "gross_weight", "description"], [[f"A{n}", weight, "a, b"] for n, weight in enumerate(weights)])
    proposals = mapping.propose(table.header, table.rows, manifest_csv)
    assert [each.column for each in proposals][1] == "gross_weight"
    assert mapping.has_decimal_commas(proposals, table) is commas
