"""``guichet key``: API keys. A key is shown once; the directory keeps only its hash."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli import hub
from services.cli.output import Json, show_json, show_table

if TYPE_CHECKING:
    from shared.directory_store import KeyEntry

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Give and take API keys. Example: guichet key add poste-a --days 365")


@app.command()
def add(
    participant: Annotated[str, typer.Argument(help="Whose key it will be.")],
    label: Annotated[str, typer.Option(help="What it is for.")] = "",
    days: Annotated[int, typer.Option(min=0, help="Days it lives; 0 for ever.")] = 0,
) -> None:
    """Make a key and print it, this once. Keys given before live on, so that a participant can change over in its own time.

    Example: guichet key add poste-a --label "from March" --days 365
    """
    typer.echo(hub.run(_add(participant, label, timedelta(days=days) if days else None)))


@app.command("list")
def list_(
    participant: Annotated[str | None, typer.Argument(help="Whose keys; all where not given.")] = None, as_json: Json = False
) -> None:
    """List keys by fingerprint. Example: guichet key list poste-a"""
    entries = hub.run(_list(participant))
    if as_json:
        return show_json([asdict(entry) for entry in entries])
    rows = ((e.fingerprint, e.participant, e.label, e.created_at, e.expires_at, e.revoked_at) for e in entries)
    return show_table(("fingerprint", "participant", "label", "created", "expires", "revoked"), rows)


@app.command()
def revoke(fingerprint: Annotated[str, typer.Argument(help="The 12 hex digits that `guichet key list` shows.")]) -> None:
    """Kill a key; the doors stop taking it within seconds. Example: guichet key revoke 3f1b9c0d2a7e"""
    hub.run(_revoke(fingerprint))
    typer.echo(f"{fingerprint} is revoked.")


async def _add(participant: str, label: str, valid_for: timedelta | None) -> str:
    from shared.directory import hash_of_key
    from shared.directory_store import add_key, note

    async with hub.engine() as engine:
        key = await add_key(engine, participant, label=label, valid_for=valid_for)
        await note(engine, hub.operator(), "key.add", participant, hash_of_key(key)[:12])
    return key


async def _list(participant: str | None) -> list[KeyEntry]:
    from shared.directory_store import list_keys

    async with hub.engine() as engine:
        return await list_keys(engine, participant)


async def _revoke(fingerprint: str) -> None:
    from shared.directory_store import note, revoke_key

    async with hub.engine() as engine:
        await revoke_key(engine, fingerprint)
        await note(engine, hub.operator(), "key.revoke", fingerprint)
