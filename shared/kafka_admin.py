"""Topics are provisioned by us, never by a client's first write: partitions, retention and replication are decisions, not defaults."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, TopicAlreadyExistsError

from shared.contracts import Topics
from shared.errors import StoreUnavailable

_DAY_MS = 86_400_000
KEEP_RAW_MS = 30 * _DAY_MS
KEEP_DEAD_MS = 90 * _DAY_MS
MAX_RECORD_BYTES = 8 * 1024 * 1024
PARTITIONS = 3
"""Of each topic on one machine. Every partition more costs each batch a record batch more to write, to fetch and to read, and every process
more than partitions stands idle."""


@dataclass(frozen=True, slots=True)
class TopicSpec:
    """One topic to exist: partitions bound how far a service scales; ``config`` is Kafka's own."""

    name: str
    partitions: int = PARTITIONS
    config: Mapping[str, str] = field(default_factory=dict)


def core_topics(topics: Topics, partitions: int = PARTITIONS) -> tuple[TopicSpec, ...]:
    """Return the topics that every hub has."""
    keep = {"retention.ms": str(KEEP_RAW_MS), "max.message.bytes": str(MAX_RECORD_BYTES)}
    dead = {"retention.ms": str(KEEP_DEAD_MS), "max.message.bytes": str(MAX_RECORD_BYTES)}
    kept = (TopicSpec(name, partitions, keep) for name in topics.core() if name != topics.dead)
    return (*kept, TopicSpec(topics.dead, 1, dead))


def participant_topics(topics: Topics, participant: str, *, partitions: int = PARTITIONS) -> tuple[TopicSpec, ...]:
    """Return the two topics of a participant: its inbound (raw bytes, kept) and its outbound."""
    keep = {"retention.ms": str(KEEP_RAW_MS), "max.message.bytes": str(MAX_RECORD_BYTES)}
    return (TopicSpec(topics.inbound(participant), partitions, keep), TopicSpec(topics.outbound(participant), partitions, keep))


def country_topics(topics: Topics, country: str) -> tuple[TopicSpec, ...]:
    """Return the notification topics of one customs administration."""
    return (TopicSpec(topics.release(country)), TopicSpec(topics.hold(country)))


def service_topics(topics: Topics, services: Iterable[str], partitions: int = PARTITIONS) -> tuple[TopicSpec, ...]:
    """Return the request topics of the services a policy asks."""
    return tuple(TopicSpec(topics.requests(name), partitions) for name in services)


async def ensure_topics(bootstrap: str, specs: Iterable[TopicSpec] | None = None, *, replication: int | None = None) -> list[str]:
    """Create the topics of *specs* that are missing (default: the core topics and those of the default policy's services).

    Returns the names created. Replication follows the cluster: three where there are three brokers, else one. Raises
    :class:`StoreUnavailable`.
    """
    wanted = {spec.name: spec for spec in (specs if specs is not None else core_topics(Topics()))}
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        await admin.start()
        try:
            existing = set(await admin.list_topics())
            brokers = len((await admin.describe_cluster())["brokers"])
            factor = replication or (3 if brokers >= 3 else 1)
            missing = [spec for name, spec in wanted.items() if name not in existing]
            if missing:
                await admin.create_topics([_new_topic(spec, factor) for spec in missing])
            return [spec.name for spec in missing]
        finally:
            await admin.close()
    except TopicAlreadyExistsError:
        return []
    except (KafkaError, OSError) as exc:
        raise StoreUnavailable(f"Kafka away: {type(exc).__name__}") from exc


def _new_topic(spec: TopicSpec, factor: int) -> NewTopic:
    config = dict(spec.config)
    if factor >= 3:
        config["min.insync.replicas"] = "2"
    return NewTopic(name=spec.name, num_partitions=spec.partitions, replication_factor=factor, topic_configs=config)
