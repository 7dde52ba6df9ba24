"""Make the table of yearly means that comes with the package, one row per country.

It reads two files of installed packages without importing them: `global_energy_mix.json` of `codecarbon` 3.3.2, which holds
values of Our World in Data, and `iso3166-1.json` of `pycountry` (which `codecarbon` installs) for the two-letter codes.

    python benchmarks/make_country_averages.py

The output is the same wherever it is made; PROVENANCE.md has its hash. It is no benchmark, and `make bench` leaves it out.
"""

from __future__ import annotations

import hashlib
import json
from importlib.metadata import distribution
from pathlib import Path

OUTPUT = Path(__file__).parents[1] / "carbon_sources" / "data" / "country_averages.csv"
MIX = "codecarbon/data/private_infra/global_energy_mix.json"
MIX_SHA256 = "8f1053800210aa07cc6019cc422b0d34f47dd092f6351dd873445c2b8199a107"
CODES = "pycountry/databases/iso3166-1.json"


def main() -> None:
    """Read both files, write the table, and print what PROVENANCE.md states."""
    mix_file = Path(str(distribution("codecarbon").locate_file(MIX)))
    mix = mix_file.read_bytes()
    if (found := hashlib.sha256(mix).hexdigest()) != MIX_SHA256:
        raise SystemExit(f"expected {MIX} with SHA-256 {MIX_SHA256}, got {found}")
    codes = json.loads(Path(str(distribution("pycountry").locate_file(CODES))).read_bytes())
    alpha_2 = {entry["alpha_3"]: entry["alpha_2"] for entry in codes["3166-1"]}
    text, left_out = as_csv(json.loads(mix), alpha_2)
    OUTPUT.write_text(text, encoding="utf-8", newline="")
    print(f"{OUTPUT.name}: {text.count(chr(10)) - 1} countries, {OUTPUT.stat().st_size} bytes")
    print(f"left out, because zero stands for an unknown value: {', '.join(left_out) or 'none'}")
    print(f"SHA-256: {hashlib.sha256(text.encode()).hexdigest()}")


def as_csv(mix: dict[str, dict[str, object]], alpha_2: dict[str, str]) -> tuple[str, list[str]]:
    """Return the table, and the countries without a usable value: no life-cycle mean is zero."""
    lines, left_out = ["alpha_2,alpha_3,country,year,g_per_kwh,generation_twh"], []
    for alpha_3, row in sorted(mix.items()):
        value, name = row["carbon_intensity"], str(row["country_name"])
        if not isinstance(value, float) or value <= 0:
            left_out.append(name)
            continue
        if "," in name or '"' in name or row["iso_code"] != alpha_3:
            raise SystemExit(f"{alpha_3} ({name}) would need quotes or contradicts its code")
        lines.append(f"{alpha_2[alpha_3]},{alpha_3},{name},{row['year']},{value},{row['total_TWh']:.2f}")
    return "\n".join(lines) + "\n", left_out


if __name__ == "__main__":
    main()
