"""Writes what the suite found into the page: `pytest -p tests.reliability.report …`.

A line for each test that passed: what it proves, and its figure.
"""

import re
from collections.abc import Iterator

import pytest

from tests.reliability.page import last_run, quote

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
        results = f"{len(passed.keys() - failed)} tests passed, {len(failed)} failed"
        table = ["| test | sentence | figure |", "|---|---|---|", *sorted(lines())]
        quote("figures", "\n".join([f"{last_run()}: {results}.", "", *table]))


def lines() -> Iterator[str]:
    """The lines of the table; tests of one function with several parameters share one."""
    by_function: dict[str, list[str]] = {}
    for node, figure in passed.items():
        if node not in failed:
            by_function.setdefault(node.partition("[")[0], []).append(figure)
    for function, figures in by_function.items():
        file, group, name = function.rpartition("/")[2].split("::")
        subject = " ".join(CAMEL.split(group.removeprefix("Test"))).lower()
        sentence = f"{subject} {name.removeprefix('test_').replace('_', ' ')}"
        ways = f" ({len(figures)} ways)" if len(figures) > 1 else ""
        noted = "; ".join(dict.fromkeys(filter(None, figures)))
        yield f"| `{file}` | {sentence}{ways} | {noted} |"
