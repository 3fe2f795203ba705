"""The connecting process: asks the services that are reached over HTTP, and keeps the clock of every question."""

from __future__ import annotations

from prometheus_client import Gauge

from services.router.clock import Clock
from services.router.connectors.http import HttpConnector
from services.router.policy.loading import load_pack
from shared.errors import Misconfigured
from shared.service import Service
from shared.settings import Settings


def build(settings: Settings) -> Service:
    """Wire the process. Raises :class:`Misconfigured` for a service of the pack without an address."""
    service = Service("connect", settings)
    policy = load_pack(settings.policy)
    waiting = Gauge("guichet_connect_outstanding", "Requests on their way to a service.", ["service"], registry=service.metrics.registry)
    for spec in policy.services.values():
        if spec.transport != "http":
            continue
        address = settings.service_urls.get(spec.name)
        if address is None:
            raise Misconfigured(f"GUICHET_SERVICE_URLS has no address for the service {spec.name!r}")
        connector = HttpConnector(spec, address, settings.kafka_bootstrap, settings.topics, service.publisher, service.dead)
        waiting.labels(spec.name).set_function(connector.outstanding)
        service.background(connector.run, name=f"connect-{spec.name}")
    clock = Clock(service.engine, service.publisher, settings.topics)
    service.background(clock.run, name="clock")
    return service


if __name__ == "__main__":
    build(Settings()).run()
