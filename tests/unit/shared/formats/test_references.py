"""An authority may name a declaration by the number its sender gave it, or by its own: the filings carry both."""

import pytest

from shared.contracts import Answer
from shared.formats import READERS
from shared.model import DEFAULT_DIALECT, Filing
from tests.samples import FOLDER, raw


def read(sample: str) -> list[object]:
    folder, _, name = sample.partition("/")
    return list(READERS[folder].parse(raw((FOLDER / folder / name).read_bytes()), DEFAULT_DIALECT))


@pytest.mark.parametrize(
    ("filed", "answered"),
    [
        ("cuscar/reference.edi", "aperak/minimal.edi"),
        ("cuscar/reference.edi", "cusres/error_response_without_code.edi"),
        ("ie3f32/reference.xml", "ics2-answers/reference.xml"),
        ("ie3f32/update.xml", "ics2-answers/reference_assessed.xml"),
        ("wco-declaration/reference.xml", "uk-notification/reference.xml"),
    ],
)
def test_the_authority_s_number_leads_to_what_was_filed(filed: str, answered: str) -> None:
    keys = {answer.key for answer in read(answered) if isinstance(answer, Answer)}
    filings = [filing for filing in read(filed) if isinstance(filing, Filing)]
    assert filings
    assert all(keys & {filing.key, *(filing.references or ())} for filing in filings)


def test_each_declaration_of_several_has_its_own_number() -> None:
    references = [filing.references for filing in read("h7-json/several.json") if isinstance(filing, Filing)]
    assert len(set(references)) == len(references) > 1


def test_a_house_is_also_named_by_the_declarations_before_it() -> None:
    body = (FOLDER / "cusdec/minimal.edi").read_bytes()
    rff = b"RFF+ABT:26BE00AX7K4M2P9CT4'\nRFF+HWB"
    (filing,) = READERS["cusdec"].parse(raw(body.replace(b"RFF+HWB", rff)), DEFAULT_DIALECT)
    assert isinstance(filing, Filing)
    assert filing.references is not None
    assert "mrn:26BE00AX7K4M2P9CT4" in filing.references
