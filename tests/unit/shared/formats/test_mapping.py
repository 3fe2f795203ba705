"""What a new spreadsheet's columns are proposed to be."""

import pytest

from shared.formats import manifest_csv, mapping, recognition
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
    proposals = mapping.propose(table.header, table.rows)
    found = {each.name: each.column for each in proposals}
    assert found["Waybill No."] == "hawb"
    assert found["Valeur déclarée"] == "item_value"
    assert found["Empfänger PLZ"] == "consignee_postcode"
    assert found["Remarks"] is None
    assert mapping.missing(proposals) == []
    dialect = Dialect(columns=mapping.columns_of(proposals))
    assert recognition.recognise(OWN, columns=dialect.columns).NAME == "manifest-csv"
    read = list(manifest_csv.parse(raw(OWN), dialect))
    assert [type(each) for each in read] == [Filing, Filing], read


def test_every_proposal_says_why_and_no_column_is_given_twice() -> None:
    table = mapping.read(OWN)
    proposals = mapping.propose(table.header, table.rows)
    given = [each.column for each in proposals if each.column]
    assert len(given) == len(set(given))
    assert all(each.why for each in proposals)


def test_values_alone_make_a_doubtful_proposal_that_is_not_kept_unasked() -> None:
    proposals = mapping.propose(["X1", "X2"], [["EUR", "888-45123072"], ["USD", "888-45123072"]])
    assert [(each.column, each.sureness) for each in proposals] == [("currency", "doubtful"), ("mawb", "doubtful")]
    assert mapping.columns_of(proposals) == {}
    assert mapping.columns_of(proposals, "doubtful") == {"X1": "currency", "X2": "mawb"}


def test_values_that_do_not_fit_speak_against_a_name() -> None:
    (proposal,) = mapping.propose(["Currency"], [["Marie"], ["Jean"]])
    assert proposal.sureness != "sure"


@pytest.mark.parametrize(
    "name", ["manifest-csv/reference.csv", "manifest-csv/tabs.tsv", "manifest-csv/utf16_semicolons.csv", "manifest-xlsx/titles_above.xlsx"]
)
def test_the_hub_s_own_layout_needs_no_mapping(name: str) -> None:
    table = mapping.read((FOLDER / name).read_bytes())
    proposals = mapping.propose(table.header, table.rows)
    assert {each.sureness for each in proposals} <= {"sure", "likely"}
    assert mapping.columns_of(proposals) == {}
