"""Kafka's jars: only what was pinned is ever used."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from deploy.local import jars
from shared.errors import Misconfigured

BYTES = b"not really a jar"
JAR = jars.Jar("org.example:thing:1.0", hashlib.sha256(BYTES).hexdigest())


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    path = tmp_path / "kafka.lock"
    path.write_text(jars.render_lock([JAR]))
    return path


def test_the_committed_lock_pins_kafka_with_the_clients_of_its_own_version():
    pinned = {jar.coordinate for jar in jars.parse_lock(jars.LOCK.read_text())}
    assert {jars.KAFKA, jars.LOG_BINDING, "org.apache.kafka:kafka-clients:4.3.0"} <= pinned


def test_the_committed_lock_holds_no_addresses():
    assert "://" not in jars.LOCK.read_text()


def test_a_lock_file_reads_back_what_was_written():
    assert jars.parse_lock(jars.render_lock([JAR])) == (JAR,)


@pytest.mark.parametrize(
    "line", ["org.example:thing:1.0", "thing:1.0 sha256:" + "0" * 64, "org.example:thing:1.0 sha256:12", "org.example:thing:1.0 md5:1"]
)
def test_a_wrong_line_is_named_by_its_number(line: str):
    with pytest.raises(Misconfigured, match="line 2"):
        jars.parse_lock(f"# comment\n{line}\n")


def test_a_lock_without_jars_is_no_lock():
    with pytest.raises(Misconfigured, match="no jar"):
        jars.parse_lock("# nothing\n")


def test_a_cached_jar_is_used_without_asking_the_registry(tmp_path: Path, lock: Path):
    (tmp_path / JAR.file_name).write_bytes(BYTES)
    assert jars.fetch_jars(folder=tmp_path, lock=lock) == [tmp_path / "thing-1.0.jar"]


def test_a_changed_jar_in_the_cache_stops_the_start(tmp_path: Path, lock: Path):
    (tmp_path / JAR.file_name).write_bytes(BYTES + b"!")
    with pytest.raises(Misconfigured, match="SHA-256"):
        jars.fetch_jars(folder=tmp_path, lock=lock)


def test_a_fetched_jar_that_is_not_the_pinned_one_never_enters_the_cache(tmp_path: Path, lock: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(jars, "_maven", lambda folder: FakeMaven(folder, b"something else"))
    with pytest.raises(Misconfigured, match="SHA-256"):
        jars.fetch_jars(folder=tmp_path / "cache", lock=lock)
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_fetched_jar_enters_the_cache_whole(tmp_path: Path, lock: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(jars, "_maven", lambda folder: FakeMaven(folder, BYTES))
    (file,) = jars.fetch_jars(folder=tmp_path / "cache", lock=lock)
    assert file.read_bytes() == BYTES
    assert list((tmp_path / "cache").iterdir()) == [file]


def test_the_cache_can_be_moved(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("GUICHET_CACHE", str(tmp_path))
    assert jars.cache_folder() == tmp_path


class FakeMaven:
    """A registry that gives the same bytes for everything."""

    def __init__(self, folder: Path, content: bytes) -> None:
        self.folder = folder
        self.content = content
        self.artifact = self

    def create_dependency(self, coordinate: str) -> FakeMaven:
        return self

    def resolve(self) -> Path:
        self.folder.mkdir(parents=True)
        file = self.folder / "download.jar"
        file.write_bytes(self.content)
        return file
