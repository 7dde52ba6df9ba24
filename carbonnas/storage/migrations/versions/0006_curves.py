"""The learning curve of each trial, which trials from before do not have."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    op.add_column("trials", sa.Column("curve", sa.JSON(none_as_null=True), nullable=True))
