"""ICS2: what travels in what comes back as it was; replies to referrals name what they answer."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from shared.formats import ie3f42, ie3q04, ie3r02, ie3r03
from shared.formats.base import Envelope
from shared.model import DEFAULT_DIALECT, Consignment, Dialect, Document, Filing, RawMessage, ReferralReply, Screening
from tests.declarations import filed
from tests.samples import FOLDER

AT = datetime(2026, 3, 1, 8, tzinfo=UTC)
ENVELOPE = Envelope("AIR2603010000042A1", "AIR", "ICS2", AT)
MRN = "26BE00AX7K4M2P9CT4"
SAMPLES = sorted((FOLDER / "ie3f42").glob("*.xml"))
WHOLE = [path for path in SAMPLES if "refused" not in path.stem and path.stem != "minimal"]


def read(body: bytes) -> list[Filing]:
    return [item for item in ie3f42.parse(RawMessage("air", body, AT), DEFAULT_DIALECT) if isinstance(item, Filing)]


@pytest.mark.parametrize("path", WHOLE, ids=lambda path: path.stem)
def test_what_travels_in_what_comes_back(path) -> None:
    filings = read(path.read_bytes())
    written = ie3f42.write(filings, ENVELOPE, DEFAULT_DIALECT)
    assert [found for found in written.findings if found.severity == "error"] == []
    again = {filing.key: filing.movement for filing in read(written.body)}
    assert again == {filing.key: filing.movement for filing in filings}


def test_a_movement_without_declarant_is_not_filed() -> None:
    written = ie3f42.write(read((FOLDER / "ie3f42/minimal.xml").read_bytes()), ENVELOPE, DEFAULT_DIALECT)
    assert written.body == b""
    assert [(found.code, found.path) for found in written.findings] == [("WRITE-MISSING", "/extra/declarant/identificationNumber")]


def reply(**changes) -> Filing:
    given = {"referral_id": "BE26RFI0000000077", "outcome": "data_text", "house_transport_document_id": "JXE2603000017"}
    said = ReferralReply.model_validate({**given, "provided": {"MRN": MRN}, **changes})
    blank = filed(Consignment(house_transport_document_id="JXE2603000017", channel="express"))
    return blank.model_copy(update={"consignment": None, "reply": said, "filing_id": UUID(int=2)})


def test_an_information_request_is_answered_under_its_reference() -> None:
    document = Document(document_id="INV-778120", document_type="380")
    written = ie3r02.write([reply(text="KNITTED COTTON", documents=(document,))], ENVELOPE, DEFAULT_DIALECT)
    assert written.body.decode().splitlines()[1] == (
        '<IE3R02 xmlns="urn:wco:datamodel:WCO:CIS:1"><documentIssueDate>2026-03-01T08:00:00Z</documentIssueDate>'
        f"<MRN>{MRN}</MRN><referralResponseDetails><referralRequestReference>BE26RFI0000000077</referralRequestReference>"
        "<additionalInformation><text>KNITTED COTTON</text></additionalInformation>"
        "<supportingDocuments><referenceNumber>INV-778120</referenceNumber><type>N380</type></supportingDocuments>"
        "<transportDocumentHouse><documentNumber>JXE2603000017</documentNumber><type>N703</type></transportDocumentHouse>"
        "</referralResponseDetails></IE3R02>"
    )


def test_a_reply_without_mrn_is_not_sent() -> None:
    written = ie3r02.write([reply(text="KNITTED COTTON", provided=None)], ENVELOPE, DEFAULT_DIALECT)
    assert (written.body, [found.path for found in written.findings]) == (b"", ["/provided/MRN"])


def test_a_screening_needs_a_code_for_its_result() -> None:
    screened = reply(outcome="screened", screenings=(Screening(method="XRY", result="clear"), Screening(method="EDD", result="suspect")))
    assert ie3r03.write([screened], ENVELOPE, DEFAULT_DIALECT).body == b""
    written = ie3r03.write([screened], ENVELOPE, Dialect(code_maps={"hrcm-result": {"clear": "CLR", "suspect": "SUS"}}))
    assert b"<result>SUS</result><screeningMethod><method>XRY</method></screeningMethod>" in written.body
    assert not written.findings


def test_one_screening_method_is_told() -> None:
    screened = reply(outcome="screened", screenings=(Screening(method="XRY", result="clear"),))
    written = ie3r03.write([screened], ENVELOPE, Dialect(code_maps={"hrcm-result": {"clear": "CLR"}}))
    assert written.body
    assert [found.code for found in written.findings] == ["WRITE-WANTED"]


def test_a_withdrawal_names_its_mrn() -> None:
    consignment = Consignment(house_transport_document_id="JXE2603000017", channel="express", extra={"MRN": MRN})
    written = ie3q04.write([filed(consignment, function="cancel")], ENVELOPE, DEFAULT_DIALECT)
    assert f"<MRN>{MRN}</MRN></IE3Q04>".encode() in written.body
    assert ie3q04.write([filed(consignment)], ENVELOPE, DEFAULT_DIALECT).body == b""
