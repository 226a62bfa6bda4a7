"""Writes what the suite found into docs/reliability.md: `pytest -p tests.reliability.report …`.

Between the page's marks, a line for each test: what it proves, whether it does, and its figure.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from platform import python_version

import pytest

from local.state import ROOT

PAGE = ROOT / "docs" / "reliability.md"
MARKS = re.compile(r"(<!-- figures -->\n).*(<!-- /figures -->)", re.DOTALL)
CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")

passed: dict[str, str] = {}
"""The figure of each test that passed, or nothing, by its node id."""
failed: set[str] = set()


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Remember a result."""
    if report.failed:
        failed.add(report.nodeid)
    elif report.when == "call":
        passed[report.nodeid] = str(dict(report.user_properties).get("figure", ""))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write the page, in the process that has all results."""
    if not hasattr(session.config, "workerinput") and passed:
        page = PAGE.read_text()
        PAGE.write_text(MARKS.sub(lambda marks: f"{marks[1]}{figures()}\n{marks[2]}", page))


def figures() -> str:
    """The run in Markdown."""
    when = datetime.now(UTC).date()
    results = f"{len(passed.keys() - failed)} tests passed, {len(failed)} failed"
    return "\n".join(
        [
            f"Last run: {when}, CPython {python_version()}: {results}.",
            "",
            "| test | sentence | figure |",
            "|---|---|---|",
            *sorted(lines()),
        ]
    )


def lines() -> Iterator[str]:
    """A line for each test, with those of one function in one."""
    by_function: dict[str, list[str]] = {}
    for node, figure in passed.items():
        if node not in failed:
            by_function.setdefault(node.partition("[")[0], []).append(figure)
    for function, found in by_function.items():
        file, group, name = function.rpartition("/")[2].split("::")
        subject = " ".join(CAMEL.split(group.removeprefix("Test"))).lower()
        sentence = f"{subject} {name.removeprefix('test_').replace('_', ' ')}"
        noted = "; ".join(dict.fromkeys(filter(None, found)))
        times = f" (in {len(found)} ways)" if len(found) > 1 else ""
        yield f"| `{file}` | {sentence}{times} | {noted} |"
