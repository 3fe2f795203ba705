"""``guichet hold`` and ``guichet release``: what an officer wants of one parcel, as a command on the log."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Literal
from uuid import uuid4

import typer

from services.cli import hub
from services.cli.output import show_json
from shared.errors import Unavailable

if TYPE_CHECKING:
    from shared.contracts import Command

Key = Annotated[str, typer.Argument(help="Consignment key, such as post:RR473124829GB.")]
Because = Annotated[str, typer.Option(help="Why; it stands in the dossier's history.")]
Code = Annotated[str | None, typer.Option(help="Code of the hold; a release without one takes off every hold that an officer may lift.")]
By = Annotated[str | None, typer.Option(help="Who; the account on this machine where not given.")]
Wait = Annotated[float, typer.Option(min=0, help="Seconds to wait for the effect; 0 only writes the command.")]


def hold(key: Key, because: Because, code: Code = None, by: By = None, wait: Wait = 0.0) -> None:
    """Put a hold on a parcel's stack. Example: guichet hold post:RR473124829GB --because "opened on arrival" --wait 10"""
    _give("hold", key, because, code, by, wait)


def release(key: Key, because: Because, code: Code = None, by: By = None, wait: Wait = 0.0) -> None:
    """Take holds off a parcel's stack. Example: guichet release post:RR473124829GB --because "examined, as declared" --wait 10"""
    _give("release", key, because, code, by, wait)


def _give(action: Literal["hold", "release"], key: str, because: str, code: str | None, by: str | None, wait: float) -> None:
    from pydantic import ValidationError

    from shared.contracts import Command

    try:
        command = Command(
            command_id=uuid4(),
            key=key,
            action=action,
            by=by or hub.operator(),
            because=because,
            issued_at=datetime.now(UTC),
            hold_code=code,
        )
    except ValidationError as exc:
        first = exc.errors()[0]
        raise typer.BadParameter(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from exc
    hub.run(_send(command, wait))


async def _send(command: Command, wait: float) -> None:
    from shared.contracts import event_headers
    from shared.directory_store import note
    from shared.kafka import Outgoing

    headers = event_headers(
        id=command.command_id, type="guichet.command", source="/guichet/cli", time=command.issued_at, subject=command.key
    )
    record = Outgoing(hub.settings().topics.commands, command.key.encode(), command.to_json(), headers)
    async with hub.publisher() as publisher, hub.engine() as engine:
        await note(engine, hub.operator(), f"command.{command.action}", command.key, str(command.command_id))
        await publisher.publish([record])
    show_json({"command_id": str(command.command_id), "key": command.key, "action": command.action} | await _effect(command, wait))


async def _effect(command: Command, wait: float) -> dict[str, object]:
    """Return the dossier's state once the router has applied *command*; nothing when nobody waits. Raises ``Unavailable``."""
    from services.router import store
    from shared.db import transaction

    if not wait:
        return {}
    loop = asyncio.get_running_loop()
    until = loop.time() + wait
    async with hub.engine() as engine:
        while loop.time() < until:
            async with transaction(engine) as connection:
                if await store.applied(connection, [command.command_id]):
                    dossier = (await store.trace(connection, command.key)).dossier
                    return {"state": dossier.state, "outcome": dossier.outcome, "sequence": dossier.sequence} if dossier else {}
            await asyncio.sleep(0.1)
    raise Unavailable(f"the command is on the log, but the router did not apply it within {wait:g} s")
