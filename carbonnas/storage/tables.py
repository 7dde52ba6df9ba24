"""Tables of the store; the migrations create them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    TypeDecorator,
)

METADATA = MetaData()


class Instant(TypeDecorator[datetime]):
    """An aware UTC datetime, kept as ISO 8601 text with microseconds so that text order is time order."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:  # noqa: ARG002 - SQLAlchemy's interface
        """Write the instant."""
        # Not by `strftime`, which writes years before 1000 with fewer digits.
        return (
            None
            if value is None
            else f"{value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='microseconds')}Z"
        )

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - as above
        """Read the instant."""
        return None if value is None else datetime.fromisoformat(value)


SEARCHES = Table(
    "searches",
    METADATA,
    Column("created", Integer, primary_key=True),
    Column("id", String, nullable=False, unique=True),
    Column("name", String, nullable=False),
    Column("fingerprint", String, nullable=False, index=True),
    Column("config", String, nullable=False),
    Column("seed", BigInteger, nullable=False),
    Column("slots", Integer, nullable=False),
    Column("objectives", JSON, nullable=False),
    Column("budgets", JSON, nullable=False),
    Column("bound_g_per_kwh", Float, nullable=False),
    Column("state", String, nullable=False),
    Column("stop_reason", String),
    Column("started_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("deadline", Instant),
    Column("clock", String),
    Column("clock_at", Instant, nullable=False),
    Column("measurement", JSON, nullable=False),
    Column("position", JSON, nullable=False),
    Column("strategy_state", LargeBinary, nullable=False),
    Column("executor_state", String),
    Column("energy_j", Float),
    Column("emissions_g", Float),
    Column("unpriced_j", Float),
    Column("counts", JSON(none_as_null=True)),
    Column("joined_until", Instant),
)

TRIALS = Table(
    "trials",
    METADATA,
    Column("search_id", ForeignKey("searches.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("round", Integer, nullable=False),
    Column("kind", String, nullable=False),
    Column("fidelity", String, nullable=False),
    Column("epochs", Integer, nullable=False),
    Column("architecture", JSON, nullable=False),
    Column("key", String, nullable=False),
    Column("seed", BigInteger, nullable=False),
    Column("state", String, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("queued_at", Instant, nullable=False),
    Column("started_at", Instant),
    Column("ended_at", Instant),
    Column("metrics", JSON, nullable=False),
    Column("failure", String),
    Column("slot_s", Float),
    Column("curve", JSON(none_as_null=True)),
)

DECISIONS = Table(
    "decisions",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("search_id", ForeignKey("searches.id"), nullable=False, index=True),
    Column("time", Instant, nullable=False),
    Column("intensity_g_per_kwh", Float),
    Column("train_slots", Integer, nullable=False),
    Column("score_slots", Integer, nullable=False),
    Column("reason_code", String, nullable=False),
    Column("reason", String, nullable=False),
    Column("review_at", Instant, nullable=False),
)

INTENSITIES = Table(
    "intensities",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("source", String, nullable=False),
    Column("zone", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("basis", String, nullable=False),
    Column("provenance", String, nullable=False),
    Column("start", Instant, nullable=False),
    Column("end", Instant, nullable=False),
    Column("g_per_kwh", Float, nullable=False),
    Column("method", String, nullable=False, server_default=""),
    Column("fetched_at", Instant),
)
_VALUE = ("source", "zone", "kind", "basis", "start", "end", "provenance", "g_per_kwh", "method")
Index("one_value_once", *(INTENSITIES.c[name] for name in _VALUE), unique=True)
BY_END = "intensities_by_end"
Index(BY_END, *(INTENSITIES.c[name] for name in ("source", "zone", "kind", "basis", "end")))

FORECASTS = Table(
    "forecasts",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("source", String, nullable=False),
    Column("zone", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("basis", String, nullable=False),
    Column("issued_at", Instant, nullable=False),
    Column("fetched_at", Instant, nullable=False),
    Column("payload", LargeBinary, nullable=False),
)
# Finds the newest issue of a source as well: the issue is its last column.
Index("one_issue_once", *(FORECASTS.c[name] for name in ("source", "zone", "kind", "basis", "issued_at")), unique=True)

READINGS = Table(
    "readings",
    METADATA,
    Column("reading_id", String, primary_key=True),
    Column("part", Integer, primary_key=True),
    Column("search_id", ForeignKey("searches.id"), nullable=False),
    Column("start", Instant, nullable=False),
    Column("end", Instant, nullable=False),
    Column("cpu_j", Float, nullable=False),
    Column("gpu_j", Float, nullable=False),
    Column("ram_j", Float, nullable=False),
)
Index("readings_by_time", READINGS.c.search_id, READINGS.c.start)

LEDGER = Table(
    "ledger",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("entry_id", String, nullable=False, unique=True),
    Column("search_id", ForeignKey("searches.id"), nullable=False),
    Column("account", String, nullable=False),
    Column("trial", Integer),
    Column("attempt", Integer),
    Column("start", Instant, nullable=False),
    Column("end", Instant, nullable=False),
    Column("cpu_j", Float, nullable=False),
    Column("gpu_j", Float, nullable=False),
    Column("ram_j", Float, nullable=False),
    Column("pue", Float, nullable=False),
    Column("intensity_id", ForeignKey("intensities.id")),
    Column("supersedes", ForeignKey("ledger.entry_id"), index=True),
)
Index("ledger_by_time", LEDGER.c.search_id, LEDGER.c.start)
# Without it the database reads the whole ledger for each intensity that is removed, to see whether the ledger refers to it.
Index("ledger_by_intensity", LEDGER.c.intensity_id)

# What is being joined within the transaction that does so; else empty, and nothing is deleted from ledger and readings.
JOINING = Table(
    "joining",
    METADATA,
    Column("search_id", String, primary_key=True),
    Column("since", Instant, nullable=False),
)

# Emissions are derived from the ledger; these sums of it are kept for speed alone, and may be removed at any time.
ENDED_SUMS = Table(
    "ended_sums",
    METADATA,
    Column("search_id", ForeignKey("searches.id"), primary_key=True),
    Column("quarter", Instant, primary_key=True),
    Column("priced_g", Float, nullable=False),
    Column("unpriced_kwh", Float, nullable=False),
)

USAGES = Table(
    "usages",
    METADATA,
    Column("search_id", ForeignKey("searches.id"), primary_key=True),
    Column("stream", String, primary_key=True),
    Column("number", BigInteger, nullable=False),
)

SUBMISSIONS = Table(
    "submissions",
    METADATA,
    Column("number", Integer, primary_key=True),
    Column("search_id", ForeignKey("searches.id"), nullable=False, unique=True),
    Column("submitted_at", Instant, nullable=False),
    Column("folder", String, nullable=False),
    Column("choices", JSON, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("labels", JSON, nullable=False),
    Column("paused", Boolean, nullable=False),
)

OVERRIDES = Table(
    "overrides",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("budget", String, nullable=False, index=True),
    Column("at", Instant, nullable=False),
    Column("grams", Float, nullable=False),
    Column("reason", String, nullable=False),
    Column("window_start", Instant),
)

DAEMON_RUNS = Table(
    "daemon_runs",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("started_at", Instant, nullable=False),
    Column("seen_at", Instant, nullable=False),
    Column("ended_at", Instant),
)
