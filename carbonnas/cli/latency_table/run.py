"""`latency-table`: measuring or importing, and handing out what came of it."""

from __future__ import annotations

import json
import platform
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import typer
from pydantic import ValidationError

from carbon_sources.clock import SystemClock
from carbonnas.architecture import Architecture, derive_seed
from carbonnas.cli.latency_table.unfinished import StoppedError, UnfinishedTable
from carbonnas.cli.output import messages, print_json, results
from carbonnas.cli.signals import stop_on_signals
from carbonnas.config_file import load_config
from carbonnas.costs.importing import Source, import_table
from carbonnas.costs.plan import UNSTABLE_ABOVE, parse_task
from carbonnas.costs.table import LatencyTable
from carbonnas.errors import ConfigError
from carbonnas.files import replace_file
from carbonnas.plugins import SEARCH_SPACES
from carbonnas.report.document import iso
from carbonnas.search_spaces.space import SearchSpace, TaskShape

if TYPE_CHECKING:
    from carbonnas.costs.measuring import Bench

_TRIES = 50


@dataclass(frozen=True, slots=True)
class TableOptions:
    """The options of the command, as they were typed."""

    space: str
    config: Path | None
    out: Path
    task: str
    device: str
    networks: int
    check: int
    seed: int


def run_measurement(options: TableOptions, *, as_json: bool) -> None:
    """Measure the blocks of a space, check what comes of it, and write the table; a later run goes on where one was stopped.

    Raises:
        ConfigError: If an option can't be read, there is no such device, networks of the space can't do the task, or what was kept of an
            earlier run is of another measurement.
        PluginError: If there is no such space.
        Exit: If somebody stopped it.
    """
    space, task = _space(options), _task(options.task)
    try:
        space.require(task)
    except ValueError as error:
        raise ConfigError("--task", (str(error),)) from error
    bench, device = _bench(options, space, task)
    about, console = _about(options), messages()
    with stop_on_signals() as stop:
        unfinished = UnfinishedTable(options.out, device, about, clock=SystemClock(), console=console, stop=stop)
        try:
            table = _measured(options, bench, unfinished, device, about)
        except StoppedError:
            left = "Nothing was measured yet."
            if unfinished.path.exists():
                left = (
                    f"What was measured is in {unfinished.path}. Run the same command again and it goes on from there."
                )
            console.print(f"Stopped. {left}", markup=False, soft_wrap=True)
            raise typer.Exit(1) from None
    _hand_out(options, table, as_json=as_json)
    unfinished.remove()


def _measured(
    options: TableOptions, bench: Bench, unfinished: UnfinishedTable, device: str, about: dict[str, Any]
) -> LatencyTable:
    from carbonnas.costs.measuring import Measured, check_table, find_blocks, measure_blocks

    kept = unfinished.kept()
    found = find_blocks(
        bench,
        _rng(options, "blocks"),
        at_most=options.networks,
        told=lambda so_far: unfinished.found(so_far, options.networks),
    )
    # The earlier run may have looked at more networks.
    known = Measured({key: kept[key] for key in found.keys if key in kept})
    blocks = len(found.keys)
    with unfinished.keeping(known):
        measure_blocks(bench, found, known, lambda so_far: unfinished.measured(so_far, blocks))
        about = {**about, "networks": found.networks, "networks_with_news": len(found.first)}
        table = known.table(device, about)
        if not table.blocks:
            raise ConfigError(
                "latency-table", ("no block could be measured for certain: let nothing else run on this machine",)
            )
        drawn = _drawn(bench.space, options.check, _rng(options, "check"))
        check = check_table(bench, table, drawn, lambda place: unfinished.checked(place, len(drawn)))
    return known.table(device, {**about, "check": asdict(check)})


def run_import(options: TableOptions, path: Path, architectures: Path | None, column: str, *, as_json: bool) -> None:
    """Write a table of what somebody has measured of whole architectures.

    Raises:
        ConfigError: If a file can't be read, lacks a column, or has a value that can't be one.
        PluginError: If there is no such space.
    """
    table = import_table(Source(path, options.device, architectures, column), _space(options))
    about = {**table.about, "made_at": iso(SystemClock().now()), "space": options.space}
    _hand_out(options, LatencyTable(table.device, architectures=table.architectures, about=about), as_json=as_json)


