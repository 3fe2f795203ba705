"""The sandbox's process: pretend authorities and receivers. ``python -m services.sandbox.app``; wiring only."""

from __future__ import annotations

from services.sandbox.handlers import Hooks, RiskService, SingleWindow, Speaker, Switchboard
from shared.service import Service
from shared.settings import Settings


def build(settings: Settings) -> Service:
    """Return the process, not yet running."""
    service = Service("sandbox", settings)
    board = Switchboard()
    speaker = Speaker(service.publisher, settings.topics)
    window = SingleWindow(board, speaker)
    hooks = Hooks(board, settings.var / "sandbox")
    service.consume(window.on_requests, group="sandbox", topics=[settings.topics.requests("single-window")])
    service.background(speaker.run, name="speaker")
    service.route("/behaviour", board.show)
    service.route("/behaviour", board.change, methods=["PUT"])
    service.route("/served", board.served)
    service.route("/risk/v1/assessments", RiskService(board, speaker).assess, methods=["POST"])
    service.route("/hooks/{name}", hooks.receive, methods=["POST"])
    service.route("/hooks/{name}/received", hooks.received)
    return service


if __name__ == "__main__":
    build(Settings()).run()
