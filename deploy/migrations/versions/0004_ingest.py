"""What the HTTP door remembers of its submissions: the receipt, what the reader found, and the state of each filing.

``submission`` is written by the door when a receipt is given out, everything else by the door's projection of ``decisions.v1``. It can be thrown away and
built again from the log, but for the receipts themselves. ``filing`` is keyed by filing, not by submission: the same message sent twice under two receipts
shows the same answers under both.
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
        sha256      text NOT NULL,
        bytes       integer NOT NULL,
        received_at timestamptz NOT NULL,
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
        filing_id         uuid PRIMARY KEY,
        key               text NOT NULL,
        position          text NOT NULL,
        accepted_at       timestamptz,
        accepted_sequence bigint,
        effect            text,
        missing           text,
        decided_at        timestamptz,
        decided_sequence  bigint,
        outcome           text,
        reasons           text[]
    )
    """,
)


def upgrade() -> None:
    for statement in UP:
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP SCHEMA ingest CASCADE")
