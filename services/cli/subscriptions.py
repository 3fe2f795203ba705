"""``guichet subscription``: who hears what, over which channel."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated
from uuid import UUID, uuid4

import typer

from services.cli import hub
from services.cli.output import Json, show_json, show_table
from shared.directory import Channel, Subscription

if TYPE_CHECKING:
    from shared.directory import Directory

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Say who hears what. Example: guichet subscription list")

Id = Annotated[UUID, typer.Argument(help="The subscription's id.")]


@app.command()
def add(
    participant: Annotated[str, typer.Argument(help="Who wants to hear.")],
    channel: Annotated[Channel, typer.Option(help="How.")],
    event: Annotated[
        list[str] | None, typer.Option(help="An event type; may be repeated; all but message.acknowledged where not given.")
    ] = None,
    country: Annotated[str | None, typer.Option(help="Only consignments for this country of destination.")] = None,
    filter: Annotated[str | None, typer.Option(help="Only notices that meet this expression.")] = None,
    endpoint: Annotated[str | None, typer.Option(help="Address of a webhook.")] = None,
    format: Annotated[str, typer.Option(help="json, or a format that the hub writes.")] = "json",
) -> None:
    """Add a subscription and print it; a webhook's secret is printed with it, this once.

    Example: guichet subscription add carrier-b --channel webhook --endpoint https://carrier.example/hook --filter "outcome == 'hold'"
    """
    from pydantic import ValidationError

    if (channel is Channel.WEBHOOK) != (endpoint is not None):
        raise typer.BadParameter("a webhook needs an endpoint, and only a webhook has one", param_hint="--endpoint")
    try:
        subscription = Subscription(
            id=uuid4(),
            participant=participant,
            event_types=_events(event),
            channel=channel,
            destination_country=country.upper() if country else None,
            filter=_checked(filter),
            endpoint=endpoint,
            secrets=(_secret(),) if channel is Channel.WEBHOOK else (),
            format=_format(format),
            created_at=datetime.now(UTC),
        )
    except ValidationError as exc:
        first = exc.errors()[0]
        raise typer.BadParameter(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from exc
    hub.run(_add(subscription))
    show_json(subscription.model_dump(mode="json", exclude_none=True))


@app.command("list")
def list_(participant: Annotated[str | None, typer.Argument(help="Whose; all where not given.")] = None, as_json: Json = False) -> None:
    """List subscriptions, without their secrets. Example: guichet subscription list carrier-b"""
    mine = [each for each in hub.run(_load()).subscriptions if participant in (None, each.participant)]
    if as_json:
        return show_json([each.model_dump(mode="json", exclude_none=True, exclude={"secrets"}) for each in mine])
    rows = (
        (
            s.id,
            s.participant,
            s.channel.value,
            s.state,
            s.destination_country,
            s.filter,
            s.endpoint,
            s.format,
            [_short(e) for e in s.event_types],
        )
        for s in mine
    )
    return show_table(("id", "participant", "channel", "state", "country", "filter", "endpoint", "format", "events"), rows)


@app.command()
def disable(id: Id, enable: Annotated[bool, typer.Option("--enable", help="Wake it again.")] = False) -> None:
    """End a subscription; its feed stays readable. Example: guichet subscription disable 0b9c4a52-6f0e-4d2c-9a53-2f5f3c7f1c11"""
    hub.run(_set_state(id, enable))
    typer.echo(f"{id} is {'active' if enable else 'disabled'}.")


@app.command()
def replay(
    id: Id,
    since: Annotated[datetime, typer.Option(help="Notices filed at or after this instant (UTC).")],
    after: Annotated[int, typer.Option(min=0, help="Only those numbered above this in the feed.")] = 0,
) -> None:
    """Make the notices of a webhook due again, with the same ids and bodies; a parked subscription wakes.

    Example: guichet subscription replay 0b9c4a52-6f0e-4d2c-9a53-2f5f3c7f1c11 --since 2026-11-20
    """
    typer.echo(f"{hub.run(_replay(id, since.replace(tzinfo=UTC), after))} notices are due again.")


def _short(event: str) -> str:
    return event.removeprefix("guichet.")


def _events(names: list[str] | None) -> tuple[str, ...]:
    from shared.contracts import EVENTS, ON_REQUEST

    usual = [name for name in EVENTS if name not in ON_REQUEST]
    wanted = tuple(name if name.startswith("guichet.") else f"guichet.{name}" for name in names or usual)
    for name in wanted:
        if name not in EVENTS:
            raise typer.BadParameter(f"no event {name!r}; there are: {', '.join(map(_short, EVENTS))}", param_hint="--event")
    return wanted


def _checked(filter: str | None) -> str | None:
    """Compile the expression as notify will, so that a mistake is told here."""
    from shared.contracts import Notice
    from shared.expressions import Schema, compile_expression

    if filter is not None:
        compile_expression(filter, Schema.of(Notice))
    return filter


def _format(name: str) -> str:
    from shared.formats import WRITERS

    if name != "json" and name not in WRITERS:
        raise typer.BadParameter(
            f"no format {name!r} that the hub writes; there are: {', '.join(['json', *WRITERS])}", param_hint="--format"
        )
    return name


def _secret() -> str:
    """Return a fresh secret as Standard Webhooks writes it: ``whsec_`` and base64 of 32 random bytes."""
    import base64
    import secrets

    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


async def _add(subscription: Subscription) -> None:
    from shared.directory_store import UnknownEntry, add_subscription, load, note, topics_of
    from shared.kafka_admin import ensure_topics

    settings = hub.settings()
    async with hub.engine() as engine:
        participant = (await load(engine)).participants.get(subscription.participant)
        if participant is None:
            raise UnknownEntry(f"{subscription.participant}: no such participant")
        await ensure_topics(settings.kafka_bootstrap, topics_of(settings.topics, participant, [subscription]))
        await add_subscription(engine, subscription)
        await note(engine, hub.operator(), "subscription.add", str(subscription.id), f"{participant.id} {subscription.channel.value}")


async def _load() -> Directory:
    from shared.directory_store import load

    async with hub.engine() as engine:
        return await load(engine)


async def _set_state(id: UUID, active: bool) -> None:
    from shared.directory_store import note, set_subscription_state

    async with hub.engine() as engine:
        await set_subscription_state(engine, id, "active" if active else "disabled")
        await note(engine, hub.operator(), "subscription.enable" if active else "subscription.disable", str(id))


async def _replay(id: UUID, since: datetime, after: int) -> int:
    from services.notify.store import replay as make_due
    from shared.directory_store import note, set_subscription_state

    async with hub.engine() as engine:
        count = await make_due(engine, id, since, after=after)  # before it is active again, or later notices would overtake
        await set_subscription_state(engine, id, "active")
        await note(engine, hub.operator(), "subscription.replay", str(id), f"{count} since {since.isoformat()} after {after}")
    return count
