"""How long each trial has had a slot, which the lines of the ledger do not say exactly."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column. Trials from before have no sum until they use a slot again; what the ledger says of them is taken."""
    op.add_column("trials", sa.Column("slot_s", sa.Float(), nullable=True))
