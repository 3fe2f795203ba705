"""``guichet map``: what the columns of a new spreadsheet probably are, kept after a person agreed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from services.cli import hub
from services.cli.output import Json, show_json, show_table
from services.cli.parsing import DialectFile, File, read_bytes, read_dialect

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shared.formats import Tabular
    from shared.model import Dialect


def map_(
    file: File,
    save: Annotated[Path | None, typer.Option(dir_okay=False, help="Write the mapping into this dialect file.")] = None,
    participant: Annotated[str | None, typer.Option(help="Keep the mapping with this participant.")] = None,
    dialect: DialectFile = None,
    format: Annotated[
        str | None, typer.Option(help="The format the table is meant for: manifest-csv, stock (default: the likeliest).")
    ] = None,
    doubtful: Annotated[bool, typer.Option("--doubtful", help="Take doubtful proposals too.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before saving.")] = False,
    as_json: Json = False,
) -> None:
    """Propose which column of a spreadsheet is which of a manifest's or of stock movements, and say why. Nothing is kept without a yes.

    Example: guichet map manifest.xlsx --save carrier.json
    """
    from shared.formats import mapping

    known = read_dialect(dialect or (save if save is not None and save.is_file() else None))
    body = read_bytes(file)
    encoding = mapping.charset(body, known)
    found: dict[str, Any] = {"encoding": encoding} if encoding != known.encoding else {}
    table = mapping.read(body, known.model_copy(update=found))
    module = mapping.likeliest(table) if format is None else _named(format, mapping.layouts(table))
    proposals = mapping.propose(table.header, table.rows, module)
    columns = mapping.columns_of(proposals, _least(doubtful))
    lacking = mapping.missing(proposals, module)
    if not known.decimal_comma and mapping.has_decimal_commas(proposals, table):
        found["decimal_comma"] = True
    if as_json:
        told = [each._asdict() for each in proposals]
        show_json({"format": module.NAME, "proposals": told, "columns": columns, "missing": lacking, **found})
    else:
        show_table(("column", "is", "how sure", "why"), ((each.name, each.column, each.sureness, each.why) for each in proposals))
        typer.echo(f"The table is taken for {module.NAME}.", err=True)
        if "encoding" in found:
            typer.echo(f"Its character set is probably {found['encoding']}.", err=True)
        if "decimal_comma" in found:
            typer.echo("Its numbers have a decimal comma.", err=True)
        if lacking:
            typer.echo(f"Nothing was found for: {', '.join(lacking)}.", err=True)
    if save is None and participant is None:
        return
    if not yes and not typer.confirm(f"Keep {len(columns)} columns?", err=True):
        raise typer.Exit(1)
    _keep(known, columns, found, save, participant)


def _named(name: str, layouts: Sequence[Tabular]) -> Tabular:
    found = next((module for module in layouts if name == module.NAME), None)
    if found is None:
        raise typer.BadParameter(f"such a table is read as: {', '.join(module.NAME for module in layouts)}", param_hint="--format")
    return found


def _least(doubtful: bool) -> Literal["likely", "doubtful"]:
    return "doubtful" if doubtful else "likely"


def _keep(known: Dialect, columns: dict[str, str], found: dict[str, Any], save: Path | None, participant: str | None) -> None:
    if save is not None:
        save.write_bytes(_with(known, columns, found).model_dump_json(indent=2, exclude_defaults=True).encode() + b"\n")
        typer.echo(f"The mapping is in {save}.", err=True)
    if participant is not None:
        hub.run(_keep_with(participant, columns, found))
        typer.echo(f"The mapping is kept with {participant}.", err=True)


def _with(known: Dialect, columns: dict[str, str], found: dict[str, Any]) -> Dialect:
    return known.model_copy(update={"columns": {**known.columns, **columns}, **found})


async def _keep_with(id: str, columns: dict[str, str], found: dict[str, Any]) -> None:
    from shared.directory_store import UnknownEntry, load, note, set_dialect

    async with hub.engine() as engine:
        participant = (await load(engine)).participants.get(id)
        if participant is None:
            raise UnknownEntry(f"{id}: no such participant")
        await set_dialect(engine, id, _with(participant.dialect, columns, found))
        await note(engine, hub.operator(), "participant.map", id, f"{len(columns)} columns")