def _bench(options: TableOptions, space: SearchSpace, task: TaskShape) -> tuple[Bench, str]:
    import torch

    from carbonnas.costs.measuring import Bench
    from carbonnas.costs.network import is_there
    from carbonnas.costs.timing import BLOCK_SAMPLE_S, by_torch

    try:
        device = torch.device(options.device)
    except RuntimeError as error:
        raise ConfigError("--device", (f"{options.device!r} is no torch device; take cpu or cuda",)) from error
    if not is_there(device):
        raise ConfigError("--device", (f"torch finds no {options.device!r} to measure on; take cpu",))
    torch.set_num_threads(1)
    here = device.type == "cpu"
    name = _processor() if here else torch.cuda.get_device_name(device)
    return Bench(
        space,
        task,
        device,
        by_torch(on_processor=here, sample_s=BLOCK_SAMPLE_S),
        by_torch(on_processor=here),
        UNSTABLE_ABOVE,
    ), name


def _about(options: TableOptions) -> dict[str, Any]:
    import torch

    return {
        "torch": torch.__version__,
        "made_at": iso(SystemClock().now()),
        "space": options.space,
        "options": json.loads(json.dumps(_chosen(options), default=str)),
        "seed": options.seed,
        "task": options.task,
        "batch": 1,
        "threads": 1,
        "clock": "processor time of the thread" if options.device == "cpu" else "time that passes",
    }


def _processor() -> str:
    """Return what the system calls its processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return next(iter(names), platform.processor() or platform.machine())


def _space(options: TableOptions) -> SearchSpace:
    try:
        return SEARCH_SPACES.create(options.space, _chosen(options), {})
    except ValidationError as error:
        raise ConfigError("--space", (f"{options.space} needs options; name a configuration with --config",)) from error


def _chosen(options: TableOptions) -> dict[str, object]:
    """Return the options of the space."""
    if options.config is None:
        return {}
    config, _ = load_config(options.config)
    if config.space.use != options.space:
        raise ConfigError("--config", (f"its space is {config.space.use}, not {options.space}",))
    return dict(config.space.options)


def _task(text: str) -> TaskShape:
    try:
        return parse_task(text)
    except ValueError as error:
        raise ConfigError("--task", (str(error),)) from error


def _rng(options: TableOptions, purpose: str) -> np.random.Generator:
    return np.random.default_rng(derive_seed(options.seed, "latency table", purpose))


def _drawn(space: SearchSpace, count: int, rng: np.random.Generator) -> list[Architecture]:
    """Return different networks, fewer than `count` where the space has hardly any."""
    found: dict[Architecture, None] = {}
    for _ in range(_TRIES * count):
        if len(found) == count:
            break
        found.setdefault(space.canonical(space.sample(rng)))
    return list(found)


def _hand_out(options: TableOptions, table: LatencyTable, *, as_json: bool) -> None:
    replace_file(options.out, table.to_json().encode())
    summary = {
        "file": str(options.out),
        "device": table.device,
        "unit": "ms",
        "blocks": len(table.blocks),
        "unstable": len(table.unstable),
        "architectures": len(table.architectures),
        **table.about,
    }
    if as_json:
        print_json(summary)
        return
    say: Callable[[str], None] = lambda line: results().print(line, markup=False, soft_wrap=True)  # noqa: E731
    if table.architectures:
        say(f"{len(table.architectures)} architectures on {table.device}, in {options.out}")
        return
    say(f"{len(table.blocks)} blocks on {table.device}, in {options.out}")
    if table.unstable:
        say(f"{len(table.unstable)} blocks were unstable and are not in it: let nothing else run on this machine")
    for line in _checked(table.about["check"]):
        say(line)


def _checked(check: dict[str, Any]) -> list[str]:
    networks, predicted, measured = (check[name] for name in ("networks", "predicted", "measured"))
    lines = [f"{predicted} of {networks} other networks consist of these blocks alone"]
    if check["rank_correlation"] is not None:
        lines.append(
            f"sums of blocks and latencies of {measured} whole networks: rank correlation {check['rank_correlation']:.2f},"
            f" whole networks take {check['ratio']:.2f} times the sum"
        )
    return lines
