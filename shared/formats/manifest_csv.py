"""Express manifest as CSV or TSV: a header row in any order and any case, one row per goods line, unknown columns kept.

Commas, semicolons or tabs; character set, decimal comma and the sender's own column names come from the dialect. Written with every cell
quoted and nothing a spreadsheet would take for a formula: manifests, lists of decisions, and the table that came with a column of what
was found in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final

from shared.contracts import Notice
from shared.formats import csv, manifest, manifest_table
from shared.formats.base import UNLIKE, Certainty, Envelope, Likeness, Parsed, Received, Sketch, Written
from shared.model import Dialect, Filing, RawMessage

NAME: Final = "manifest-csv"
TITLE: Final = "Express manifest, CSV or TSV"
CONTENT_TYPES: Final[tuple[str, ...]] = ("text/csv", "text/tab-separated-values")
VERSIONS: Final[tuple[str, ...]] = ("1",)
SOURCE: Final = manifest.SOURCE
CERTAINTY: Final[Certainty] = "reconstructed"
ACKNOWLEDGED_BY: Final = NAME
PATHS: Final[Mapping[str, str]] = manifest_table.PATHS
COLUMNS: Final = manifest.COLUMNS
MANDATORY: Final[tuple[str, ...]] = manifest.MANDATORY


def recognise(sketch: Sketch) -> Likeness:
    """A table whose header names ``hawb`` and a few more columns of the layout."""
    if sketch.kind not in ("csv", "text"):
        return UNLIKE
    known = sketch.keys & COLUMNS
    if not known:
        return Likeness(0.05, "the first line names no column of the manifest, such as hawb")
    if "hawb" not in known:
        return Likeness(0.5 if len(known) > 3 else 0.1, f"a table with {len(known)} columns of the manifest, but without hawb")
    if len(known) > 3:
        return Likeness(1.0, f"a table with {len(known)} columns of the manifest")
    return Likeness(0.6, f"hawb is there, but few other columns of the manifest: {len(known) - 1}")


def parse(raw: RawMessage, dialect: Dialect) -> Parsed:
    """Read a manifest. Raises :class:`shared.errors.MalformedMessage` when it is refused as a whole."""
    return manifest_table.read(NAME, csv.parse(raw.body, dialect.encoding, dialect.columns), raw, dialect)


def write(filings: Sequence[Filing], envelope: Envelope, dialect: Dialect) -> Written:
    """Write a manifest of *filings*, one row per goods line."""
    header, rows, findings = manifest_table.filed(filings, dialect)
    return Written(csv.write(header, rows) if rows else b"", tuple(findings))


def render(notices: Sequence[Notice], dialect: Dialect) -> bytes:
    """Write a list of what was decided."""
    return csv.write(manifest_table.NOTICE_COLUMNS, manifest_table.told(notices))


def acknowledge(received: Received, dialect: Dialect) -> bytes:
    """Return the table that came with a last column of what was found (see :func:`shared.formats.manifest_table.returned`)."""
    if received.refusal:
        return csv.write(*manifest_table.refused(received.refusal))
    separator, header, rows = csv.as_it_came(received.raw.body, dialect.encoding)
    return manifest_table.returned(received.taken, header, rows, partial(csv.write, separator=separator))
