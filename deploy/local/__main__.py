"""``python -m deploy.local``: run the hub on this machine."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from deploy.local.child import tail
from deploy.local.hub import up
from deploy.local.jars import LOCK, fetch_jars, render_lock, resolve_lock
from deploy.local.progress import shown
from deploy.local.state import HubState, forget_state, read_state, see_off
from deploy.local.supervisor import ROOT
from shared.errors import HubError

START_SECONDS = 300.0
STOP_SECONDS = 60.0


def main(arguments: list[str] | None = None) -> int:
    """Run one command; 0 when it did what was asked, 1 when not, 2 on a wrong command line."""
    parser = argparse.ArgumentParser(prog="python -m deploy.local", description="Run the hub on this machine.")
    parser.add_argument(
        "--var",
        type=Path,
        default=Path(os.environ.get("GUICHET_VAR") or "var"),
        help="folder for data, logs and state (default: %(default)s)",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    for name, (_, text) in COMMANDS.items():
        commands.add_parser(name, help=text)
    options = parser.parse_args(arguments)
    try:
        return COMMANDS[options.command][0](options.var.resolve())
    except HubError as exc:
        print(f"{exc.code}: {exc}", file=sys.stderr)
        return 1


def run(var: Path) -> int:
    """Run the hub in the foreground until Ctrl-C or SIGTERM."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    return asyncio.run(_run(var))


async def _run(var: Path) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    with shown() as progress:
        starting = asyncio.ensure_future(up(var, progress=progress))
        stopping = asyncio.ensure_future(stop.wait())
        await asyncio.wait((starting, stopping), return_when=asyncio.FIRST_COMPLETED)
        if not starting.done():
            starting.cancel()
            await asyncio.gather(starting, return_exceptions=True)
            return 1
        hub = await starting
    print(f"The hub is up: door {hub.door}, kafka {hub.bootstrap}. Ctrl-C stops it.", file=sys.stderr, flush=True)
    await stop.wait()
    await hub.down()
    return 0


def start(var: Path) -> int:
    """Start the hub detached; return when it is ready."""
    state = read_state(var)
    if state and state.alive:
        print(f"It runs already: door {state.http}, kafka {state.kafka}")
        return 0
    log = var / "log" / "hub.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with shown() as progress:
        fetch_jars(progress)
        progress.begin("Starting the hub")
        with log.open("ab") as output:
            process = subprocess.Popen(  # noqa: S603
                [sys.executable, "-m", "deploy.local", "--var", str(var), "run"],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                cwd=ROOT,
            )
        state = _wait_until_up(var, process)
        progress.done("Starting the hub", "ready" if state else "failed")
    if state is None:
        print(f"The hub did not start; the end of {log}:\n{tail(log)}", file=sys.stderr)
        return 1
    print(f"The hub is up: door {state.http}, kafka {state.kafka}, logs in {var / 'log'}")
    return 0


def _wait_until_up(var: Path, process: subprocess.Popen[bytes]) -> HubState | None:
    until = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < until:
        state = read_state(var)
        if state and state.ready and state.supervisor.pid == process.pid:
            return state
        time.sleep(0.1)
    process.terminate()
    return None


def down(var: Path) -> int:
    """Stop the hub; what did not stop by itself is killed, but only if it is really ours."""
    state = read_state(var)
    if state is None:
        print("No hub runs here.")
        return 0
    if state.alive:
        os.kill(state.supervisor.pid, signal.SIGTERM)
    see_off([state.supervisor, *state.parts.values()], STOP_SECONDS)
    forget_state(var)
    print("The hub is down; its data stay.")
    return 0


def status(var: Path) -> int:
    """One line per process; `guichet status` also asks for health and lag."""
    state = read_state(var)
    if state is None or not state.alive:
        print("No hub runs here.")
        return 1
    for name, part in state.parts.items():
        print(f"{name:10} {'running' if part.alive else 'dead':8} pid {part.pid:<8} restarts {part.restarts:<4} {part.url}")
    return 0 if all(part.alive for part in state.parts.values()) else 1


def logs(var: Path) -> int:
    """Follow every log."""
    files = sorted(str(path) for path in (var / "log").glob("*.log"))
    if not files:
        print("There are no logs yet.")
        return 1
    return subprocess.call(["tail", "-n", "20", "-F", *files])  # noqa: S603, S607


def migrate(var: Path) -> int:
    """Topics and migrations for the running hub, else for the servers that the settings name."""
    from deploy.prepare import prepare
    from shared.settings import Settings

    state = read_state(var)
    settings = Settings()
    bootstrap, database = (state.kafka, state.database) if state and state.alive else (settings.kafka_bootstrap, settings.database_url)
    asyncio.run(prepare(bootstrap, database, settings.topics, settings.partitions))
    return 0


def fetch(var: Path) -> int:
    """Fetch Apache Kafka into the cache, so that the next start needs no network."""
    with shown() as progress:
        print(f"{len(fetch_jars(progress))} jars are there.")
    return 0


def lock(var: Path) -> int:
    """Resolve Apache Kafka anew and write deploy/kafka.lock."""
    jars = resolve_lock()
    LOCK.write_text(render_lock(jars))
    print(f"{len(jars)} jars pinned.")
    return 0


COMMANDS = {
    "up": (start, "start the hub and leave it running"),
    "run": (run, "run the hub in the foreground"),
    "down": (down, "stop the hub; data stay"),
    "status": (status, "say which processes run"),
    "logs": (logs, "follow the logs"),
    "migrate": (migrate, "create missing topics, apply migrations"),
    "fetch": (fetch, "fetch Apache Kafka into the cache"),
    "lock": (lock, "pin Apache Kafka's jars anew"),
}

if __name__ == "__main__":
    sys.exit(main())
