"""Writes what the suite found into the page: `pytest -p tests.reliability.report …`."""

from collections.abc import Iterator

import pytest

from tests.reliability.page import last_run, quote

passed: dict[str, dict[str, object]] = {}
"""What each test that passed has noted, by its node id."""
failed: set[str] = set()


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Remember a result."""
    if report.failed:
        failed.add(report.nodeid)
    elif report.when == "call":
        passed[report.nodeid] = dict(report.user_properties)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write the page, in the process that has all results."""
    if not hasattr(session.config, "workerinput") and passed:
        results = f"{len(passed.keys() - failed)} tests passed, {len(failed)} failed"
        table = ["| test | figure | in |", "|---|---|---|", *sorted(lines())]
        quote("figures", "\n".join([f"{last_run()}: {results}.", "", *table]))


def lines() -> Iterator[str]:
    """The lines of the table: what each test that has a figure shows, and the figure."""
    for node, noted in passed.items():
        if "figure" in noted and node not in failed:
            file = node.partition("::")[0].rpartition("/")[2]
            yield f"| {noted['title']} | {noted['figure']} | `{file}` |"
