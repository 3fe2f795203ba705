"""The command line as a whole: every command has a help with an example, errors are one line."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import typer

from services.cli.main import COMMANDS, LazyGroup, app


def _commands() -> Iterator[tuple[str, Any]]:
    group: Any = typer.main.get_command(app)
    for name in COMMANDS:
        command = group.get_command(None, name)
        yield name, command
        for inner, each in getattr(command, "commands", {}).items():
            yield f"{name} {inner}", each


@pytest.mark.parametrize(("name", "command"), list(_commands()))
def test_every_command_has_a_help_with_an_example(name: str, command: Any) -> None:
    assert "Example: guichet " in command.help
    if not hasattr(command, "commands"):
        assert f"Example: guichet {name}" in command.help


def test_the_list_of_commands_is_known_without_importing_them() -> None:
    code = "import sys, services.cli.main; sys.exit(any(m in sys.modules for m in ('sqlalchemy', 'aiokafka', 'lxml', 'pydantic')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_reading_a_message_offline_imports_no_database_and_no_kafka() -> None:
    code = (
        "import sys; from services.cli.main import app; app(['decide', '-'], standalone_mode=False);"
        " sys.exit(any(m in sys.modules for m in ('sqlalchemy', 'aiokafka')))"
    )
    done = subprocess.run([sys.executable, "-c", code], input=b"x", capture_output=True, check=False)
    assert b"rejected message" in done.stderr
    assert done.returncode == 0


def test_an_error_of_the_hub_is_one_line_and_status_1() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "services.cli.main", "policy", "check", "atlantis"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("hub.misconfigured: ")


def test_an_unknown_command_is_none() -> None:
    group = typer.main.get_command(app)
    assert isinstance(group, LazyGroup)
    assert group.get_command(None, "nonsense") is None
