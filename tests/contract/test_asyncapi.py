"""The AsyncAPI document is current, whole, and names every topic and every event."""

from __future__ import annotations

import json
from typing import Any

from deploy.asyncapi import MESSAGES, PATH, document, rendered
from shared.contracts import EVENTS, INPUTS, Topics


def test_the_kept_document_is_the_one_the_contracts_give() -> None:
    assert PATH.read_text() == rendered(), "run: python -m deploy.asyncapi"


def test_every_reference_in_it_leads_somewhere() -> None:
    whole = json.loads(rendered())

    def refs(node: Any) -> list[str]:
        if isinstance(node, dict):
            return [v for k, v in node.items() if k == "$ref"] + [r for v in node.values() for r in refs(v)]
        return [r for v in node for r in refs(v)] if isinstance(node, list) else []

    for ref in refs(whole):
        place: Any = whole
        for step in ref.removeprefix("#/").split("/"):
            place = place[step]


def test_every_core_topic_and_every_event_type_is_in_it() -> None:
    whole = document()
    assert set(Topics().core()) <= {channel["address"] for channel in whole["channels"].values()}
    assert set(EVENTS) | set(INPUTS) <= set(whole["components"]["messages"])
    assert set(MESSAGES) <= set(whole["components"]["messages"])
