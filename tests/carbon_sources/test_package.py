"""What importing the package costs and gives."""

from __future__ import annotations

import subprocess
import sys

import carbon_sources


def test_every_public_name_exists() -> None:
    assert sorted(carbon_sources.__all__) == list(carbon_sources.__all__)
    assert all(hasattr(carbon_sources, name) for name in carbon_sources.__all__)


def test_importing_it_and_reading_a_trace_is_light() -> None:
    code = (
        "import sys, carbon_sources, carbon_sources.providers.trace as t; t.TraceSource(path='bundled:DK_2019');"
        "print([m for m in ('torch', 'pandas', 'numpy', 'requests') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
