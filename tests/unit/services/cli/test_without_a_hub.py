"""Every command fails with a status that says so: 2 for a wrong command line, 1 with one line where no hub answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from deploy.documents import each_command
from services.cli import hub
from services.cli.main import app, main
from shared.errors import HubError

NAMES = [name for name, _ in each_command()]
ID = "0b9c4a52-6f0e-4d2c-9a53-2f5f3c7f1c11"
ONLINE = {
    "participant add": ("poste-a", "--role", "post", "--country", "FR"),
    "participant list": (),
    "participant show": ("poste-a",),
    "participant disable": ("poste-a",),
    "key add": ("poste-a",),
    "key list": (),
    "key revoke": ("3f1b9c0d2a7e",),
    "subscription add": ("poste-a", "--channel", "mailbox"),
    "subscription list": (),
    "subscription disable": (ID,),
    "subscription replay": (ID, "--since", "2026-11-20"),
    "send": ("deploy/samples/itmatt.xml", "--as", "poste-a"),
    "trace": ("post:RR473124829GB",),
    "replay": ("--all",),
    "hold": ("post:RR473124829GB", "--because", "opened"),
    "release": ("post:RR473124829GB", "--because", "as declared"),
    "dead list": (),
    "dead show": ("0",),
    "dead replay": ("--all",),
}
"""Commands that talk to a hub, with arguments that would be right."""
OFFLINE = {"up", "down", "status", "demo", "formats", "convert", "map", "parse", "decide", "policy check", "policy show"}


@pytest.fixture
def no_hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No hub runs here, and where one would be nobody listens."""
    monkeypatch.setenv("GUICHET_VAR", str(tmp_path))
    monkeypatch.setenv("KAFKA_BOOTSTRAP", "127.0.0.1:1")
    monkeypatch.setenv("DATABASE_URL", "postgresql+asyncpg://guichet@127.0.0.1:1/guichet")


def test_every_command_is_tried() -> None:
    assert set(NAMES) == ONLINE.keys() | OFFLINE


@pytest.mark.parametrize("name", NAMES)
def test_help_is_no_failure_and_an_unknown_option_is_one(name: str) -> None:
    runner = CliRunner()
    assert runner.invoke(app, [*name.split(), "--help"]).exit_code == 0
    assert runner.invoke(app, [*name.split(), "--no-such-option"]).exit_code == 2


@pytest.mark.usefixtures("no_hub")
@pytest.mark.parametrize("name", ONLINE)
def test_where_no_hub_answers_a_command_fails_with_one_line(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["guichet", *name.split(), *ONLINE[name]])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(("store.unavailable: ", "hub.unavailable: "))


@pytest.mark.usefixtures("no_hub")
def test_status_without_a_hub_is_a_failure_that_says_what_to_do() -> None:
    shown = CliRunner().invoke(app, ["status"])
    assert shown.exit_code == 1
    assert "guichet up" in shown.output


@pytest.mark.usefixtures("no_hub")
def test_where_none_is_named_the_error_says_how_to_start_one(monkeypatch: pytest.MonkeyPatch) -> None:
    async def away() -> Any:
        from shared.errors import StoreUnavailable

        raise StoreUnavailable("database away")

    monkeypatch.delenv("KAFKA_BOOTSTRAP")
    monkeypatch.delenv("DATABASE_URL")
    with pytest.raises(HubError, match="start one with: guichet up"):
        hub.run(away())
