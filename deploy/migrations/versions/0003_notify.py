"""The feeds: one numbered row per subscription and event, a counter per feed, and what is still to be pushed.

A feed's numbers are taken from ``feed_head`` under a row lock inside the transaction that inserts the rows, so a reader who has seen
number *n* has seen every number below it. ``delivery`` exists only for feeds that are pushed over HTTP; both its indexes hold due rows
alone, so what is delivered costs nothing.
"""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

UP = (
    "CREATE SCHEMA IF NOT EXISTS notify",
    """
    CREATE TABLE notify.feed_head (
        subscription    uuid PRIMARY KEY,
        last_sequence   bigint NOT NULL DEFAULT 0,
        last_hash       bytea NOT NULL DEFAULT '',
        acknowledged    bigint NOT NULL DEFAULT 0,
        acknowledged_at timestamptz
    ) WITH (fillfactor = 20)
    """,
    """
    CREATE TABLE notify.feed (
        subscription uuid NOT NULL,
        sequence     bigint NOT NULL,
        event_id     uuid NOT NULL,
        key          text NOT NULL,
        type         text NOT NULL,
        body         text NOT NULL,
        hash         bytea NOT NULL,
        created_at   timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (subscription, sequence),
        UNIQUE (subscription, event_id)
    )
    """,
    "CREATE INDEX feed_of_key ON notify.feed (key)",
    "CREATE INDEX feed_by_age ON notify.feed USING brin (created_at)",
    """
    CREATE TABLE notify.delivery (
        subscription uuid NOT NULL,
        sequence     bigint NOT NULL,
        event_id     uuid NOT NULL,
        key          text NOT NULL,
        state        text NOT NULL DEFAULT 'due' CHECK (state IN ('due', 'delivered', 'parked')),
        attempts     integer NOT NULL DEFAULT 0,
        not_before   timestamptz NOT NULL DEFAULT now(),
        last_status  integer,
        last_error   text,
        delivered_at timestamptz,
        PRIMARY KEY (subscription, sequence)
    ) WITH (fillfactor = 80)
    """,
    "CREATE INDEX delivery_due ON notify.delivery (subscription, sequence) WHERE state = 'due'",
    "CREATE INDEX delivery_due_of_key ON notify.delivery (subscription, key, sequence) WHERE state = 'due'",
)


def upgrade() -> None:
    for statement in UP:
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP SCHEMA notify CASCADE")
