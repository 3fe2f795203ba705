"""``guichet decide``: what the hub would decide, offline. The router's own batch in memory, over the filings and answers in files."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.cli.output import show_line
from services.cli.parsing import DialectFile, Files, FormatName, Sender, participant, read_all

if TYPE_CHECKING:
    from uuid import UUID

    from services.router.batch import Batch, Received
    from services.router.dossier import Dossier
    from services.router.policy.model import Policy
    from shared.contracts import Answer, ConsignmentAccepted
    from shared.model import Filing


def decide(
    files: Files,
    pack: Annotated[str, typer.Option(help="Policy pack that judges.")] = "eu",
    at: Annotated[str | None, typer.Option(help="When it is judged, ISO 8601; UTC without offset; now where not given.")] = None,
    answers: Annotated[Path | None, typer.Option(exists=True, dir_okay=False, help="Answers of services, as a JSON list.")] = None,
    format: FormatName = None,
    dialect: DialectFile = None,
    sender: Sender = None,
) -> None:
    """Decide offline: one JSON decision per consignment, with the rules that fired and why. Orders among the files are linked.

    Each answer is {"service", "outcome"}, for all consignments or, with "key", for one; "reason", "issued_at" and the rest where needed.
    Exit 0, 1 when a message or item was rejected (told on standard error), 2 usage.

    Example: guichet decide itmatt.xml --pack eu --at 2026-11-21T10:00:00Z --answers answers.json
    """
    from services.router.batch import Batch
    from services.router.policy.loading import load_pack
    from shared.contracts import Topics

    policy, now = load_pack(pack), _instant(at)
    filings, said, rejected = _read(files, format, dialect, sender, now)
    batch = Batch(policy, Topics(), {}, {}, {})
    for filing in filings:
        batch.apply(_received(filing.filing_id, "filing", filing, now))
    for answer in [*said, *(answer for key in consignments(batch) for answer in _answers(answers, key, now))]:
        batch.apply(_received(_cause(answer), "answer", answer, now))
    for key, dossier in consignments(batch).items():
        show_line(shown(dossier, policy, _accepted(batch, key)))
    if rejected:
        raise typer.Exit(1)


def consignments(batch: Batch) -> dict[str, Dossier]:
    """Return the dossiers of consignments that were filed, by key."""
    return {
        key: stored.dossier for key, stored in batch.changed.items() if not key.startswith("order:") and stored.dossier.filing is not None
    }


def shown(dossier: Dossier, policy: Policy, accepted: Iterable[ConsignmentAccepted]) -> dict[str, Any]:
    """Return one decision as ``decide`` prints it. ``outcome`` is null while a service has yet to answer."""
    from services.router.decide import decide as verdict_of

    verdict = verdict_of(dossier, policy)
    assessed = dossier.assessment.model_dump(mode="json", exclude_none=True, exclude={"seen"}) if dossier.assessment else {}
    told = list(accepted)
    return {
        "key": dossier.key,
        "outcome": verdict.outcome,
        "state": dossier.state,
        "reasons": [reason.model_dump(mode="json", exclude_none=True) for reason in verdict.reasons],
        "category": assessed.get("category"),
        "missing": assessed.get("missing", []),
        "required": assessed.get("required", []),
        "waiting_for": list(dossier.waiting_for()),
        "rules": assessed.get("rules", []),
        "assessment": {name: assessed[name] for name in ("category_rule", "value", "profile", "flags") if name in assessed},
        "orders": [order.ref for order in dossier.orders],
        "effects": [event.effect for event in told],
        "findings": [finding.model_dump(mode="json", exclude_none=True) for event in told for finding in event.findings or ()],
        "policy": policy.ref.model_dump(mode="json"),
    }


def _instant(text: str | None) -> datetime:
    try:
        found = datetime.fromisoformat(text) if text else datetime.now(UTC)
    except ValueError as exc:
        raise typer.BadParameter(f"{text!r} is no ISO 8601 instant", param_hint="--at") from exc
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def _received(cause: UUID, kind: Any, body: Filing | Answer, now: datetime) -> Received:
    from services.router.batch import Received
    from services.router.fold import Input

    return Received(Input(cause, body.key, kind, body), body.to_json(), now)


def _cause(answer: Answer) -> UUID:
    from shared.contracts import derived_id

    return derived_id("answer", answer.service, answer.key, answer.answer_id)


def _accepted(batch: Batch, key: str) -> list[ConsignmentAccepted]:
    """Return what was told of the filings of *key*, in order."""
    from services.router.transition import Told, stored_events
    from shared.contracts import TYPE_OF, ConsignmentAccepted

    name = TYPE_OF[ConsignmentAccepted]
    told = (event for row in batch.transitions if row.key == key for event in stored_events(row.events) if isinstance(event, Told))
    return [ConsignmentAccepted.from_json(event.body) for event in told if event.type == name]


def _read(
    files: Iterable[Path], format: str | None, dialect: Path | None, sender: str | None, now: datetime
) -> tuple[list[Filing], list[Answer], bool]:
    """Read all files; what is rejected is told on standard error."""
    from shared.model import Filing, Rejection

    outcomes = list(read_all(files, participant(format, dialect, sender), now, format))
    rejections = [outcome for outcome in outcomes if isinstance(outcome, Rejection)]
    for rejection in rejections:
        for finding in rejection.findings:
            said = f"{finding.code} {finding.message} {finding.where}".rstrip()
            typer.echo(f"rejected {rejection.key or rejection.position or 'message'}: {said}", err=True)
    answers = [outcome for outcome in outcomes if not isinstance(outcome, Filing | Rejection)]
    return [outcome for outcome in outcomes if isinstance(outcome, Filing)], answers, bool(rejections)


def _answers(path: Path | None, key: str, now: datetime) -> list[Answer]:
    """Return the answers of *path* that are for *key*; what an entry does not say is filled in."""
    import orjson
    from pydantic import ValidationError

    from shared.contracts import Answer

    try:
        entries = orjson.loads(path.read_bytes()) if path else []
        wanted = [entry for entry in entries if entry.get("key", key) == key]
        return [Answer.model_validate({"answer_id": f"answer-{n}", "key": key, "issued_at": now} | entry) for n, entry in enumerate(wanted)]
    except (orjson.JSONDecodeError, AttributeError, TypeError, ValidationError) as exc:
        message = exc.errors()[0]["msg"] if isinstance(exc, ValidationError) else "not a JSON list of answers"
        raise typer.BadParameter(message, param_hint="--answers") from exc
