"""The tables and pictures of the documentation that the code knows best: ``python -m deploy.documents`` writes them into their pages.

A page holds each between ``<!-- <name>: from the code -->`` and ``<!-- end -->``; a test says which one is no longer what the code says.
"""

from __future__ import annotations

import ast
import inspect
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import typer
from pydantic import AliasChoices

from services.cli.main import COMMANDS, app
from services.router import assess, lifecycle, versions
from services.router.policy.loading import load_pack
from shared.formats import FORMATS, READERS
from shared.formats.base import FilingWriter, Tabular, Writer
from shared.formats.rules import RULES
from shared.model import Finding
from shared.problems import PROBLEMS
from shared.settings import Settings

ROOT: Final = Path(__file__).resolve().parent.parent
PAGES: Final = (ROOT / "README.md", ROOT / "docs" / "lifecycle.md")

_SECTION: Final = re.compile(r"(<!-- ([a-z ]+): from the code -->\n).*?(<!-- end -->)", re.DOTALL)


def formats() -> str:
    """Return the table of message formats."""
    rows = (
        (
            f"`{name}`",
            module.TITLE,
            _direction(module, name in READERS),
            _answered(module) if name in READERS else "",
            ", ".join(module.VERSIONS),
            module.SOURCE,
            module.CERTAINTY,
        )
        for name, module in FORMATS.items()
    )
    return table(("name", "what", "direction", "answered with", "versions", "source", "certainty"), rows)


def _direction(module: Any, reads: bool) -> str:
    ways = ("reads", reads), ("writes notices", isinstance(module, Writer)), ("writes filings", isinstance(module, FilingWriter))
    return ", ".join(way for way, there in ways if there)


def _answered(module: Any) -> str:
    """Return what acknowledges a message of a format as a whole: another format, itself, or the notice in JSON."""
    name = getattr(module, "ACKNOWLEDGED_BY", None)
    return f"`{name}`" if name else "JSON; a table with `manifest-csv`" if isinstance(module, Tabular) else "JSON"


def settings() -> str:
    """Return the table of settings: variable, default, meaning; the unit stands in the meaning or in the name."""
    meanings = _field_docstrings(Settings)
    rows = ((f"`{variable(name)}`", f"`{_default(name)}`", meanings[name]) for name in Settings.model_fields)
    return table(("variable", "default", "meaning"), rows)


def variable(field: str) -> str:
    """Return the environment variable that sets *field*."""
    alias = Settings.model_fields[field].validation_alias
    return str(alias.choices[0]) if isinstance(alias, AliasChoices) else f"GUICHET_{field.upper()}"


def _default(field: str) -> str:
    value = Settings.model_fields[field].get_default(call_default_factory=True)
    return str(value).replace("'", '"') if isinstance(value, dict) else str(value)


def _field_docstrings(model: type) -> Mapping[str, str]:
    (body,) = ast.parse(inspect.getsource(model)).body
    assert isinstance(body, ast.ClassDef)
    found = {}
    for node, after in zip(body.body, body.body[1:], strict=False):
        if isinstance(node, ast.AnnAssign) and isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
            found[ast.unparse(node.target)] = inspect.cleandoc(str(after.value.value))
    return found


def findings() -> str:
    """Return the table of finding codes: those of the formats and of ingest, then those of the router."""
    rows = [(f"`{code}`", rule.weight, rule.message, rule.remedy) for code, rule in RULES.items()]
    router = {finding.code + finding.severity: finding for module in (versions, assess) for finding in _findings_of(module)}
    rows += [(f"`{found.code}`", found.severity.value, found.message, found.remedy) for found in router.values()]
    return table(("code", "weight", "what is wrong", "what to do"), rows)


def _findings_of(module: Any) -> Iterator[Finding]:
    return (value for value in vars(module).values() if isinstance(value, Finding))


def problems() -> str:
    """Return the table of problem codes of the HTTP API."""
    return table(("status", "code", "title"), ((str(kind.status), f"`{code}`", kind.title) for code, kind in PROBLEMS.items()))


def rules() -> str:
    """Return the table of the rules of pack ``eu``: the codes that decisions name."""
    content = load_pack("eu").content
    rows = ((f"`{rule.code}`", rule.outcome.value if rule.outcome else f"ask {rule.ask}", rule.why) for rule in content.rules)
    return table(("code", "outcome", "why"), rows)


def commands() -> str:
    """Return the table of commands, with the first sentence of each help."""
    return table(("command", "what it does"), ((f"`guichet {name}`", _first_sentence(help)) for name, help in each_command()))


def each_command() -> Iterator[tuple[str, str]]:
    """Yield every command of the command line with its help; a group is its commands."""
    group: Any = typer.main.get_command(app)
    for name in COMMANDS:
        command = group.get_command(None, name)
        inner: Mapping[str, Any] = getattr(command, "commands", {})
        if not inner:
            yield name, command.help
        for each, inside in inner.items():
            yield f"{name} {each}", inside.help


def _first_sentence(help: str) -> str:
    return re.split(r"(?<=\.)\s", " ".join(help.split()), maxsplit=1)[0]


def states() -> str:
    """Return the lifecycle of a consignment as a picture, and its table."""
    rows = ((f"`{row.state}`", row.means) for row in lifecycle.TABLE)
    return f"```mermaid\n{lifecycle.diagram()}```\n\n" + table(("state", "holds when"), rows)


SECTIONS: Final[Mapping[str, Callable[[], str]]] = {
    "formats": formats,
    "settings": settings,
    "findings": findings,
    "problems": problems,
    "rules": rules,
    "commands": commands,
    "lifecycle": states,
}


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a markdown table. A bar inside a cell is escaped."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in line) + " |\n" for line in lines)


def current(text: str) -> str:
    """Return the page *text* with every generated section as the code has it now."""
    return _SECTION.sub(lambda match: f"{match[1]}{SECTIONS[match[2]]()}{match[3]}", text)


def sections_of(text: str) -> list[str]:
    """Return the names of the generated sections of the page *text*."""
    return [name for _, name, _ in _SECTION.findall(text)]


def main() -> int:
    """Write every section anew."""
    for page in PAGES:
        page.write_text(current(page.read_text()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
