"""What simulations found, on a terminal."""

from __future__ import annotations

from rich.markup import escape
from rich.table import Table

from carbonnas.cli.output import results
from carbonnas.report.simulation_model import SimulationDocument
from carbonnas.report.simulation_text import Columns, qualities, sentence, summary


def print_simulation(document: SimulationDocument) -> None:
    """Print a line on what was simulated and two tables, medians with the quartiles in brackets."""
    console = results()
    line = document.hypervolume
    console.print(f"{sentence(document)} Accounting: {document.charged.accounting}.", markup=False)
    console.print(
        f"Hypervolume over {line.fidelity} trainings by {', '.join(line.objectives)}, as a share of that of all {line.rows} rows",
        markup=False,
    )
    console.print()
    console.print(_table("median (quartiles)", summary(), document))
    console.print()
    console.print(_table("to reach a share of the hypervolume", qualities(document), document))


def _table(title: str, columns: Columns, document: SimulationDocument) -> Table:
    table = Table(title, *columns, box=None)
    for result in document.schedulers:
        table.add_row(escape(result.name), *(of(result) for of in columns.values()))
    return table
