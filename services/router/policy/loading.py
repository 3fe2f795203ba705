"""Reading a pack from its folder, and proving that every rule does what its samples say.

A pack is a folder of TOML files under ``services/router/policies``: ``pack.toml`` (name, version, currency, territory, holders,
services), ``views.toml``,
any other ``*.toml`` with ``[[rule]]`` tables, ``sample.toml`` (the base consignment of the samples) and ``exchange_rates.csv``. A pack
that ``extends``
another takes what it does not say itself from it.
"""

from __future__ import annotations

import hashlib
import tomllib
from datetime import date
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any, Final

from pydantic import ValidationError

from services.router.assess import judge_consignment
from services.router.policy.model import Content, Policy, Rule, Sample
from shared.errors import HubError, Misconfigured
from shared.model import Consignment

POLICIES: Final = files("services.router").joinpath("policies")
LISTS: Final = (
    "country_profiles/country_profiles.csv",
    "goods_description/goods_description_stopwords.csv",
    "goods_description/junk_patterns.csv",
    "regulated_goods/regulated_goods.csv",
    "standard_dataset/elements.csv",
)


@cache
def load_pack(name: str) -> Policy:
    """Return the pack *name*, checked and compiled. Raises :class:`Misconfigured` naming the file and rule at fault."""
    folder = POLICIES.joinpath(name)
    if not folder.is_dir():
        raise Misconfigured(f"no policy pack {name!r}; there are: {', '.join(sorted(packs()))}")
    return compiled(read_content(folder), name)


def packs() -> list[str]:
    """Return the names of the packs that ship with the hub."""
    return [entry.name for entry in POLICIES.iterdir() if entry.joinpath("pack.toml").is_file()]


def policy_of(canonical: str | bytes) -> Policy:
    """Return the policy of a stored content, to judge again as it judged then."""
    return Policy(Content.from_json(canonical))


def compiled(content: Content, name: str) -> Policy:
    """Compile *content* and try every sample."""
    try:
        policy = Policy(content)
    except HubError:
        raise
    except ValueError as exc:
        raise Misconfigured(f"policy {name}: {exc}") from exc
    for rule in content.rules:
        _try(policy, rule, name)
    return policy


def read_content(folder: Traversable) -> Content:
    """Read the files of a pack into one content."""
    raw = _merged(folder)
    try:
        return Content.model_validate({**raw, "lists": {name: _digest(name) for name in LISTS}})
    except ValidationError as exc:
        first = exc.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise Misconfigured(f"policy {folder.name}, {_rule_at(raw, first['loc'])}{place}: {first['msg']}") from exc


def _merged(folder: Traversable) -> dict[str, Any]:
    raw = _toml(folder.joinpath("pack.toml"))
    base = raw.pop("extends", None)
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.name.endswith(".toml") and entry.name != "pack.toml":
            part = _toml(entry)
            raw.setdefault("rules", []).extend({**rule, "__file__": entry.name} for rule in part.pop("rule", []))
            raw.update(part)
        elif entry.name == "exchange_rates.csv":
            raw["rates"] = entry.read_text(encoding="utf-8")
    if base is not None:
        raw = {**_merged(POLICIES.joinpath(base)), **raw}
    known = {service["name"] for service in raw.get("services", [])}
    raw["rules"] = [_plain(rule) for rule in raw.get("rules", []) if "ask" not in rule or rule["ask"] in known or base is None]
    return raw


def _plain(rule: dict[str, Any]) -> dict[str, Any]:
    missing = [name for name in ("code", "when", "why", "source", "valid_from", "meets", "misses") if name not in rule]
    if missing:
        raise Misconfigured(f"{rule.get('__file__', 'rules')}, rule {rule.get('code', '?')}: without {', '.join(missing)} no rule loads")
    return {name: value for name, value in rule.items() if name != "__file__"}


def _toml(path: Traversable) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as exc:
        raise Misconfigured(f"policy file {path}: {exc}") from exc


def _rule_at(raw: dict[str, Any], place: tuple[int | str, ...]) -> str:
    if len(place) > 1 and place[0] == "rules" and isinstance(place[1], int):
        return f"rule {raw['rules'][place[1]].get('code', '?')}: "
    return ""


def _digest(name: str) -> str:
    return hashlib.sha256(files("shared.codes").joinpath("data", *name.split("/")).read_bytes()).hexdigest()


# --- samples ------------------------------------------------------------------------------------------------------------------------------


def _try(policy: Policy, rule: Rule, name: str) -> None:
    if rule.ask is not None and rule.ask not in policy.services:
        raise Misconfigured(f"policy {name}, rule {rule.code}: asks {rule.ask!r}, a service the pack does not name")
    day = max(rule.valid_from, date(2026, 1, 1)) if rule.valid_to is None else min(max(rule.valid_from, date(2026, 1, 1)), rule.valid_to)
    for sample, expected in ((rule.meets, True), (rule.misses, False)):
        fires = rule.code in judge_consignment(_consignment(policy, rule, sample), (), policy, day).codes
        if fires is not expected:
            does = "fires on" if fires else "does not fire on"
            raise Misconfigured(f"policy {name}, rule {rule.code}: {does} the sample that {'meets' if expected else 'misses'} it")


def _consignment(policy: Policy, rule: Rule, sample: Sample) -> Consignment:
    base = {name: value for name, value in policy.content.sample.items() if name != "goods_item"}
    item = policy.content.sample["goods_item"]
    changes = dict(sample.set)
    items = [{**item, "sequence_number": place, **change} for place, change in enumerate(changes.pop("goods_items", [{}]), start=1)]
    for name, value in changes.items():
        base[name] = {**base[name], **value} if isinstance(value, dict) and isinstance(base.get(name), dict) else value
    for path in sample.without:
        _remove(base, items, path)
    try:
        return Consignment.model_validate({**base, "goods_items": items})
    except ValidationError as exc:
        raise Misconfigured(f"policy {policy.content.pack}, rule {rule.code}: its sample is no consignment: {exc}") from exc


def _remove(base: dict[str, Any], items: list[dict[str, Any]], path: str) -> None:
    first, _, rest = path.partition(".")
    if first == "goods_item":
        for item in items:
            item.pop(rest, None)
    elif rest:
        base[first] = {name: value for name, value in base[first].items() if name != rest}
    else:
        base.pop(first, None)
