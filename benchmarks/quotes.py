"""The figures that other documents quote from the results, so that each comes from one place."""

from pathlib import Path
from typing import Any

from benchmarks import cost
from local.state import ROOT
from scripts.quotes import fill

MEMORY = 1024  # MB, as the template has it


def quoted(results: dict[str, Any]) -> dict[Path, dict[str, str]]:
    """The figures of each document, by the names of their marks."""
    crowd = results["load"]["100 environments, PgBouncer, a request each 0.25 s"]
    costs = cost.cost(*cost.times(results))[MEMORY]
    return {
        ROOT / "README.md": {
            "round-trips": f"{results['round_trips']['tasks']['get']}",
            "p95": f"{crowd['p95']:.0f} ms",
        },
        ROOT / "docs" / "operate.md": {
            "million": f"{costs['all']:.2f}",
            "request": f"{costs['duration']} ms",
            "start": f"{costs['start']} ms",
        },
    }


def write(results: dict[str, Any]) -> None:
    """Bring the documents up to date."""
    for document, figures in quoted(results).items():
        document.write_text(fill(document.read_text(), figures))
