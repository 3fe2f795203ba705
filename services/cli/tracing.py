"""``guichet trace``: the whole story of one parcel, from the router's transitions and notify's feeds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import orjson
import typer

from services.cli import hub
from services.cli.output import Json, show_json, show_table
from shared.errors import Rejected
from shared.model.filing import KINDS

if TYPE_CHECKING:
    from uuid import UUID

    from services.notify.store import TraceLine
    from services.router.store import Trace
    from services.router.transition import Transition
    from shared.directory import Subscription

Line = dict[str, Any]


class UnknownKey(Rejected):
    """The hub has never heard of the key."""

    code = "trace.unknown_key"


def trace(
    key: Annotated[str, typer.Argument(help="Consignment or order key, such as post:RR473124829GB; an S10 alone will do.")],
    as_json: Json = False,
) -> None:
    """Show every message, rule, request, answer, decision, notification and delivery of one parcel, in order.

    Example: guichet trace post:RR473124829GB
    """
    found = hub.run(_trace(key if ":" in key else f"post:{key.upper()}"))
    if as_json:
        return show_json(found)
    typer.echo(f"{found['key']}: {found['state']}, {found['outcome'] or 'not decided'}, sequence {found['sequence']}")
    typer.echo("history holds" if found["intact"] else "HISTORY WAS ALTERED")
    return show_table(("at", "what", "who", "detail"), ((_clock(e["at"]), e["what"], e.get("who"), e["detail"]) for e in found["events"]))


def _clock(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}.{at.microsecond // 1000:03d}"


async def _trace(key: str) -> dict[str, Any]:
    from services.notify import store as feeds
    from services.router import store as dossiers
    from services.router.transition import broken_at
    from shared.db import transaction
    from shared.directory_store import load

    async with hub.engine() as engine:
        async with transaction(engine) as connection:
            story = await dossiers.trace(connection, key)
        notices = await feeds.trace(engine, key)
        subscriptions = {each.id: each for each in (await load(engine)).subscriptions}
    if not story.transitions and not notices:
        raise UnknownKey(f"{key}: the hub has never heard of it")
    dossier = story.dossier
    return {
        "key": key,
        "state": dossier.state if dossier else None,
        "outcome": dossier.outcome if dossier else None,
        "sequence": dossier.sequence if dossier else 0,
        "waiting_for": dossier.waiting_for() if dossier else (),
        "holds": [hold.model_dump(mode="json") for hold in dossier.hold_stack()] if dossier else [],
        "referrals": [referral.told() for referral in dossier.referrals()] if dossier else [],
        "deliverable": dossier.deliverable if dossier else False,
        "loadable": dossier.loadable if dossier else False,
        "links": [ref if other == key else other for ref, other in story.links],
        "intact": broken_at(story.transitions) is None,
        "events": sorted(lines(story, notices, subscriptions), key=lambda line: line["at"]),
    }


def lines(story: Trace, notices: list[TraceLine], subscriptions: Mapping[UUID, Subscription]) -> Iterator[Line]:
    """Yield what happened, each input followed by what it caused, then what was told to whom."""
    for row in story.transitions:
        yield from _input_lines(row)
        yield from _event_lines(row)
    for notice in notices:
        yield from _notice_lines(notice, subscriptions.get(notice.subscription))


def _input_lines(row: Transition) -> Iterator[Line]:
    """A filing, a linked order, an answer or a command; personal data in it stay where they are."""
    body = orjson.loads(row.input)
    kind = row.kind.removesuffix("-conflict")
    known = {"sequence": row.sequence, "id": row.cause_id, "policy": row.policy_digest}
    note = ", another content under a used id" if row.kind != kind else ""
    if kind in ("filing", "link"):
        about = next((each for each in KINDS if each in body), "consignment")
        what = f"{about} linked" if kind == "link" else "filed" if about in ("consignment", "order") else f"{about} told"
        detail = f"{body['format']} {body['message_id']} {body['position']}, {body.get('function', 'original')}{note}"
        received = datetime.fromisoformat(body["received_at"])
        if kind == "filing":
            yield {
                "at": received,
                "what": "received",
                "who": body["participant"],
                "detail": f"{body['format']} {body['message_id']}",
                **known,
            }
        yield {"at": row.at, "what": what, "who": body["participant"], "detail": detail, **known}
    elif kind == "answer":
        stated = (
            (body.get("raw_code"), body["decision"], "lifted" if body.get("lifted") else None) if "decision" in body else (body["outcome"],)
        )
        detail = " ".join(filter(None, (*stated, body.get("reason"), body.get("reference")))) + note
        yield {"at": row.at, "what": "answered", "who": body["service"], "detail": detail, **known}
    else:
        yield {"at": row.at, "what": body["action"], "who": body["by"], "detail": body["because"] + note, **known}


def _event_lines(row: Transition) -> Iterator[Line]:
    from services.router.transition import Told, stored_events

    for event in stored_events(row.events):
        if isinstance(event, Told):
            body = orjson.loads(event.body)
            known = {"at": event.at, "id": event.id, "sequence": row.sequence}
            yield from ({**known, **line} for line in _told_lines(event, body))


def _told_lines(event: Any, body: dict[str, Any]) -> Iterator[Line]:
    """Say one event of the router: an acceptance, a request, a decision with each rule that had a say, a rejection."""
    if event.service is not None:
        yield {"what": "asked", "who": event.service, "detail": f"category {body['category']}, answer due {body['answer_due_at']}"}
    elif "outcome" in body:
        for reason in body["reasons"]:
            yield {"what": "rule", "who": reason["code"], "detail": f"{reason['outcome']}: {reason['why']}"}
        policy = body["policy"]
        yield {"what": "decided", "who": f"{policy['pack']} {policy['version']}", "detail": body["outcome"]}
    elif "rejection" in body:
        codes = ", ".join(finding["code"] for finding in body["rejection"]["findings"])
        yield {"what": "rejected", "who": body["rejection"]["participant"], "detail": codes}
    else:
        missing = ", ".join(f"{entry['path']} ({entry['view']})" for entry in body.get("missing", ()))
        findings = ", ".join(finding["code"] for finding in body.get("findings", ()))
        detail = "; ".join(filter(None, (body["effect"], f"missing {missing}" if missing else "", findings)))
        yield {"what": "accepted", "who": body["filing"]["participant"], "detail": detail}


def _notice_lines(notice: TraceLine, subscription: Subscription | None) -> Iterator[Line]:
    """A notice in a feed, and how its delivery went where it is pushed."""
    who = f"{subscription.participant} ({subscription.channel.value})" if subscription else str(notice.subscription)
    known = {"id": notice.event_id, "who": who, "subscription": notice.subscription}
    yield {"at": notice.created_at, "what": "notified", "detail": f"{notice.type}, feed number {notice.sequence}", **known}
    if notice.state is not None:
        last = notice.last_error or (f"status {notice.last_status}" if notice.last_status else "")
        detail = f"{notice.attempts} attempts{', last: ' + last if last else ''}"
        yield {"at": notice.delivered_at or notice.created_at, "what": notice.state, "detail": detail, **known}
