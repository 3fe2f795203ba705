"""``guichet send``: one message through the front door or the Kafka door."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from services.cli import hub
from services.cli.output import show_json
from services.cli.parsing import File, read_bytes
from shared.errors import Refused, Unavailable

if TYPE_CHECKING:
    import httpx

KEY_LIVES = timedelta(minutes=5)
PATIENCE_SECONDS = 5.0


class Via(StrEnum):
    """Which door."""

    HTTP = "http"
    KAFKA = "kafka"


def send(
    file: File,
    sender: Annotated[str, typer.Option("--as", help="The participant that sends.")],
    key: Annotated[
        str | None, typer.Option(envvar="GUICHET_KEY", help="Its API key; where not given, one that lives five minutes is made.")
    ] = None,
    via: Annotated[Via, typer.Option(help="Which door.")] = Via.HTTP,
    content_type: Annotated[str | None, typer.Option(help="Media type; guessed from the bytes where not given.")] = None,
    idempotency_key: Annotated[str | None, typer.Option(help="The same one with the same message gives the same receipt.")] = None,
) -> None:
    """Send one message as a participant; prints the receipt (http) or the topic it was written to (kafka).

    Example: guichet send itmatt.xml --as poste-a --via kafka
    """
    body = read_bytes(file)
    if via is Via.KAFKA:
        return show_json(hub.run(_to_kafka(body, sender)))
    headers = {"Content-Type": content_type or guess(body)} | ({"Idempotency-Key": idempotency_key} if idempotency_key else {})
    return show_json(hub.run(_to_http(body, sender, key, headers)))


def guess(body: bytes) -> str:
    """Return the media type that the bytes speak for."""
    from shared.formats.base import ANYTHING
    from shared.formats.recognition import look

    return _MEDIA_TYPES.get(look(body).kind, ANYTHING)


_MEDIA_TYPES: Final = {
    "xml": "application/xml",
    "json": "application/json",
    "csv": "text/csv",
    "text": "text/plain",
    "edifact": "application/edifact",
    "cargo-imp": "text/plain",
    "workbook": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


async def _to_kafka(body: bytes, sender: str) -> dict[str, Any]:
    """Write the bytes as the participant itself would: no envelope, no header."""
    import hashlib

    from shared.kafka import Outgoing

    topic = hub.settings().topics.inbound(sender)
    sha256 = hashlib.sha256(body).hexdigest()
    async with hub.publisher() as publisher:
        await publisher.publish([Outgoing(topic, sha256.encode(), body, [])])
    return {"topic": topic, "bytes": len(body), "sha256": sha256}


async def _to_http(body: bytes, sender: str, key: str | None, headers: dict[str, str]) -> Any:
    """Post the bytes. A key made a moment ago is known to the door a second later, so a 401 is waited out."""
    import httpx

    made = key is None
    headers["Authorization"] = f"Bearer {key or await _short_lived_key(sender)}"
    loop = asyncio.get_running_loop()
    until = loop.time() + PATIENCE_SECONDS
    try:
        async with httpx.AsyncClient(base_url=hub.door(), timeout=30, trust_env=False) as client:
            response = await client.post("/v1/submissions", content=body, headers=headers)
            while made and response.status_code == httpx.codes.UNAUTHORIZED and loop.time() < until:
                await asyncio.sleep(0.2)
                response = await client.post("/v1/submissions", content=body, headers=headers)
    except httpx.HTTPError as exc:
        raise Unavailable(f"the door {hub.door()} does not answer: {type(exc).__name__}") from exc
    return _receipt(response)


def _receipt(response: httpx.Response) -> Any:
    if response.is_success:
        return response.json()
    told = response.json() if "json" in response.headers.get("content-type", "") else {}
    message = f"{response.status_code} {told.get('code', '')}: {told.get('detail', response.reason_phrase)}"
    raise (Unavailable if response.status_code in (429, 503) else Refused)(message)


async def _short_lived_key(sender: str) -> str:
    from shared.directory_store import add_key, note

    async with hub.engine() as engine:
        key = await add_key(engine, sender, label="guichet send", valid_for=KEY_LIVES)
        await note(engine, hub.operator(), "key.add", sender, "guichet send")
    return key
