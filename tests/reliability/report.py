"""Writes what the suite found into the page: `pytest -p tests.reliability.report …`."""

import re
from collections.abc import Iterator

import pytest

from tests.reliability.page import last_run, quote

READABLE = str.maketrans({"_": " ", "[": ", ", "]": None})
CAMEL = re.compile(r"(?<!^)(?=[A-Z])")

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
        table = ["| test | figure | in |", "|---|---|---|", *sorted(lines())]
        quote("figures", "\n".join([f"{last_run()}: {results}.", "", *table]))


def lines() -> Iterator[str]:
    """The lines of the table: what each test proves that has a figure, and the figure."""
    for node, figure in passed.items():
        if figure and node not in failed:
            file, group, name = node.rpartition("/")[2].split("::")
            subject = " ".join(CAMEL.split(group.removeprefix("Test"))).capitalize()
            sentence = f"{subject} {name.removeprefix('test_')}"
            yield f"| {sentence.translate(READABLE)} | {figure} | `{file}` |"
