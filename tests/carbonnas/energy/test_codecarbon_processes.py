from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from statistics import median

import pytest

from carbonnas.energy.codecarbon_meter import CodeCarbonMeter
from carbonnas.energy.codecarbon_tracker import TrackingMode

WORKER = """
import json, os, resource, time
from carbonnas.energy.codecarbon_meter import CodeCarbonProbeFactory

def used():
    return sum(resource.getrusage(resource.RUSAGE_SELF)[:2])

probe = CodeCarbonProbeFactory(100.0)()
probe.start()
started, startup = used() + sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2]), probe.read()
rounds, end = [], used()
for _ in range(5):
    begin = end
    while used() - begin < 0.5:
        pass
    (busy_j, gpu_j), between = probe.read(), used()
    time.sleep(0.3)
    resting_j, end = probe.read()[0], used()
    rounds.append([busy_j, gpu_j, between - begin, resting_j, end - between])
probe.close()
probe.close()
print(json.dumps({"startup": [*startup, started], "rounds": rounds}))
"""


def run(script: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error", "-c", script]
    return subprocess.run(
        command, capture_output=True, text=True, check=True, timeout=300, env=os.environ | environment
    )


@pytest.mark.slow
def test_a_worker_measures_itself_in_line_with_its_processor_time() -> None:
    told = json.loads(run(WORKER).stdout)
    j_per_cpu_s = 100.0 / (os.cpu_count() or 1)
    # CodeCarbon multiplies a load and a time that it takes one after the other: who comes between them spoils a round or two.
    rounds = told["rounds"]
    assert median(busy_j / worked_s for busy_j, _, worked_s, *_ in rounds) == pytest.approx(j_per_cpu_s, rel=0.25)
    # A reading costs processor time, too, and is told in ticks of 10 ms.
    assert median(idle_j / (idle_s + 0.05) for *_, idle_j, idle_s in rounds) < 1.25 * j_per_cpu_s
    assert [gpu_j for _, gpu_j, *_ in rounds] == [0] * 5
    startup_j, _, started_s = told["startup"]
    assert startup_j == pytest.approx(started_s * j_per_cpu_s, rel=0.25)


PARENT = """
import json, os, subprocess, sys
from carbonnas.energy.codecarbon_meter import CodeCarbonProbeFactory
probe = CodeCarbonProbeFactory(100.0)()
probe.start()
probe.read()
before = os.times()
for _ in range(2):
    subprocess.run([sys.executable, "-c", "import time\\nwhile time.process_time() < 0.4: pass"], check=True)
drawn_j, after = probe.read()[0], os.times()
probe.close()
print(json.dumps({"drawn_j": drawn_j, "children_s": sum(after[2:4]) - sum(before[2:4])}))
"""


def test_children_that_lived_between_two_readings_are_counted() -> None:
    told = json.loads(run(PARENT).stdout)
    j_per_cpu_s = 100.0 / (os.cpu_count() or 1)
    assert told["children_s"] >= 2 * 0.4 - 0.02
    assert told["drawn_j"] >= told["children_s"] * j_per_cpu_s * (1 - 1e-9)


HOSTILE = {
    "project_name": "hostile",
    "tracking_mode": "machine",
    "force_cpu_power": "7000",
    "force_ram_power": "7000",
    "force_mode_cpu_load": "false",
    "force_carbon_intensity_g_co2e_kwh": "9999",
    "measure_power_secs": "3600",
    "api_call_interval": "-1",
    "output_methods": "csv,api,prometheus",
    "save_to_file": "true",
    "save_to_api": "true",
    "emissions_endpoint": "http://localhost:9/emissions",
    "api_endpoint": "http://localhost:9",
    "electricitymaps_api_token": "token",
    "co2_signal_api_token": "token",
    "cloud_provider": "gcp",
    "cloud_region": "nowhere",
    "country_iso_code": "XXX",
    "region": "nowhere",
    "pue": "50",
    "wue": "50",
    "gpu_ids": "7",
    "log_level": "debug",
    "logger_preamble": "hostile",
    "allow_multiple_runs": "false",
    "rapl_prefer_psys": "true",
    "output_dir": "/nowhere",
}

MEASURE = """
import json, logging, sys, time
from datetime import UTC, datetime, timedelta
network = []
sys.addaudithook(lambda event, args: network.append(event) if event in ("socket.connect", "socket.getaddrinfo") else None)
import pytest_socket
pytest_socket.disable_socket()
from carbonnas.energy.codecarbon_meter import CodeCarbonMeter, TrackingMode
meter = CodeCarbonMeter(2, mode=TrackingMode.PROCESS, cpu_power=100.0, ram_power=10.0)
now = datetime(2026, 3, 1, tzinfo=UTC)
meter.start(now)
stamps = [time.monotonic()]
meter.read(now + timedelta(seconds=1), ())
stamps.append(time.monotonic())
time.sleep(1.3)
stamps.append(time.monotonic())
reading = meter.read(now + timedelta(seconds=2), ())
stamps.append(time.monotonic())
details = dict(meter.measurement().details)
details.pop("constant_share")
meter.close()
ram_j = sum(sample.ram_j for sample in reading.measured)
told = {"shortest_s": stamps[2] - stamps[1], "longest_s": stamps[3] - stamps[0], "ram_j": ram_j, "cpu_j": reading.joules - ram_j}
print(json.dumps(told | {"details": details, "network": network}))
"""


@pytest.mark.slow
def test_settings_of_the_user_change_nothing_and_nothing_goes_to_the_network(tmp_path: Path) -> None:
    config = "[codecarbon]\n" + "".join(f"{key} = {value}\n" for key, value in HOSTILE.items())
    home, here = tmp_path / "home", tmp_path / "here"
    for folder in (home, here):
        folder.mkdir()
        (folder / ".codecarbon.config").write_text(config)
    environment = {f"CODECARBON_{key.upper()}": value for key, value in HOSTILE.items()} | {"HOME": str(home)}
    result = run(f"import os; os.chdir({str(here)!r})\n{MEASURE}", **environment)
    told = json.loads(result.stdout)
    # The readings were taken somewhere inside the calls.
    assert 0.9 * 10.0 * told["shortest_s"] <= told["ram_j"] <= 1.1 * 10.0 * told["longest_s"]
    assert told["cpu_j"] < 0.2 * 100.0
    meter = CodeCarbonMeter(2, mode=TrackingMode.PROCESS, cpu_power=100.0, ram_power=10.0)
    details = dict(meter.measurement().details)
    del details["constant_share"]
    assert told["details"] == details
    assert told["network"] == []
    assert result.stderr == ""
    assert [path.name for path in here.iterdir()] == [".codecarbon.config"]
