"""Whatever is done to a sample, filings, answers or refusals come out, and in time; ``make fuzz-mutations`` tries many more."""

from importlib.util import find_spec
from pathlib import Path
from random import Random

import pytest

from shared.formats import READERS
from shared.formats.filings import rejection
from shared.formats.rules import refusal
from shared.model import Dialect, RawMessage, Rejection
from tests.fuzz import corpus, judging, mutations, run, spoil
from tests.samples import FOLDER

COUNT = 100


@pytest.mark.parametrize("name", sorted(READERS))
def test_a_spoiled_sample_is_read_or_refused(name: str) -> None:
    for body in mutations.inputs(name, COUNT, seed=1):
        judging.judge(name, body)


@pytest.mark.parametrize("name", sorted(READERS))
def test_what_the_fuzzer_kept_is_read_or_refused(name: str) -> None:
    for _, body in corpus.read(name):
        judging.judge(name, body)


@pytest.mark.parametrize("mutation", mutations.MUTATIONS, ids=lambda mutation: mutation.__name__)
def test_each_way_to_spoil_a_message_changes_it(mutation: mutations.Mutation) -> None:
    body = (FOLDER / "itmatt" / "reference.xml").read_bytes()
    assert any(mutation(body, Random(number)) != body for number in range(10))
    assert mutation(body, Random(3)) == mutation(body, Random(3))


def test_an_archive_with_nothing_in_it_is_spoiled_like_any_other() -> None:
    empty = b"PK\x05\x06" + bytes(18)
    assert all(mutations.spoiled(empty, Random(number)) for number in range(20))


def test_a_finding_beyond_the_last_line_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    class Elsewhere:
        @staticmethod
        def parse(message: RawMessage, dialect: Dialect) -> list[Rejection]:
            return [rejection(message, [refusal("FLD-FORM", line=2)])]

    monkeypatch.setattr(judging, "READERS", {"elsewhere": Elsewhere})
    with pytest.raises(judging.Wrong, match="line 2 of 1"):
        judging.judge("elsewhere", b"<a/>")


def test_the_same_seed_gives_the_same_inputs() -> None:
    assert list(mutations.inputs("manifest-xlsx", 20, 7)) == list(mutations.inputs("manifest-xlsx", 20, 7))
    assert list(mutations.inputs("itmatt", 20, 7)) != list(mutations.inputs("itmatt", 20, 8))


def test_a_parser_that_fails_is_told_with_the_input(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    def judge(format: str, body: bytes) -> int:
        raise IndexError("out of range")

    monkeypatch.setattr(spoil, "judge", judge)
    monkeypatch.setattr(spoil, "KEPT", tmp_path)
    monkeypatch.setattr("sys.argv", ["spoil", "--count", "3", "--formats", "itmatt"])
    assert spoil.main() == 1
    (kept,) = (tmp_path / "itmatt").iterdir()
    assert str(kept) in capsys.readouterr().out


def test_a_slow_parser_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judging, "_read", lambda format, body: ([], 0.051))
    with pytest.raises(judging.Wrong, match="51 ms; allowed are 50"):
        judging.judge("itmatt", b"<a/>")
    assert judging.judge("itmatt", b"<a/>" * 1000) == 0


def test_a_corpus_is_kept_as_it_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(corpus, "FOLDER", tmp_path)
    assert corpus.read("itmatt") == []
    corpus.write("itmatt", [("b", b"two"), ("a", b"one")])
    assert corpus.read("itmatt") == [("a", b"one"), ("b", b"two")]


def test_a_fuzzer_that_does_not_exist_here_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setattr("sys.argv", ["fuzz", "--seconds", "1"])
    assert run.main() == run.MISSING
    assert "atheris does not exist for Python" in capsys.readouterr().out


@pytest.mark.skipif(find_spec("atheris") is None, reason="atheris does not exist for this Python and system")
def test_a_parser_runs_under_the_fuzzer(tmp_path: Path) -> None:
    outcome = run.fuzz("device-event", 1, tmp_path)
    assert outcome.wrong == []
    assert outcome.tried > 0
    assert outcome.covered > 0
