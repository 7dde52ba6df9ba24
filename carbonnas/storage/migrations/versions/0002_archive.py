"""How intensities came about and when they were fetched; forecasts by their issue."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_VALUE = ["source", "zone", "kind", "basis", "start", "end", "provenance", "g_per_kwh"]


def upgrade() -> None:
    """Add the columns and the table. Values from before have no method, and are older than whatever is fetched from now on."""
    op.add_column("intensities", sa.Column("method", sa.String(), nullable=False, server_default=""))
    op.add_column("intensities", sa.Column("fetched_at", sa.String(), nullable=True))
    op.execute("UPDATE intensities SET fetched_at = '1970-01-01T00:00:00.000000Z'")
    op.drop_index("one_value_once", "intensities")
    op.create_index("one_value_once", "intensities", [*_VALUE, "method"], unique=True)
    op.create_index("intensities_by_end", "intensities", ["source", "zone", "kind", "basis", "end"], unique=False)
    op.create_table(
        "forecasts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("zone", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("basis", sa.String(), nullable=False),
        sa.Column("issued_at", sa.String(), nullable=False),
        sa.Column("fetched_at", sa.String(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("one_issue_once", "forecasts", ["source", "zone", "kind", "basis", "issued_at"], unique=True)
