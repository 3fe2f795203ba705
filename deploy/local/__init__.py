"""The hub on one machine with nothing but Python and make: real Kafka, real PostgreSQL, a supervisor of processes.

``python -m deploy.local up|down|status|logs`` runs it. For the demo and the tests: ``LocalKafka`` and ``LocalPostgres`` start one part,
``up`` the whole hub, ``read_state`` says where a running one is.
"""

from deploy.local.hub import Hub, up
from deploy.local.kafka import LocalKafka
from deploy.local.postgres import LocalPostgres
from deploy.local.progress import Progress, Silent, shown
from deploy.local.state import HubState, PartState, read_state
from deploy.local.supervisor import PROCESSES, Process, Running, Supervisor

__all__ = [
    "PROCESSES",
    "Hub",
    "HubState",
    "LocalKafka",
    "LocalPostgres",
    "PartState",
    "Process",
    "Progress",
    "Running",
    "Silent",
    "Supervisor",
    "read_state",
    "shown",
    "up",
]
