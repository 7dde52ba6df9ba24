"""What the daemon keeps: submissions, overrides, its own runs; and totals of searches, so that lists need no ledger."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns and the tables. Searches from before have no totals until their next step; they are summed when asked for."""
    for name in ("energy_j", "emissions_g", "unpriced_j"):
        op.add_column("searches", sa.Column(name, sa.Float(), nullable=True))
    op.add_column("searches", sa.Column("counts", sa.JSON(), nullable=True))
    op.create_index("ledger_by_intensity", "ledger", ["intensity_id"], unique=False)
    op.create_table(
        "submissions",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("search_id", sa.String(), nullable=False),
        sa.Column("submitted_at", sa.String(), nullable=False),
        sa.Column("folder", sa.String(), nullable=False),
        sa.Column("choices", sa.JSON(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("labels", sa.JSON(), nullable=False),
        sa.Column("paused", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["search_id"], ["searches.id"]),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("search_id"),
    )
    op.create_table(
        "overrides",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("budget", sa.String(), nullable=False),
        sa.Column("at", sa.String(), nullable=False),
        sa.Column("grams", sa.Float(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("window_start", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_overrides_budget", "overrides", ["budget"], unique=False)
    for action in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER overrides_no_{action.lower()} BEFORE {action} ON overrides "
            "BEGIN SELECT RAISE(ABORT, 'overrides is append-only'); END"
        )
    op.create_table(
        "daemon_runs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.String(), nullable=False),
        sa.Column("seen_at", sa.String(), nullable=False),
        sa.Column("ended_at", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "ended_sums",
        sa.Column("search_id", sa.String(), nullable=False),
        sa.Column("quarter", sa.String(), nullable=False),
        sa.Column("priced_g", sa.Float(), nullable=False),
        sa.Column("unpriced_kwh", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["search_id"], ["searches.id"]),
        sa.PrimaryKeyConstraint("search_id", "quarter"),
    )
