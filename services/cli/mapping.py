"""``guichet map``: what the columns of a new spreadsheet probably are, kept after a person agreed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from services.cli import hub
from services.cli.output import Json, show_json, show_table
from services.cli.parsing import DialectFile, File, read_bytes, read_dialect

if TYPE_CHECKING:
    from shared.model import Dialect


def map_(
    file: File,
    save: Annotated[Path | None, typer.Option(dir_okay=False, help="Write the mapping into this dialect file.")] = None,
    participant: Annotated[str | None, typer.Option(help="Keep the mapping with this participant.")] = None,
    dialect: DialectFile = None,
    doubtful: Annotated[bool, typer.Option("--doubtful", help="Take doubtful proposals too.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before saving.")] = False,
    as_json: Json = False,
) -> None:
    """Propose which column of a spreadsheet is which of the manifest's, and say why. Nothing is kept without a yes.

    Example: guichet map manifest.xlsx --save carrier.json
    """
    from shared.formats import mapping

    known = read_dialect(dialect or (save if save is not None and save.is_file() else None))
    table = mapping.read(read_bytes(file), known)
    proposals = mapping.propose(table.header, table.rows)
    columns = mapping.columns_of(proposals, _least(doubtful))
    lacking = mapping.missing(proposals)
    if as_json:
        show_json({"proposals": [each._asdict() for each in proposals], "columns": columns, "missing": lacking})
    else:
        show_table(("column", "is", "how sure", "why"), ((each.name, each.column, each.sureness, each.why) for each in proposals))
        if lacking:
            typer.echo(f"Nothing was found for: {', '.join(lacking)}.", err=True)
    if save is None and participant is None:
        return
    if not yes and not typer.confirm(f"Keep {len(columns)} columns?", err=True):
        raise typer.Exit(1)
    _keep(known, columns, save, participant)


def _least(doubtful: bool) -> Literal["likely", "doubtful"]:
    return "doubtful" if doubtful else "likely"


def _keep(known: Dialect, columns: dict[str, str], save: Path | None, participant: str | None) -> None:
    if save is not None:
        save.write_bytes(_with(known, columns).model_dump_json(indent=2, exclude_defaults=True).encode() + b"\n")
        typer.echo(f"The mapping is in {save}.", err=True)
    if participant is not None:
        hub.run(_keep_with(participant, columns))
        typer.echo(f"The mapping is kept with {participant}.", err=True)


def _with(known: Dialect, columns: dict[str, str]) -> Dialect:
    return known.model_copy(update={"columns": {**known.columns, **columns}})


async def _keep_with(id: str, columns: dict[str, str]) -> None:
    from shared.directory_store import UnknownEntry, load, note, set_dialect

    async with hub.engine() as engine:
        participant = (await load(engine)).participants.get(id)
        if participant is None:
            raise UnknownEntry(f"{id}: no such participant")
        await set_dialect(engine, id, _with(participant.dialect, columns))
        await note(engine, hub.operator(), "participant.map", id, f"{len(columns)} columns")
