"""The figures that other documents quote from the results, so that each comes from one place."""

import re
from typing import Any

from local.state import ROOT

README = ROOT / "README.md"


def quoted(text: str, results: dict[str, Any]) -> str:
    """The text, with each figure between its marks as the results say. Raises KeyError."""
    for name, figure in _figures(results).items():
        marks = re.compile(rf"(<!-- {name} -->).*?(<!-- /{name} -->)")
        if not marks.search(text):
            raise KeyError(name)
        text = marks.sub(rf"\g<1>{figure}\g<2>", text)
    return text


def write(results: dict[str, Any]) -> None:
    """Bring the README up to date."""
    README.write_text(quoted(README.read_text(), results))


def _figures(results: dict[str, Any]) -> dict[str, str]:
    crowd = next(
        each for name, each in results["load"].items() if name.startswith("100 environments")
    )
    return {
        "round-trips": f"{results['round_trips']['tasks']['get']}",
        "p95": f"{crowd['p95']:.0f} ms",
    }
