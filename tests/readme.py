"""The README as a script: its ``console`` blocks in order, run by one shell, and what they print compared with what stands there.

In a block a line that begins with ``$ `` is a command, ``> `` continues it, everything else is what it prints. ``python -m tests.readme``
writes what was really printed back into the README.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from deploy.local import PROCESSES
from deploy.local.ports import HOST

ROOT: Final = Path(__file__).resolve().parent.parent
README: Final = ROOT / "README.md"
DOOR: Final = "127.0.0.1:8080"
KAFKA: Final = "127.0.0.1:9092"
SETTLE_SECONDS: Final = 2
"""The doors know a new key or subscription within a second; a reader needs longer than that to type on, a test does not."""
CALM_SECONDS: Final = 30
"""On a busy machine a process that just became ready may be slow to say so again."""

_BLOCK: Final = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_MARK: Final = "\x1e"
_VARIABLE: Final = (
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)?"), "<time>"),
    (re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"), "<id>"),
    (re.compile(r"gk_[\w-]+"), "<key>"),
    (re.compile(r"127\.0\.0\.1:\d+"), "<address>"),
    (re.compile(r"logs in \S+"), "logs in <folder>"),
    (re.compile(r"^((?:kafka|postgres|door|ingest|router|connect|notify|sandbox) +(?:running|ready)) .*"), r"\1"),
    (re.compile(r"(feed number|\"feed_sequence\":|\"next\":|after=) ?\d+"), r"\1 <n>"),
    (re.compile(r"\s+"), " "),
)


class Step(NamedTuple):
    """One command and what the README says it prints."""

    command: str
    printed: tuple[str, ...]


def steps(text: str) -> list[Step]:
    """Return every command of the ``console`` blocks of *text*, in order."""
    return [step for block in _BLOCK.findall(text) for step in _steps(block)]


def _steps(block: str) -> Iterator[Step]:
    command: list[str] = []
    printed: list[str] = []
    for line in block.splitlines():
        if line.startswith("$ "):
            if command:
                yield Step("\n".join(command), tuple(printed))
            command, printed = [line[2:]], []
        elif line.startswith("> ") or line == ">":
            command.append(line[2:])
        else:
            printed.append(line.rstrip())
    if command:
        yield Step("\n".join(command), tuple(printed))


def same(printed: Sequence[str]) -> list[str]:
    """Return *printed* without what differs from run to run (times, ids, keys, ports) and without the order of what happens at once."""
    return sorted(line for line in map(_plain, printed) if line)


def _plain(line: str) -> str:
    for pattern, replacement in _VARIABLE:
        line = pattern.sub(replacement, line)
    return line.strip()


def run(commands: Sequence[str], var: Path) -> list[list[str]]:
    """Run *commands* in one shell at the root, the hub's data in *var*; return the lines that each printed.

    The ports of the README are those of a machine where they are free; here they become the ones that the hub really took.
    """
    shell = _Shell(var)
    try:
        outputs = []
        addresses: dict[str, str] = {}
        for command in commands:
            for old, new in addresses.items():
                command = command.replace(old, new)
            if command == "guichet status":
                shell.run(f"for _ in $(seq {CALM_SECONDS}); do guichet status > /dev/null && break; sleep 1; done")
            outputs.append(shell.run(command))
            if command == "make up":
                addresses = _addresses(outputs[-1])
            if re.search(r"guichet (key|subscription) add", command):
                shell.run(f"sleep {SETTLE_SECONDS}")
        return outputs
    finally:
        shell.run("make down")
        shell.close()


def _addresses(printed: Sequence[str]) -> dict[str, str]:
    found = re.search(r"door http://(\S+), kafka ([^\s,]+)", "\n".join(printed))
    assert found, f"the hub did not come up: {printed}"
    return {DOOR: found[1], KAFKA: found[2]}


class _Shell:
    """One bash for all commands, so that what one exports the next one sees."""

    def __init__(self, var: Path) -> None:
        self._process = subprocess.Popen(
            ["bash", "--noprofile", "--norc"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=ROOT,
            env=_environment(var),
        )

    def run(self, command: str) -> list[str]:
        """Run one command; return what it printed. Fails where it does not end with status 0."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin
        assert stdout
        stdin.write(f"{command}\nprintf '{_MARK}%s\\n' $?\n")
        stdin.flush()
        lines: list[str] = []
        for line in stdout:
            before, mark, status = line.partition(_MARK)
            lines += [before.rstrip()] if before.rstrip() or not mark else []
            if mark:
                assert status.strip() == "0", f"{command!r} ended with status {status.strip()}:\n" + "\n".join(lines)
                return lines
        raise AssertionError(f"the shell ended in {command!r}:\n" + "\n".join(lines))

    def close(self) -> None:
        """End the shell."""
        self._process.communicate(timeout=10)


def _environment(var: Path) -> Mapping[str, str]:
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("GUICHET_", "KAFKA_", "DATABASE_"))}
    return ours | {"GUICHET_VAR": str(var), "MAKEFLAGS": "--no-print-directory", "COLUMNS": "140", "PYTHONUNBUFFERED": "1"}


def rewritten(text: str, outputs: Sequence[Sequence[str]]) -> str:
    """Return *text* with the printed lines of each step replaced by *outputs*."""
    left = iter(_tidied(outputs))

    def block(match: re.Match[str]) -> str:
        lines: list[str] = []
        for step in _steps(match[1]):
            first, *more = step.command.split("\n")
            lines += [f"$ {first}", *(f"> {line}".rstrip() for line in more), *next(left)]
        return "```console\n" + "\n".join(lines) + "\n```"

    return _BLOCK.sub(block, text)


def _tidied(outputs: Sequence[Sequence[str]]) -> Iterator[list[str]]:
    """Yield *outputs* as on a machine where every wished port is free, without what only a first start prints."""
    places = {f"{process.name} ": f"http://{HOST}:{process.port}" for process in PROCESSES}
    addresses = _addresses(outputs[0])
    for lines in outputs:
        tidy = []
        for line in lines:
            line = next((re.sub(r"http://\S+", url, line) for name, url in places.items() if line.startswith(name)), line)
            for readme, here in addresses.items():
                line = line.replace(here, readme)
            tidy.append(re.sub(r"logs in \S+", "logs in var/log", re.sub(r"guichet:\*\*\*@\S+/", f"guichet:***@{HOST}:5432/", line)))
        yield [line for line in tidy if not line.startswith("Starting the hub")]


def main() -> int:
    """Run the README and write what it printed back into it."""
    var = Path(tempfile.mkdtemp(prefix="guichet-readme-"))
    var.chmod(0o711)
    try:
        outputs = run([step.command for step in steps(README.read_text())], var)
    finally:
        shutil.rmtree(var, ignore_errors=True)
    README.write_text(rewritten(README.read_text(), outputs))
    return 0


if __name__ == "__main__":
    sys.exit(main())
