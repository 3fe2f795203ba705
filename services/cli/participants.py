"""``guichet participant``: who is connected."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli import hub
from services.cli.output import Json, show_json, show_table
from shared.directory import Directory, Participant, Role

if TYPE_CHECKING:
    from shared.model import Dialect

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Connect organisations to the hub. Example: guichet participant list")

Id = Annotated[str, typer.Argument(help="The participant's id: lower-case letters, digits, hyphens.")]


@app.command()
def add(
    id: Id,
    role: Annotated[Role, typer.Option(help="What it is.")],
    country: Annotated[str, typer.Option(help="ISO 3166-1 alpha-2 code.")],
    name: Annotated[str, typer.Option(help="Its name; the id where not given.")] = "",
    format: Annotated[list[str] | None, typer.Option(help="A format it may send; may be repeated; any where not given.")] = None,
    dialect: Annotated[Path | None, typer.Option(exists=True, dir_okay=False, help="Its dialect, as JSON.")] = None,
) -> None:
    """Connect an organisation: the directory's entry and its two topics.

    Example: guichet participant add poste-a --role post --country FR
    """
    from pydantic import ValidationError

    try:
        participant = Participant(
            id=id, name=name or id, role=role, country=country.upper(), formats=_known(format or []), dialect=_dialect(dialect)
        )
    except ValidationError as exc:
        first = exc.errors()[0]
        raise typer.BadParameter(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from exc
    hub.run(_add(participant))
    typer.echo(f"{participant.id} is connected. Give it a key: guichet key add {participant.id}")


@app.command("list")
def list_(as_json: Json = False) -> None:
    """List the participants. Example: guichet participant list --json"""
    directory = hub.run(_load())
    if as_json:
        return show_json([_plain(each) for each in directory.participants.values()])
    rows = ((p.id, p.role.value, p.country, p.name, p.formats or "any", p.active) for p in directory.participants.values())
    return show_table(("id", "role", "country", "name", "formats", "active"), rows)


@app.command()
def show(id: Id) -> None:
    """Show one participant, its topics and its subscriptions, as JSON. Example: guichet participant show poste-a"""
    from shared.directory_store import UnknownEntry, topics_of

    directory = hub.run(_load())
    participant = directory.participants.get(id)
    if participant is None:
        raise UnknownEntry(f"{id}: no such participant")
    mine = [each for each in directory.subscriptions if each.participant == id]
    topics = [spec.name for spec in topics_of(hub.settings().topics, participant, mine)]
    show_json(_plain(participant) | {"topics": topics, "subscriptions": [str(each.id) for each in mine]})


@app.command()
def disable(id: Id, enable: Annotated[bool, typer.Option("--enable", help="Open the doors again.")] = False) -> None:
    """Close the hub's doors for a participant. What it filed stays. Example: guichet participant disable poste-a"""
    hub.run(_set_active(id, enable))
    typer.echo(f"{id} is {'active' if enable else 'disabled'}.")


def _plain(participant: Participant) -> dict[str, object]:
    return participant.model_dump(mode="json", exclude_defaults=True) | {"active": participant.active}


def _known(names: list[str]) -> tuple[str, ...]:
    from shared.formats import FORMATS

    for name in names:
        if name not in FORMATS:
            raise typer.BadParameter(f"no format {name!r}; there are: {', '.join(FORMATS)}", param_hint="--format")
    return tuple(names)


def _dialect(path: Path | None) -> Dialect:
    from services.cli.parsing import read_dialect

    return read_dialect(path)


async def _add(participant: Participant) -> None:
    from shared.directory_store import add_participant, note, topics_of
    from shared.kafka_admin import ensure_topics

    settings = hub.settings()
    async with hub.engine() as engine:
        await ensure_topics(settings.kafka_bootstrap, topics_of(settings.topics, participant))
        await add_participant(engine, participant)
        await note(engine, hub.operator(), "participant.add", participant.id, f"{participant.role.value} {participant.country}")


async def _load() -> Directory:
    from shared.directory_store import load

    async with hub.engine() as engine:
        return await load(engine)


async def _set_active(id: str, active: bool) -> None:
    from shared.directory_store import note, set_active

    async with hub.engine() as engine:
        await set_active(engine, id, active)
        await note(engine, hub.operator(), "participant.enable" if active else "participant.disable", id)
