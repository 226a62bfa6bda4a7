"""The figures that other documents quote from the results, so that each comes from one place."""

import re
from typing import Any

from benchmarks import cost
from local.state import ROOT

MEMORY = 1024  # MB, as the template has it
DOCUMENTS = {
    ROOT / "README.md": ("round-trips", "p95"),
    ROOT / "docs" / "operate.md": ("million", "request", "start"),
}


def quoted(text: str, names: tuple[str, ...], results: dict[str, Any]) -> str:
    """The text, with each figure between its marks as the results say. Raises KeyError."""
    figures = _figures(results)
    for name in names:
        marks = re.compile(rf"(<!-- {name} -->).*?(<!-- /{name} -->)")
        if not marks.search(text):
            raise KeyError(name)
        text = marks.sub(rf"\g<1>{figures[name]}\g<2>", text)
    return text


def write(results: dict[str, Any]) -> None:
    """Bring the documents up to date."""
    for document, names in DOCUMENTS.items():
        document.write_text(quoted(document.read_text(), names, results))


def _figures(results: dict[str, Any]) -> dict[str, str]:
    crowd = next(
        each for name, each in results["load"].items() if name.startswith("100 environments")
    )
    costs = cost.cost(*cost.times(results))[MEMORY]
    return {
        "round-trips": f"{results['round_trips']['tasks']['get']}",
        "p95": f"{crowd['p95']:.0f} ms",
        "million": f"{costs['all']:.2f}",
        "request": f"{costs['duration']} ms",
        "start": f"{costs['start']} ms",
    }
