"""The hub on one machine with nothing but Python and make: real Kafka, real PostgreSQL, a supervisor of processes.

``python -m deploy.local up|down|status|logs`` runs it; ``LocalKafka``, ``LocalPostgres`` and ``up`` are for the demo and the tests.
"""

from deploy.local.kafka import LocalKafka
from deploy.local.postgres import LocalPostgres

__all__ = ["LocalKafka", "LocalPostgres"]
