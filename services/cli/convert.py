"""``guichet convert``: any message the hub reads, in any format it writes filings in, offline."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import orjson
import typer

from services.cli.parsing import DialectFile, File, FormatName, Sender, participant, read_all, shown_outcome

if TYPE_CHECKING:
    from shared.formats.base import FilingWriter
    from shared.model import Finding


def convert(
    file: File,
    to: Annotated[str, typer.Option("--to", help="The format to write; guichet formats lists them.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", dir_okay=False, help="Where to write; standard output if not given.")
    ] = None,
    format: FormatName = None,
    dialect: DialectFile = None,
    sender: Sender = None,
    recipient: Annotated[str, typer.Option(help="Who the message is for, as it stands in its header.")] = "receiver",
) -> None:
    """Read a message and write what it says in another format. What the other format cannot carry is listed on standard error, one JSON
    object per finding. Exit 0 all items written, 1 some not, 2 usage. Nothing is written where no item can be.

    Example: guichet convert manifest.csv --to neutral-lines
    """
    from shared.formats.base import Envelope
    from shared.model import Filing

    writer = _writer(to)
    who = participant(format, dialect, sender)
    now = datetime.now(UTC)
    outcomes = list(read_all([file], who, now, format))
    filings = [outcome for outcome in outcomes if isinstance(outcome, Filing)]
    left = [outcome for outcome in outcomes if not isinstance(outcome, Filing)]
    for outcome in left:
        _tell(shown_outcome(outcome))
    if not filings:
        raise typer.Exit(1)
    envelope = Envelope(filings[0].message_id[:35], who.id, recipient, filings[0].prepared_at or now)
    written = writer.write(filings, envelope, who.dialect)
    for finding in written.findings:
        _tell({"kind": "finding", **finding.model_dump(mode="json", exclude_none=True)})
    if output is None:
        sys.stdout.buffer.write(written.body)
        sys.stdout.buffer.flush()
    elif written.body:
        output.write_bytes(written.body)
    if left or any(_lost(finding) for finding in written.findings):
        raise typer.Exit(1)


def _writer(name: str) -> FilingWriter:
    from shared.formats import FORMATS
    from shared.formats.base import FilingWriter

    module = FORMATS.get(name)
    if not isinstance(module, FilingWriter):
        able = ", ".join(name for name, each in FORMATS.items() if isinstance(each, FilingWriter))
        raise typer.BadParameter(f"no format {name!r} that the hub writes filings in; there are: {able}", param_hint="--to")
    return module


def _lost(finding: Finding) -> bool:
    return finding.severity == "error"


def _tell(value: dict[str, Any]) -> None:
    typer.echo(orjson.dumps(value, default=str).decode(), err=True)
