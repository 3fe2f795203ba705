"""``guichet dead``: the dead letters, and their way back."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.cli import hub
from services.cli.output import Json, show_json, show_table
from shared.errors import Rejected

if TYPE_CHECKING:
    from shared.kafka import Outgoing

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Look at dead letters and send them again. Example: guichet dead list")

PREFIX = "dead_"
Numbers = Annotated[list[int] | None, typer.Argument(help="Numbers that `guichet dead list` shows.")]
CodeOption = Annotated[str | None, typer.Option("--code", help="Only letters with this error code.")]


class NoSuchLetter(Rejected):
    """There is no dead letter of that number."""

    code = "dead.unknown"


@app.command("list")
def list_(
    code: CodeOption = None, limit: Annotated[int, typer.Option(min=1, help="The last so many.")] = 100, as_json: Json = False
) -> None:
    """List dead letters: where each came from, and why. Example: guichet dead list --code MSG-FORMAT"""
    letters = _matching(hub.run(_read()), code)[-limit:]
    if as_json:
        return show_json([_plain(letter) for letter in letters])
    columns = ("number", "at", "code", "service", "topic", "partition", "offset", "participant", "bytes", "error")
    return show_table(columns, ([plain[column] for column in columns] for plain in map(_plain, letters)))


@app.command()
def show(
    number: Annotated[int, typer.Argument(help="Number that `guichet dead list` shows.")],
    raw: Annotated[bool, typer.Option("--raw", help="Write the record's bytes and nothing else.")] = False,
) -> None:
    """Show one dead letter with its headers and the beginning of its bytes. Example: guichet dead show 17 --raw > message.xml"""
    letter = _chosen(hub.run(_read()), [number])[0]
    if raw:
        typer.echo(letter.value or b"", nl=False)
        return
    headers = {name: (value or b"").decode("utf-8", "backslashreplace") for name, value in letter.headers if not name.startswith(PREFIX)}
    head = (letter.value or b"")[:2000].decode("utf-8", "backslashreplace")
    show_json(_plain(letter) | {"key": (letter.key or b"").decode("utf-8", "backslashreplace"), "headers": headers, "head": head})


@app.command()
def replay(
    numbers: Numbers = None,
    code: CodeOption = None,
    everything: Annotated[bool, typer.Option("--all", help="Every dead letter.")] = False,
    rate: Annotated[float, typer.Option(min=0.1, help="Records a second at most.")] = 20.0,
) -> None:
    """Write dead letters back to the topics they came from, bytes and event ids unchanged. What was done meanwhile is recognised by its id.

    Example: guichet dead replay 17 18 --rate 5
    """
    if sum((bool(numbers), code is not None, everything)) != 1:
        raise typer.BadParameter("give numbers, or --code, or --all")
    letters = hub.run(_read())
    chosen = _chosen(letters, numbers) if numbers else _matching(letters, code)
    typer.echo(f"{hub.run(_replay(chosen, rate))} records sent again.")


def restored(letter: Any) -> Outgoing:
    """Return the record that *letter* was made of, bound for its old topic."""
    from shared.kafka import Outgoing

    headers = [(name, value or b"") for name, value in letter.headers if not name.startswith(PREFIX)]
    return Outgoing(_about(letter)["dead_topic"], letter.key, letter.value or b"", headers)


def _about(letter: Any) -> dict[str, str]:
    return {name: (value or b"").decode("utf-8", "backslashreplace") for name, value in letter.headers if name.startswith(PREFIX)}


def _plain(letter: Any) -> dict[str, Any]:
    about = {name.removeprefix(PREFIX): value for name, value in _about(letter).items()}
    names = ("code", "service", "topic", "partition", "offset", "participant", "error")
    at = datetime.fromtimestamp(letter.timestamp / 1000, UTC)
    return {"number": letter.offset, "at": at, "bytes": len(letter.value or b""), **{name: about.get(name) for name in names}}


def _matching(letters: Iterable[Any], code: str | None) -> list[Any]:
    return [letter for letter in letters if code is None or _about(letter).get("dead_code") == code]


def _chosen(letters: Iterable[Any], numbers: list[int]) -> list[Any]:
    by_number = {letter.offset: letter for letter in letters}
    for number in numbers:
        if number not in by_number:
            raise NoSuchLetter(f"there is no dead letter {number}")
    return [by_number[number] for number in numbers]


async def _read() -> list[Any]:
    """Return every record of ``dead.v1``, which has one partition, so a letter's offset is its number."""
    from aiokafka import AIOKafkaConsumer, TopicPartition
    from aiokafka.errors import KafkaError

    from shared.errors import StoreUnavailable

    settings = hub.settings()
    place = TopicPartition(settings.topics.dead, 0)
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.kafka_bootstrap, enable_auto_commit=False, max_partition_fetch_bytes=9 * 1024 * 1024
    )
    try:
        await consumer.start()
        consumer.assign([place])
        await consumer.seek_to_beginning(place)
        end = (await consumer.end_offsets([place]))[place]
        letters: list[Any] = []
        while await consumer.position(place) < end:
            letters += (await consumer.getmany(place, timeout_ms=1000)).get(place, [])
        return letters
    except (KafkaError, OSError) as exc:
        raise StoreUnavailable(f"Kafka away: {type(exc).__name__}") from exc
    finally:
        await consumer.stop()


async def _replay(letters: list[Any], rate: float) -> int:
    """Send one by one, each written down first; a pause after each keeps to the rate."""
    from shared.directory_store import note

    async with hub.engine() as engine, hub.publisher() as publisher:
        for letter in letters:
            record = restored(letter)
            await note(engine, hub.operator(), "dead.replay", f"{record.topic}/{letter.offset}", _about(letter).get("dead_code", ""))
            await publisher.publish([record])
            await asyncio.sleep(1 / rate)
    return len(letters)
