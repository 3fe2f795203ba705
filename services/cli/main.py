"""The ``guichet`` command. Each group of commands is a module, imported when it is asked for, so that ``guichet parse`` starts fast."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any, Final

import typer
from typer.core import TyperGroup

from shared.errors import HubError

COMMANDS: Final = {
    "up": "services.cli.running:up",
    "down": "services.cli.running:down",
    "status": "services.cli.running:status",
    "demo": "services.cli.demo:demo",
    "participant": "services.cli.participants:app",
    "key": "services.cli.keys:app",
    "subscription": "services.cli.subscriptions:app",
    "formats": "services.cli.parsing:formats",
    "parse": "services.cli.parsing:parse",
    "convert": "services.cli.convert:convert",
    "map": "services.cli.mapping:map_",
    "decide": "services.cli.deciding:decide",
    "policy": "services.cli.policies:app",
    "send": "services.cli.sending:send",
    "trace": "services.cli.tracing:trace",
    "replay": "services.cli.replaying:replay",
    "hold": "services.cli.officer:hold",
    "release": "services.cli.officer:release",
    "dead": "services.cli.dead:app",
}
"""Command → where it is: a group's ``app`` or one function."""


class LazyGroup(TyperGroup):
    """Knows the names of all commands and imports a module when its command is run or its help is wanted."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names in the order of the list."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return one command, or None where there is none of that name."""
        place = COMMANDS.get(cmd_name)
        if place is None:
            return None
        module, _, name = place.partition(":")
        found = getattr(import_module(module), name)
        command = typer.main.get_command(found if isinstance(found, typer.Typer) else _single(found))
        command.name = cmd_name
        return command


def _single(function: Any) -> typer.Typer:
    app = typer.Typer(add_completion=False)
    app.command()(function)
    return app


app = typer.Typer(cls=LazyGroup, add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)


@app.callback()
def guichet() -> None:
    """Guichet, the advance-data exchange hub: run it, connect participants, follow a parcel.

    Example: guichet parse itmatt.xml
    """


def main() -> None:
    """Run the command line. An error of the hub is one line on standard error and exit status 1."""
    try:
        app()
    except HubError as exc:
        typer.echo(f"{exc.code}: {exc}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
