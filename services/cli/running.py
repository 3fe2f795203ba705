"""``guichet up``, ``down``, ``status``: the hub on this machine."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.cli import hub
from services.cli.output import Json, show_json, show_table

if TYPE_CHECKING:
    import httpx

    from deploy.local.state import PartState

Var = Annotated[Path, typer.Option(envvar="GUICHET_VAR", help="Folder for data, logs and state.")]


def up(var: Var = Path("var")) -> None:
    """Start the hub on this machine and leave it running. Example: guichet up"""
    raise typer.Exit(_local("up", var))


def down(var: Var = Path("var")) -> None:
    """Stop the hub on this machine; its data stay. Example: guichet down"""
    raise typer.Exit(_local("down", var))


def status(as_json: Json = False) -> None:
    """Show each process, its health and lag, and the hub's addresses. Exit 1 when something is not ready. Example: guichet status --json"""
    found = hub.run(_status())
    if as_json:
        show_json(found)
    else:
        _show(found)
    if not found["ready"]:
        raise typer.Exit(1)


def _local(command: str, var: Path) -> int:
    from deploy.local.__main__ import main

    return main(["--var", str(var), command])


async def _status() -> dict[str, Any]:
    """Return addresses and processes. ``database`` holds the password: it is what a client needs."""
    import httpx

    state = hub.local_state()
    if state is None:
        return {"ready": False, "kafka": None, "http": None, "database": None, "processes": {}}
    async with httpx.AsyncClient(timeout=5, trust_env=False) as client:
        answers = await asyncio.gather(*(_process(client, part) for part in state.parts.values()))
    processes = dict(zip(state.parts, answers, strict=True))
    ready = state.ready and all(process["ready"] for process in processes.values())
    return {"ready": ready, "kafka": state.kafka, "http": state.http, "database": state.database, "processes": processes}


async def _process(client: httpx.AsyncClient, part: PartState) -> dict[str, Any]:
    """Return what one process says of itself; one without an HTTP server (Kafka, PostgreSQL) is ready while it runs."""
    import httpx

    known = {"pid": part.pid, "alive": part.alive, "restarts": part.restarts, "url": part.url or None, "log": part.log or None}
    if not part.url:
        return known | {"ready": part.alive, "health": "running" if part.alive else "dead", "lag": None, "problems": {}}
    try:
        health = (await client.get(f"{part.url}/health/ready")).json()
    except (httpx.HTTPError, ValueError) as exc:
        return known | {"ready": False, "health": "no answer", "lag": None, "problems": {"http": type(exc).__name__}}
    ready = health.get("status") == "ready"
    return known | {"ready": ready, "health": health.get("status"), "lag": health.get("lag"), "problems": health.get("problems", {})}


def _show(found: dict[str, Any]) -> None:
    if not found["processes"]:
        typer.echo("No hub runs here. Start one: guichet up")
        return
    rows = (
        (name, p["health"], p["lag"], p["restarts"], p["pid"], p["url"], "; ".join(f"{k}: {v}" for k, v in p["problems"].items()))
        for name, p in found["processes"].items()
    )
    show_table(("process", "health", "lag", "restarts", "pid", "address", "problems"), rows)
    typer.echo(f"\nkafka {found['kafka']}   http {found['http']}   database {_without_password(found['database'])}")


def _without_password(url: str) -> str:
    from sqlalchemy.engine import make_url

    return make_url(url).render_as_string(hide_password=True)
