"""docs/reliability.md, which has the figures of the last runs; the README quotes some."""

import re
from datetime import UTC, datetime
from platform import python_version

from local.state import ROOT
from scripts.quotes import fill

PAGE = ROOT / "docs" / "reliability.md"
README = ROOT / "README.md"


def quote(name: str, text: str) -> None:
    """Put a text between two marks of the page."""
    PAGE.write_text(fill(PAGE.read_text(), {name: f"\n{text}\n"}))
    README.write_text(fill(README.read_text(), quoted()))


def quoted() -> dict[str, str]:
    """The figures of the page that the README quotes, by the names of their marks."""
    page = PAGE.read_text()
    return {
        "acknowledged": total(r"([\d,]+) acknowledged", page),
        "generated": total(r"([\d,]+)(?: single requests| in scenarios)", page),
    }


def total(pattern: str, page: str) -> str:
    """The sum of the numbers that a pattern finds."""
    return f"{sum(int(number.replace(',', '')) for number in re.findall(pattern, page)):,}"


def last_run() -> str:
    """When and on what a run was."""
    return f"Last run: {datetime.now(UTC).date()}, CPython {python_version()}"
