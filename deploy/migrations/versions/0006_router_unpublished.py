"""Which batches are stored and perhaps not yet published: what another process must say before it says anything newer of the same keys.

Revision ID: 0006
Revises: 0005
"""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # A row lives for one batch: there are as many as there are routers at work, so the table is read whole and vacuumed early.
    op.execute(
        """
        CREATE TABLE router.unpublished (
            batch uuid PRIMARY KEY,
            at timestamptz NOT NULL,
            key_numbers integer[] NOT NULL,
            causes uuid[] NOT NULL
        ) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 200)
        """
    )


def downgrade() -> None:
    op.execute("DROP TABLE router.unpublished")
