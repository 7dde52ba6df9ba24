"""Lines of the ledger and readings of the meter may become one; all else stays append-only."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what says how far a search is joined, and what is being joined just now. Searches from before are joined as they go on."""
    op.add_column("searches", sa.Column("joined_until", sa.String(), nullable=True))
    op.create_table(
        "joining",
        sa.Column("search_id", sa.String(), nullable=False),
        sa.Column("since", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("search_id"),
    )
    op.drop_index("ix_readings_search_id", "readings")
    op.create_index("readings_by_time", "readings", ["search_id", "start"], unique=False)
    for table in ("ledger", "readings"):
        op.execute(f"DROP TRIGGER {table}_no_delete")
        op.execute(
            f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} WHEN NOT EXISTS (SELECT 1 FROM joining "  # noqa: S608 - no query, and the names are ours
            "WHERE search_id = OLD.search_id AND since <= OLD.start) "
            f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        )
