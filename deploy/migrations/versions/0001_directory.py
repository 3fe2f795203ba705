"""The directory: participants, API keys, subscriptions, what operators did, and a revision that every change raises.

Services read the whole of it as a snapshot under one revision, so a reader sees with one small query whether anything changed. Row level
security comes with the console, when people of several participants read these tables through one role; today only the operator's command
writes here.
"""

from __future__ import annotations

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

UP = (
    "CREATE SCHEMA IF NOT EXISTS directory",
    """
    CREATE TABLE directory.participant (
        id         text PRIMARY KEY CHECK (id ~ '^[a-z0-9][a-z0-9-]{1,39}$'),
        name       text NOT NULL,
        role       text NOT NULL CHECK (role IN ('post', 'carrier', 'platform', 'payment_provider', 'customs', 'agency')),
        country    text NOT NULL CHECK (country ~ '^[A-Z]{2}$'),
        formats    text[] NOT NULL DEFAULT '{}',
        dialect    json NOT NULL DEFAULT '{}',
        active     boolean NOT NULL DEFAULT true,
        created_at timestamptz NOT NULL DEFAULT now()
    )
    """,
    """
    CREATE TABLE directory.api_key (
        hash        text PRIMARY KEY CHECK (hash ~ '^[0-9a-f]{64}$'),
        participant text NOT NULL REFERENCES directory.participant,
        label       text NOT NULL DEFAULT '',
        created_at  timestamptz NOT NULL DEFAULT now(),
        expires_at  timestamptz,
        revoked_at  timestamptz
    )
    """,
    """
    CREATE TABLE directory.subscription (
        id                  uuid PRIMARY KEY,
        participant         text NOT NULL REFERENCES directory.participant,
        event_types         text[] NOT NULL,
        channel             text NOT NULL CHECK (channel IN ('kafka', 'outbound', 'webhook', 'mailbox')),
        destination_country text CHECK (destination_country ~ '^[A-Z]{2}$'),
        filter              text,
        endpoint            text,
        secrets             text[] NOT NULL DEFAULT '{}',
        format              text NOT NULL DEFAULT 'json',
        state               text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'parked', 'disabled')),
        created_at          timestamptz NOT NULL DEFAULT now(),
        CHECK ((channel = 'webhook') = (endpoint IS NOT NULL))
    )
    """,
    """
    CREATE TABLE directory.audit (
        id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        at      timestamptz NOT NULL DEFAULT now(),
        actor   text NOT NULL,
        action  text NOT NULL,
        subject text NOT NULL,
        detail  text NOT NULL DEFAULT ''
    )
    """,
    "CREATE TABLE directory.revision (single boolean PRIMARY KEY DEFAULT true CHECK (single), number bigint NOT NULL)",
    "INSERT INTO directory.revision (number) VALUES (1)",
    """
    CREATE FUNCTION directory.raise_revision() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        UPDATE directory.revision SET number = number + 1;
        RETURN NULL;
    END $$
    """,
    *(
        f"CREATE TRIGGER revision AFTER INSERT OR UPDATE OR DELETE ON directory.{table}"
        " FOR EACH STATEMENT EXECUTE FUNCTION directory.raise_revision()"
        for table in ("participant", "api_key", "subscription")
    ),
)


def upgrade() -> None:
    for statement in UP:
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP SCHEMA directory CASCADE")
