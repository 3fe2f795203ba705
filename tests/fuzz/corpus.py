"""The inputs that reach every corner of a parser, as the fuzzer found them: one archive a format, so that they take little room."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterable
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).with_name("corpus")


def path(format: str) -> Path:
    """Return where the corpus of *format* is kept."""
    return FOLDER / f"{format}.tar.xz"


def read(format: str) -> list[tuple[str, bytes]]:
    """Return name and bytes of each kept input; none where no corpus is kept."""
    kept = path(format)
    if not kept.exists():
        return []
    with tarfile.open(kept, "r:xz") as archive:
        return [(member.name, content.read()) for member in archive if (content := archive.extractfile(member)) is not None]


def write(format: str, inputs: Iterable[tuple[str, bytes]]) -> None:
    """Keep *inputs*; the same inputs always give the same archive."""
    path(format).parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path(format), "w:xz", preset=9) as archive:
        for name, body in sorted(inputs):
            member = tarfile.TarInfo(name)
            member.size = len(body)
            archive.addfile(member, io.BytesIO(body))
