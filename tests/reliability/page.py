"""docs/reliability.md, which quotes the figures of the last runs."""

import re
from datetime import UTC, datetime
from platform import python_version

from local.state import ROOT

PAGE = ROOT / "docs" / "reliability.md"


def quote(name: str, text: str) -> None:
    """Put a text between two marks of the page."""
    marks = re.compile(rf"(<!-- {name} -->\n).*(<!-- /{name} -->)", re.DOTALL)
    page = PAGE.read_text()
    assert marks.search(page)
    PAGE.write_text(marks.sub(lambda found: f"{found[1]}{text}\n{found[2]}", page))


def last_run() -> str:
    """When and on what a run was."""
    return f"Last run: {datetime.now(UTC).date()}, CPython {python_version()}"
