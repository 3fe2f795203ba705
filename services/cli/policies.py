"""``guichet policy``: the packs that judge."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.cli.output import Json, show_json, show_table

if TYPE_CHECKING:
    from services.router.policy.model import Policy

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Check and show policy packs. Example: guichet policy check eu")

Pack = Annotated[str, typer.Argument(help="A pack's name, or the folder of one that is being written.")]


@app.command()
def check(pack: Pack = "eu") -> None:
    """Load a pack: every rule is checked against the dataset, compiled, and tried on its samples. Exit 1 with the rule at fault.

    Example: guichet policy check services/router/policies/eu
    """
    policy = _load(pack)
    typer.echo(f"{policy.ref.pack} {policy.ref.version}: {len(policy.content.rules)} rules, digest {policy.ref.digest}")


@app.command()
def show(pack: Pack = "eu", as_json: Json = False) -> None:
    """Show a pack's services and rules. Example: guichet policy show eu"""
    policy = _load(pack)
    if as_json:
        exclude: Any = {"rates", "sample"}
        return show_json(policy.ref.model_dump() | policy.content.model_dump(mode="json", exclude=exclude))
    typer.echo(f"{policy.ref.pack} {policy.ref.version}, digest {policy.ref.digest}\n")
    services = ((s.name, s.transport, s.answer_within_seconds, s.when_silent.value) for s in policy.content.services)
    show_table(("service", "transport", "answers within s", "when silent"), services)
    typer.echo("")
    rules = (
        (r.code, r.outcome.value if r.outcome else f"ask {r.ask}", r.when, r.why, r.valid_from, r.valid_to) for r in policy.content.rules
    )
    return show_table(("rule", "outcome", "when", "why", "from", "to"), rules)


def _load(pack: str) -> Policy:
    from pathlib import Path

    from services.router.policy.loading import compiled, load_pack, read_content

    folder = Path(pack)
    return compiled(read_content(folder), folder.name) if (folder / "pack.toml").is_file() else load_pack(pack)
