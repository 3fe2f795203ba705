"""The only place that reads the environment. Read once in ``app.py`` and passed down."""

from __future__ import annotations

from pathlib import Path

from pydantic import AliasChoices, Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.contracts import Topics


class Settings(BaseSettings):
    """Everything a process of the hub can be told. Names are ``GUICHET_<FIELD>``, but for ``KAFKA_BOOTSTRAP`` and ``DATABASE_URL``."""

    model_config = SettingsConfigDict(env_prefix="GUICHET_", frozen=True, populate_by_name=True)

    kafka_bootstrap: str = Field("127.0.0.1:9092", validation_alias=AliasChoices("KAFKA_BOOTSTRAP", "kafka_bootstrap"))
    """Kafka servers, comma separated."""
    database_url: str = Field(
        "postgresql+asyncpg://guichet@127.0.0.1:5432/guichet", validation_alias=AliasChoices("DATABASE_URL", "database_url")
    )
    """PostgreSQL, as an SQLAlchemy address for asyncpg."""
    host: str = "127.0.0.1"
    """Address the process's HTTP server listens on."""
    port: int = 0
    """Port of the process's HTTP server (health, metrics, its API); 0 takes a free one."""
    var: Path = Path("var")
    """Folder for what a one-machine hub writes."""
    topic_prefix: str = "exchange."
    """Put before every topic name."""
    partitions: int = Field(3, ge=1)
    """Partitions of each topic of the hub, when it is created: so many processes of one service can share the work."""
    log_level: str = "INFO"
    """Level of the log."""

    max_records: int = Field(500, ge=1)
    """Records in one batch at most."""
    batch_timeout_ms: int = Field(10, ge=1)
    """How long a consumer waits for a batch to fill, in milliseconds."""
    publish_timeout_seconds: float = 30.0
    """How long a publish may stay unacknowledged before the batch is read again."""
    directory_refresh_seconds: float = 1.0
    """How often the directory's snapshot is looked at for changes."""
    stuck_after_seconds: float = 60.0
    """A consumer with lag that made no progress for so long is not ready."""

    lag_limit: int = 200_000
    """Records waiting on one participant's inbound topic before the door answers 429."""
    read_url: str = "http://127.0.0.1:8084"
    """Where the door finds notify's read API (mailbox feed)."""

    policy: str = "eu"
    """Policy pack that judges."""
    service_urls: dict[str, str] = Field(default_factory=lambda: {"risk": "http://127.0.0.1:8090/risk"})
    """Base address of each service asked over HTTP, as JSON."""

    webhook_allow_local: bool = False
    """Allow webhooks to this machine over plain HTTP: for one machine and the sandbox only."""
    retry_scale: float = 1.0
    """Multiplies every pause of the delivery schedule; tests and the demo make it small."""

    @property
    def topics(self) -> Topics:
        """Return the topic names under this process's prefix."""
        return Topics(self.topic_prefix)
