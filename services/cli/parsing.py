"""``guichet parse`` and ``guichet formats``: the reading of messages, offline."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.cli.output import Json, show_json, show_line, show_table

if TYPE_CHECKING:
    from shared.contracts import Answer
    from shared.directory import Participant
    from shared.model import Dialect, Filing, Rejection


def readable(files: list[Path] | Path) -> list[Path] | Path:
    """Refuse a file that is not there before anything is read: a mistake of the command line. ``-`` is standard input."""
    for path in files if isinstance(files, list) else [files]:
        if str(path) != "-" and not path.is_file():
            raise typer.BadParameter(f"there is no file {path}")
    return files


Files = Annotated[list[Path], typer.Argument(callback=readable, help="Messages; - reads standard input.")]
File = Annotated[Path, typer.Argument(callback=readable, help="The message; - reads standard input.")]
FormatName = Annotated[str | None, typer.Option("--format", help="Name of the format; recognised from the bytes where not given.")]
DialectFile = Annotated[Path | None, typer.Option("--dialect", exists=True, dir_okay=False, help="The sender's dialect, as JSON.")]

Sender = Annotated[
    str | None,
    typer.Option("--as", help="Who sent the messages: part of the keys of express parcels. Orders are read as their own platform's."),
]
SENDER = "sender"
"""The participant that offline messages are read for where none is named."""


def parse(files: Files, format: FormatName = None, dialect: DialectFile = None, sender: Sender = None) -> None:
    """Read messages offline: one JSON object per filing, answer or rejection on standard output.

    Exit 0 all well-formed, 1 some rejected, 2 usage.

    Example: guichet parse itmatt.xml manifest.csv --dialect carrier.json
    """
    rejected = False
    for outcome in read_all(files, participant(format, dialect, sender), datetime.now(UTC), format):
        shown = shown_outcome(outcome)
        rejected = rejected or shown["kind"] == "rejection"
        show_line(shown)
    if rejected:
        raise typer.Exit(1)


def formats(as_json: Json = False) -> None:
    """List the formats the hub reads and writes. Example: guichet formats --json"""
    from shared.formats import FORMATS, READERS, WRITERS
    from shared.formats.base import FilingWriter

    entries = [
        {
            "name": name,
            "title": module.TITLE,
            "reads": name in READERS,
            "writes": name in WRITERS or isinstance(module, FilingWriter),
            "versions": module.VERSIONS,
            "content_types": module.CONTENT_TYPES,
            "certainty": module.CERTAINTY,
            "source": module.SOURCE,
        }
        for name, module in FORMATS.items()
    ]
    if as_json:
        return show_json(entries)
    columns = ("name", "title", "reads", "writes", "versions", "certainty", "source")
    return show_table(columns, ([entry[column] for column in columns] for entry in entries))


def read_bytes(path: Path) -> bytes:
    """Return the bytes of a file, or of standard input for ``-``."""
    return sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()


def participant(format: str | None, dialect: Path | None, id: str | None = None) -> Participant:
    """Return the sender that offline messages are read for: one who may send anything. An unknown *format* is a usage mistake."""
    from shared.contracts import PARTICIPANT_PATTERN
    from shared.directory import Participant, Role
    from shared.formats import READERS

    if format is not None and format not in READERS:
        raise typer.BadParameter(f"no format {format!r} that the hub reads; there are: {', '.join(READERS)}", param_hint="--format")
    if id is not None and not PARTICIPANT_PATTERN.fullmatch(id):
        raise typer.BadParameter("a participant's id is lower-case letters, digits, hyphens", param_hint="--as")
    id = id or SENDER
    return Participant(id=id, name=id, role=Role.CUSTOMS, country="ZZ", formats=(format,) if format else (), dialect=read_dialect(dialect))


def read_dialect(path: Path | None) -> Dialect:
    """Read a dialect file; a mistake in it is one of the command line."""
    from pydantic import ValidationError

    from shared.model import Dialect

    try:
        return Dialect.from_json(path.read_bytes()) if path else Dialect()
    except ValidationError as exc:
        first = exc.errors()[0]
        raise typer.BadParameter(f"{'.'.join(map(str, first['loc']))}: {first['msg']}", param_hint="--dialect") from exc


def read_all(
    files: Iterable[Path], sender: Participant, received_at: datetime, format: str | None = None
) -> Iterator[Filing | Answer | Rejection]:
    """Yield what ingest would make of *files*: filings, authorities' answers, rejections."""
    from services.ingest import intake
    from shared.model import RawMessage

    for path in files:
        body = read_bytes(path)
        yield from intake.read(RawMessage(sender.id, body, received_at, format_hint=format), _own_platform(sender, body))


def _own_platform(sender: Participant, body: bytes) -> Participant:
    """Return *sender* as the platform that an order message names; online that is the owner of the key, and no other name is taken."""
    import orjson

    from shared.contracts import PARTICIPANT_PATTERN

    try:
        message = orjson.loads(body)
        named = str((message["orders"][0] if "orders" in message else message)["platform_id"])
    except (orjson.JSONDecodeError, LookupError, TypeError):
        return sender
    if sender.id != SENDER or sender.dialect.platform or not PARTICIPANT_PATTERN.fullmatch(named):
        return sender
    return sender.model_copy(update={"dialect": sender.dialect.model_copy(update={"platform": named})})


def shown_outcome(outcome: Filing | Answer | Rejection) -> dict[str, Any]:
    """Return a filing, answer or rejection as ``parse`` prints it; ``provenance`` says where each value of a filing stood."""
    from shared.formats import READERS
    from shared.formats.provenance import provenance
    from shared.model import Filing, Rejection

    plain = outcome.model_dump(mode="json", exclude_none=True)
    if not isinstance(outcome, Filing | Rejection):
        head = {name: getattr(outcome, name) for name in ("format", "key", "message_id", "position")}
        return {"kind": "answer", **head, "data": plain, "findings": plain.pop("findings", [])}
    known = {"format": outcome.format, "key": outcome.key, "message_id": outcome.message_id, "position": outcome.position}
    findings = plain.get("findings", [])
    if not isinstance(outcome, Filing):
        return {"kind": "rejection", **known, "data": None, "findings": findings}
    return {
        "kind": "filing",
        **known,
        "function": outcome.function,
        "about": outcome.kind,
        "data": plain[outcome.kind],
        "findings": findings,
        "provenance": provenance(outcome, READERS[outcome.format].PATHS),
    }
