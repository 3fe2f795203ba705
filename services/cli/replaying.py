"""``guichet replay``: fold the stored history again and see that it gives the same dossiers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.cli import hub
from services.cli.output import Json, show_json, show_line
from shared.errors import Rejected

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

PAGE = 200


def replay(
    key: Annotated[str | None, typer.Argument(help="Consignment or order key.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every dossier.")] = False,
    as_json: Json = False,
) -> None:
    """Fold stored transitions again, each with the policy that judged it, and compare events and dossiers. Exit 1 on a difference.

    Example: guichet replay --all
    """
    if (key is None) != everything:
        raise typer.BadParameter("give one key, or --all")
    count, differences = hub.run(_replay(key))
    if as_json:
        show_json({"replayed": count, "differences": differences})
    else:
        for difference in differences:
            show_line(difference)
        typer.echo(f"{count} dossiers replayed, {len(differences)} differ")
    if differences:
        raise typer.Exit(1)


async def _replay(key: str | None) -> tuple[int, list[dict[str, Any]]]:
    from services.router import store
    from shared.db import transaction

    count, differences = 0, []
    async with hub.engine() as engine:
        async for each in _keys(engine, key):
            async with transaction(engine) as connection:
                again = await store.replayed(connection, each)
            if key is not None and not again.inputs:
                raise Rejected(f"{key}: the hub has never heard of it")
            count += 1
            if again.difference:
                differences.append({"key": each, "difference": again.difference})
    return count, differences


async def _keys(engine: AsyncEngine, key: str | None) -> AsyncIterator[str]:
    from services.router import store
    from shared.db import transaction

    if key is not None:
        yield key
        return
    after = ""
    while True:
        async with transaction(engine) as connection:
            page = await store.keys_after(connection, after, PAGE)
        for each in page:
            yield each
        if len(page) < PAGE:
            return
        after = page[-1]
