"""The figures of docs/scale.md, and its picture."""

from collections.abc import Iterator, Mapping
from typing import Any

from benchmarks import plot
from benchmarks.report import DOCS, ms, table, verdict
from functions.clean_idempotency_keys import BATCH, TIME_LEFT
from scripts.quotes import fill

PAGE = DOCS / "scale.md"
DAY = 86_400
DESIGNED = 3_000  # writes a second
CLEANING = 120 - TIME_LEFT // 1000  # seconds: the function's Timeout, without its last batch
BILLION = 1_000_000_000

Results = dict[str, Any]
Lines = Iterator[str]


def write(results: Results) -> None:
    """Put the figures between the marks of the page, and draw the picture."""
    parts = {"measured": measured(results), "arithmetic": arithmetic(results)}
    texts = {name: "\n".join(["", *lines, ""]) for name, lines in parts.items()}
    PAGE.write_text(fill(PAGE.read_text(), texts))
    (DOCS / "scale.svg").write_text(
        plot.bars("A page of the default order", picture(results), "ms")
    )


def picture(results: Results) -> dict[str, float]:
    """What a page takes, by how large the table is and in how many parts."""
    sizes = results["sizes"]
    found = {"tasks: 1,000 rows": sizes["small"]["list"]}
    found[f"tasks: {results['rows']:,} rows"] = sizes["large"]["list"]
    for name, each in results["partitions"].items():
        found[f"tasks: 100,000, {name}"] = each["milliseconds"]["list"]
    return found


def measured(results: Results) -> Lines:
    """What was measured."""
    machine, storage = results["machine"], results["storage"]
    yield (
        f"Last run: {results['when']}, {machine['cpu']}, {machine['cpus']} CPUs, Python "
        f"{machine['python']}, Postgres 18 on the same machine; the load was {machine['load']:.1f} "
        "at the start. Times are medians."
    )
    yield ""
    yield from table(("", "measured", "goal", "reached"), goals(results))
    yield ""
    yield "Bytes of a task:"
    yield ""
    yield from table(storage["bytes"], [(f"{size:.0f}" for size in storage["bytes"].values())])
    yield ""
    yield "Writes, as statements on one connection:"
    yield ""
    yield from table(
        ("", "µs", "bytes of write-ahead log"),
        (
            (name, f"{storage['microseconds'][name]:.0f}", f"{size:.0f}")
            for name, size in storage["log"].items()
        ),
    )
    yield ""
    yield f"A batch of {BATCH:,} old idempotency keys is deleted in {results['cleaning']:.0f} ms."
    yield ""
    yield "A page of 100 tasks through the whole function, in ms, by order and by the user's tasks:"
    yield ""
    yield from grid("tasks", results["lists"])
    yield ""
    yield f"Each operation, in ms, in a table of 1,000 rows and in one of {results['rows']:,}:"
    yield ""
    yield from grid("table", results["sizes"])
    yield ""
    yield "Each operation, in ms, in 100,000 rows of 1,000 users:"
    yield ""
    parts = results["partitions"]
    yield from grid("table", {name: each["milliseconds"] for name, each in parts.items()})
    yield ""
    yield "Plans of prepared statements under the policies: planning in µs, and locks held."
    yield ""
    yield from table(
        ("table", "statement", "Postgres chooses", "custom plan", "generic plan"),
        plans(parts),
    )


def goals(results: Results) -> Iterator[tuple[str, str, str, str]]:
    """Each goal, what was measured, and whether it is reached."""
    storage, sizes, limit = results["storage"], results["sizes"], results["limit"]
    created = results["sizes"]["small"]["create"] * 1000
    slowest = max(results["lists"]["10,000"].values())
    grown = sizes["large"]["list"] / sizes["small"]["list"]
    for what, figure, most in (
        ("bytes of a task", sum(storage["bytes"].values()), 450),
        ("bytes of log, a toggle", storage["log"]["toggle"], 450),
        ("bytes of log, an insert", storage["log"]["create"], 620),
        ("ms of a list in any order, for 10,000 tasks", slowest, 12),
        (f"default order at {results['rows']:,} rows, × at 1,000", grown, 1.2),
        (
            "the limit of tasks at 1,000 tasks, % of a create",
            (limit["with"] - limit["without"]) / created * 100,
            3,
        ),
    ):
        yield what, f"{figure:.3g}", f"at most {most:g}", verdict(figure <= most)
    hot = storage["hot"] * 100
    yield "toggles that touch no index (HOT), %", f"{hot:.3g}", "at least 80", verdict(hot >= 80)


def grid(what: str, rows: Mapping[str, Mapping[str, float]]) -> Lines:
    """Milliseconds: a line for each row, all with the same columns."""
    [first, *_] = rows.values()
    yield from table(
        (what, *first), ((name, *map(ms, each.values())) for name, each in rows.items())
    )


def plans(parts: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, ...]]:
    """A line for each statement in each number of partitions."""
    for name, each in parts.items():
        for statement, plan in each["plans"].items():
            kinds = (plan["force_custom_plan"], plan["force_generic_plan"])
            figures = (
                f"{kind['milliseconds'] * 1000:.0f} µs, {kind['locks']:.0f} locks" for kind in kinds
            )
            yield name, statement, plan["chosen"], *figures


def arithmetic(results: Results) -> Lines:
    """What follows from the figures."""
    storage = results["storage"]
    size, log = sum(storage["bytes"].values()), storage["log"]["toggle"]
    index = storage["bytes"]["primary key"] + storage["bytes"]["index of the default order"]
    ids = DESIGNED * DAY
    busiest = max(storage["microseconds"].values())
    yield from table(
        ("", "arithmetic", "result"),
        (
            ("a billion tasks", f"10⁹ × {size:.0f} B", f"{size * BILLION / 1e9:.0f} GB"),
            ("of which indexes", f"10⁹ × {index:.0f} B", f"{index * BILLION / 1e9:.0f} GB"),
            (
                "transaction ids a day",
                f"{DESIGNED:,} writes a second × {DAY:,} s",
                f"{ids / 1e6:.0f} million",
            ),
            (
                "time to a freeze of each table",
                f"200 million ÷ {ids / 1e6:.0f} million a day",
                f"{200e6 / ids * 24:.1f} hours",
            ),
            (
                "time to the end of the ids without one",
                f"2³¹ ÷ {ids / 1e6:.0f} million a day",
                f"{2**31 / ids:.1f} days",
            ),
            (
                "write-ahead log",
                f"{DESIGNED:,} toggles a second × {log:.0f} B",
                f"{DESIGNED * log / 1e6:.1f} MB a second",
            ),
            (
                "old keys that one run deletes",
                f"{CLEANING} s ÷ {results['cleaning']:.0f} ms × {BATCH:,}",
                f"{CLEANING / results['cleaning'] * BATCH / 1000:.1f} million",
            ),
            (
                "writes of one connection that is never idle",
                f"10⁶ ÷ {busiest:.0f} µs, the slowest write",
                f"{1e6 / busiest:,.0f} a second",
            ),
        ),
    )
