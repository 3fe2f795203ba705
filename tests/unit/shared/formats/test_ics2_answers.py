"""Answers of ICS2: whom they are about, and what they never mean."""

from datetime import UTC, datetime

import pytest

from shared.contracts import Answer, Outcome
from shared.formats import ics2_answers
from shared.model import DEFAULT_DIALECT, Dialect, RawMessage
from tests.samples import FOLDER

AT = datetime(2026, 3, 1, 6, tzinfo=UTC)
SAMPLES = FOLDER / "ics2-answers"


def answers(body: bytes, dialect: Dialect = DEFAULT_DIALECT) -> list[Answer]:
    return [item for item in ics2_answers.parse(RawMessage("eu-customs", body, AT), dialect) if isinstance(item, Answer)]


def test_a_house_is_keyed_by_the_carrier_its_declarant_stands_for() -> None:
    dialect = Dialect(code_maps={"carrier": {"BE0999888777": "jx"}})
    (answer,) = answers((SAMPLES / "reference_do_not_load.xml").read_bytes(), dialect)
    assert answer.key == "express:jx:JXE2603000018"
    assert answer.reference == "26BE00AX7K4M2Q1CT5"


def test_a_house_of_general_cargo_is_keyed_as_freight() -> None:
    dialect = Dialect(code_maps={"carrier": {"BE0999888777": "freight:fwd"}})
    (answer,) = answers((SAMPLES / "reference_do_not_load.xml").read_bytes(), dialect)
    assert answer.key == "freight:fwd:JXE2603000018"


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*.xml")), ids=lambda path: path.stem)
def test_nothing_that_is_said_before_loading_releases_goods(path) -> None:
    for answer in answers(path.read_bytes()):
        assert answer.outcome is not Outcome.RELEASE


def test_an_assessment_of_containers_is_not_one_of_the_filing() -> None:
    body = (SAMPLES / "reference_assessed.xml").read_bytes()
    start, end = body.index(b"<assessmentComplete>"), body.index(b"</assessmentComplete>")
    container = b"<transportEquipment><containerIdentificationNumber>MSKU1234565</containerIdentificationNumber></transportEquipment>"
    (answer,) = answers(body[:start] + b"<assessmentComplete>" + container + body[end:])
    assert answer.scope is not None
    assert answer.scope.level == "pieces"


def test_the_same_message_twice_is_the_same_answer() -> None:
    body = (SAMPLES / "full_information_request.xml").read_bytes()
    first, second = answers(body), answers(body)
    assert first == second
    assert len({answer.answer_id for answer in first}) == 2
