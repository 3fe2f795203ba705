"""``guichet replay``: fold the stored history again and see that it gives the same dossiers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.cli import hub
from services.cli.output import Json, show_json, show_line
from shared.errors import Misconfigured, Rejected

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

    from services.router.policy.model import Policy
    from services.router.store import Trace

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

    policies: dict[str, Policy] = {}
    count, differences = 0, []
    async with hub.engine() as engine:
        async for each in _keys(engine, key):
            async with transaction(engine) as connection:
                story = await store.trace(connection, each)
                await _load_policies(connection, story, policies)
            if key is not None and not story.transitions:
                raise Rejected(f"{key}: the hub has never heard of it")
            count += 1
            found = difference_of(story, policies)
            if found:
                differences.append({"key": each, "difference": found})
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


async def _load_policies(connection: AsyncConnection, story: Trace, policies: dict[str, Policy]) -> None:
    from services.router import store
    from services.router.policy.loading import policy_of

    for digest in {row.policy_digest for row in story.transitions} - policies.keys():
        content = await store.policy_content(connection, digest)
        if content is None:
            raise Misconfigured(f"policy {digest} judged, but its content is not kept")
        policies[digest] = policy_of(content)


def difference_of(story: Trace, policies: dict[str, Policy]) -> str | None:
    """Return the first way in which *story* folds to something else than was stored, or None."""
    from services.router.fold import fold
    from services.router.transition import Told, broken_at, input_of, stored_events

    place = broken_at(story.transitions)
    if place is not None:
        return f"the chain of hashes breaks at sequence {place}"
    dossier = None
    for row in story.transitions:
        step = fold(dossier, input_of(row), policies[row.policy_digest], row.at)
        dossier = step.dossier
        before = [(told.type, told.id, told.body) for told in stored_events(row.events) if isinstance(told, Told)]
        if before != [(event.type, event.id, event.body.to_json()) for event in step.events]:
            return f"other events at sequence {row.sequence}"
    stored = story.dossier.to_json() if story.dossier else b""
    return None if dossier is not None and dossier.to_json() == stored else "another dossier"
