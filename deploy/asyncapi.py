"""The AsyncAPI 3 document of the topics, made from ``shared.contracts``: ``python -m deploy.asyncapi`` writes ``deploy/asyncapi.json``."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from pydantic.json_schema import models_json_schema

from shared.contracts import EVENTS, INPUTS, NOTICE_TYPE, REQUEST_TYPE, Notice, ServiceRequest, Topics
from shared.model import Model

PATH: Final = Path(__file__).with_name("asyncapi.json")
REF: Final = "#/components/schemas/{model}"

MESSAGES: Final[Mapping[str, type[Model]]] = {**INPUTS, **EVENTS, REQUEST_TYPE: ServiceRequest, NOTICE_TYPE: Notice}
RAW: Final = {
    "submission": {
        "title": "The sender's own bytes",
        "contentType": "application/octet-stream",
        "payload": {"type": "string", "format": "binary"},
    },
    "outbound": {
        "title": "A notice in the participant's own format; in JSON, with ce_unwritten saying why, where the format cannot say it",
        "payload": {"type": "string", "format": "binary"},
    },
    "dead": {"title": "A record put aside, bytes and headers as they came, with dead_* headers that say why", "payload": {}},
}


def document() -> dict[str, Any]:
    """Return the whole AsyncAPI document."""
    topics = Topics()
    _, schemas = models_json_schema([(model, "serialization") for model in dict.fromkeys(MESSAGES.values())], ref_template=REF)
    inputs, events = list(INPUTS), list(EVENTS)
    places: list[tuple[str, str, list[str], list[str], str]] = [
        (
            "inbound",
            topics.inbound("{participant}"),
            ["participant"],
            ["submission"],
            "Raw messages of one participant: its ACL, or the HTTP door.",
        ),
        ("large", topics.large, [], ["submission"], "Inbound messages above 256 kB, passed on by ingest to its own slow lane."),
        ("filings", topics.filings, [], [inputs[0]], "What a format made of them, keyed by consignment."),
        ("answers", topics.answers, [], [inputs[1]], "What single windows, risk services and agencies answered."),
        ("commands", topics.commands, [], [inputs[2]], "What officers and the clock want."),
        ("requests", topics.requests("{service}"), ["service"], [REQUEST_TYPE], "Questions to one service."),
        ("decisions", topics.decisions, [], events, "Every answer of the hub, for the hub's own services."),
        ("release", topics.release("{country}"), ["country"], [NOTICE_TYPE], "Releases, for the customs systems of one country."),
        ("hold", topics.hold("{country}"), ["country"], [NOTICE_TYPE], "Holds, controls, referrals and withdrawals, for the same."),
        ("outbound", topics.outbound("{participant}"), ["participant"], ["outbound"], "Notices to one participant in its own format."),
        ("dead", topics.dead, [], ["dead"], "What could not be worked on, with its reason."),
    ]
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Guichet topics",
            "version": "1.0.0",
            "description": "CloudEvents 1.0 in Kafka binary mode: attributes are headers ce_*, the value is the JSON body.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {name: _channel(address, parameters, messages, text) for name, address, parameters, messages, text in places},
        "operations": {name: _operation(name, messages) for name, _, _, messages, _ in places},
        "components": {"messages": _messages(), "schemas": _unwrapped(schemas["$defs"])},
    }


def _unwrapped(node: Any) -> Any:
    """Return *node* with descriptions as one line each: how a docstring is wrapped is no part of the contract."""
    if isinstance(node, dict):
        return {
            key: " ".join(value.split()) if key == "description" and isinstance(value, str) else _unwrapped(value)
            for key, value in node.items()
        }
    return [_unwrapped(value) for value in node] if isinstance(node, list) else node


def _channel(address: str, parameters: list[str], messages: list[str], text: str) -> dict[str, Any]:
    channel: dict[str, Any] = {
        "address": address,
        "description": text,
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
    }
    if parameters:
        channel["parameters"] = {name: {"description": f"The {name}, lower case."} for name in parameters}
    return channel


def _operation(channel: str, messages: list[str]) -> dict[str, Any]:
    """The hub's own view: it receives what comes from outside, and sends the rest."""
    return {
        "action": "receive" if channel in {"inbound", "answers", "commands"} else "send",
        "channel": {"$ref": f"#/channels/{channel}"},
        "messages": [{"$ref": f"#/channels/{channel}/messages/{name}"} for name in messages],
    }


def _messages() -> dict[str, Any]:
    headers = {
        "type": "object",
        "required": ["ce_specversion", "ce_id", "ce_type", "ce_source", "ce_time"],
        "properties": {
            "ce_specversion": {"const": "1.0"},
            "ce_id": {"type": "string", "format": "uuid"},
            "ce_type": {"type": "string"},
            "ce_source": {"type": "string"},
            "ce_time": {"type": "string", "format": "date-time"},
            "ce_subject": {"type": "string", "description": "The consignment key."},
        },
    }
    made = {
        name: {
            "name": name,
            "title": (model.__doc__ or name).split("\n")[0],
            "headers": headers,
            "payload": {"$ref": REF.format(model=model.__name__)},
        }
        for name, model in MESSAGES.items()
    }
    return {**made, **RAW}


def rendered() -> str:
    """Return the document as the text that is kept in the repository."""
    return json.dumps(document(), indent=1, sort_keys=True) + "\n"


def main() -> None:
    """Write the document, or with ``--check`` say whether the kept one is current."""
    parser = argparse.ArgumentParser(description=__doc__, epilog="example: python -m deploy.asyncapi --check")
    parser.add_argument("--check", action="store_true", help="exit 1 when the kept document is not current")
    if parser.parse_args().check:
        raise SystemExit(0 if PATH.read_text() == rendered() else "deploy/asyncapi.json is not current: run python -m deploy.asyncapi")
    PATH.write_text(rendered())


if __name__ == "__main__":
    main()
