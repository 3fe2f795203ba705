"""The router finds the numbers of declarations that wait for their consignment without walking over all dossiers.

Revision ID: 0005
Revises: 0004
"""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # On the key only: an index on a column that changes would take the cheap updates (HOT) from all rows.
    op.execute("CREATE INDEX dossier_number ON router.dossier (key) WHERE key LIKE 'lrn:%' OR key LIKE 'mrn:%'")


def downgrade() -> None:
    op.execute("DROP INDEX router.dossier_number")
