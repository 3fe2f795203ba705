"""What the HTTP door remembers of its submissions: the receipt, what the reader found, and the state of each filing.

``submission`` is written by the door when a receipt is given out, everything else by the door's projection of ``decisions.v1``.
``filing`` is keyed by filing and ``decision`` by consignment, not by submission: the same message sent under two receipts shows the same
answers under both. ``durable_at`` is empty while nobody knows whether the log has the bytes.
"""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

UP = (
    "CREATE SCHEMA IF NOT EXISTS ingest",
    """
    CREATE TABLE ingest.submission (
        id          uuid PRIMARY KEY,
        participant text NOT NULL,
        sha256      text,
        bytes       integer,
        received_at timestamptz,
        durable_at  timestamptz,
        read_at     timestamptz,
        format      text,
        message_id  text,
        items       integer,
        rejected    integer
    )
    """,
    """
    CREATE TABLE ingest.submission_item (
        submission uuid NOT NULL,
        ordinal    integer NOT NULL,
        filing_id  uuid NOT NULL,
        PRIMARY KEY (submission, ordinal)
    )
    """,
    """
    CREATE TABLE ingest.rejection (
        submission   uuid NOT NULL,
        rejection_id uuid NOT NULL,
        position     text,
        key          text,
        rejected_at  timestamptz NOT NULL,
        findings     text NOT NULL,
        PRIMARY KEY (submission, rejection_id)
    )
    """,
    """
    CREATE TABLE ingest.filing (
        filing_id   uuid PRIMARY KEY,
        participant text NOT NULL,
        key         text NOT NULL,
        position    text NOT NULL,
        kind        text NOT NULL,
        accepted_at timestamptz NOT NULL,
        sequence    bigint NOT NULL,
        effect      text NOT NULL,
        missing     text
    )
    """,
    """
    CREATE TABLE ingest.decision (
        key        text PRIMARY KEY,
        sequence   bigint NOT NULL,
        decided_at timestamptz NOT NULL,
        outcome    text NOT NULL,
        reasons    text[] NOT NULL,
        parties    text[] NOT NULL
    )
    """,
)


def upgrade() -> None:
    for statement in UP:
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP SCHEMA ingest CASCADE")
