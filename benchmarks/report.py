"""The page that the results become: tables, plots, and which goal is reached."""

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

from benchmarks import cost, plot, quotes
from benchmarks.events import OPERATIONS
from local.state import ROOT

DOCS = ROOT / "docs"
PEERS = {
    "floor": "the floor: psycopg and PyJWT alone, one statement",
    "frameworks": "the floor behind Mangum, FastAPI and Powertools' log line",
    "tasks": "**this API**",
    "tasks without byte code": "this API, without byte code",
    "resolver": "Powertools' `APIGatewayHttpResolver` and psycopg",
    "hono": "Node: Hono, `pg` and `jose`, bundled",
    "usual": "FastAPI and SQLModel as usually written, through Mangum",
    "psycopg": "psycopg itself",
}

Results = dict[str, Any]
Lines = Iterator[str]


def write(results: Results) -> None:
    """Write the page and its plots."""
    warm = {name: each["mean"] for name, each in results["warm"]["clock"].items()}
    plots = {
        "cold": plot.bars(
            "From the start of a process to its first response", results["cold"]["plain"], "ms"
        ),
        "warm": plot.bars("Warm operation, mean of six", warm, "ms"),
        "layers": plot.bars("Layers of a warm get", results["layers"]["get"], "µs"),
        "round-trips": plot.bars(
            "Round trips, mean of six operations", mean_round_trips(results), ""
        ),
        "database": plot.bars("Waiting for Postgres, this API", waiting(results), "µs"),
    }
    for name, drawn in plots.items():
        (DOCS / f"performance-{name}.svg").write_text(drawn)
    (DOCS / "performance.md").write_text(page(results))
    quotes.write(results)


def page(results: Results) -> str:
    """The page in Markdown."""
    sections = head, goals, cold, warm_calls, layers, round_trips, sizes, load, costs
    lines = chain.from_iterable((*section(results), "") for section in sections)
    return "\n".join(lines).rstrip() + "\n"


def mean_round_trips(results: Results) -> dict[str, float]:
    """The mean of the six operations, by peer."""
    return {
        name: sum(each[operation] for operation in OPERATIONS) / len(OPERATIONS)
        for name, each in results["round_trips"].items()
        if OPERATIONS[0] in each
    }


def waiting(results: Results) -> dict[str, float]:
    """Microseconds in the database and on the way to it, by operation."""
    return {
        f"tasks: {operation}": layers["Sending, Postgres, waiting"]
        for operation, layers in results["layers"].items()
    }


def head(results: Results) -> Lines:
    """What was run, when and where."""
    machine = results["machine"]
    yield "# Performance"
    yield ""
    yield (
        f"Made by `{results['command']}` on {results['when']}: {machine['cpu']}, "
        f"{machine['cpus']} CPUs, {machine['system']}, Python {machine['python']}, "
        f"Node {machine['node']}; the machine's load was {machine['load']:.1f} before and "
        f"{machine['load_after']:.1f} after, the benchmark's own included. Times are medians of "
        "calls made by turns in one run. Compare ratios: times differ from machine to machine. "
        "The figures are in `benchmarks/results.json`, and the peers in `benchmarks/peers`. Each "
        "peer has passed `benchmarks/check.py`."
    )


def goals(results: Results) -> Lines:
    """Each goal, what was measured, and whether it is reached."""
    yield "## Goals"
    yield ""
    at_most = (
        (what, f"{measured:.3g}", f"at most {most:g}", verdict(measured <= most))
        for what, measured, most in bounded(results)
    )
    enough = (
        (what, f"{measured:.3g}", f"at least {least:g}", verdict(measured >= least))
        for what, measured, least in faster(results)
    )
    yield from table(("", "measured", "goal", "reached"), [*at_most, *enough])
    yield ""
    plain, clock, found = results["cold"]["plain"], results["warm"]["clock"], results["load"]
    cold_start, warm_call = (
        each["frameworks"] / each["floor"]
        for each in (plain, {name: figures["mean"] for name, figures in clock.items()})
    )
    responses, others = (
        found[f"4 environments, {name}"]["responses a second"]
        for name in ("frameworks", "resolver")
    )
    yield (
        "Mangum, FastAPI and Powertools' log line cost most of what is above the floor. The floor "
        f"behind them, without anything of this API, takes {cold_start:.2f} × as long for a cold "
        f"start and {warm_call:.2f} × for a warm operation. It gives {responses / others:.2f} × "
        "Powertools' responses a second. A goal beyond that needs other frameworks."
    )


def bounded(results: Results) -> Iterator[tuple[str, float, float]]:
    """What must not be more than so much."""
    plain, clock, sizes = results["cold"]["plain"], results["warm"]["clock"], results["sizes"]
    counted, under_load = results["round_trips"], results["load"]
    crowds = [each for name, each in under_load.items() if name.startswith("100 environments")]
    server = under_load["development server"]
    large = max(sizes["large"][name] / sizes["small"][name] for name in sizes["small"])
    yield "cold start, × the floor's", plain["tasks"] / plain["floor"], 2.6
    ratios = {name: clock["tasks"][name] / clock["floor"][name] for name in clock["floor"]}
    yield "warm operation, × the floor's, mean", ratios.pop("mean"), 1.7
    yield "warm operation, × the floor's, the slowest", max(ratios.values()), 1.9
    yield "round trips of an operation", max(counted["tasks"][name] for name in OPERATIONS), 1
    yield (
        "round trips to the first response",
        counted["tasks"]["first"],
        counted["psycopg"]["first"],
    )
    yield f"p50 at {results['rows']:,} rows, × at 1,000, the worst", large, 1.2
    yield "p95 in ms of 100 users of 100 environments, without a pause", crowds[0]["p95"], 110
    yield "p95 in ms of the same, a request each 0.25 s", crowds[1]["p95"], 200
    yield "errors of theirs", sum(each["errors"] + each["hung"] for each in crowds), 0
    yield "errors of the development server", server["errors"] + server["hung"], 0
    yield "peak memory, MB", results["warm"]["peak"]["tasks"]["MB"], 110


def faster(results: Results) -> Iterator[tuple[str, float, float]]:
    """What must be at least so much: responses a second to ten clients, beside each service."""
    found = {name: each["responses a second"] for name, each in results["load"].items()}
    ours = found["4 environments, tasks"]
    usual = max(found[f"usual, {processes}"] for processes in ("1 process", "4 processes"))
    yield "responses a second to 10 clients, × Hono's", ours / found["4 environments, hono"], 1
    yield "the same, × Powertools'", ours / found["4 environments, resolver"], 0.95
    yield "the same, × the usual service's, at its best", ours / usual, 2


def cold(results: Results) -> Lines:
    """Cold starts, in each circumstance."""
    found = results["cold"]
    yield "## Cold start"
    yield ""
    yield (
        "Milliseconds from the start of a process to the response of `list_tasks`. The key set is "
        "fetched and the database is connected in this time. TLS is PgBouncer's. The last column "
        "adds 5 ms to each round trip to the database, but not to the key set. A start from a "
        "SnapStart snapshot cannot be measured outside of Lambda."
    )
    yield ""
    yield "![Cold start](performance-cold.svg)"
    yield ""
    yield from table(
        ("", *found, "× floor"),
        (
            (
                PEERS[name],
                *(ms(each.get(name)) for each in found.values()),
                f"{figure / found['plain']['floor']:.2f}",
            )
            for name, figure in found["plain"].items()
        ),
    )


def warm_calls(results: Results) -> Lines:
    """Warm operations."""
    found = results["warm"]
    yield "## Warm"
    yield ""
    yield (
        "Milliseconds of `handler(event, context)`, and how much of it is the process's own CPU. "
        "Only this API has row-level security, conditions, idempotency, strict input and metrics. "
        "Every service checks the token's signature in each call; the check alone takes "
        f"{results['signature']:.0f} µs."
    )
    yield ""
    yield "![Warm operation](performance-warm.svg)"
    yield ""
    yield from table(
        ("", *OPERATIONS, "mean", "CPU", "peak MB"),
        (
            (
                PEERS[name],
                *map(ms, each.values()),
                ms(found["cpu"][name]["mean"]),
                f"{found['peak'][name]['MB']:.0f}",
            )
            for name, each in found["clock"].items()
        ),
    )


def layers(results: Results) -> Lines:
    """Where the time of a warm call goes."""
    found = results["layers"]
    yield "Microseconds of each layer by itself, measured at its borders in the same call:"
    yield ""
    yield "![Layers](performance-layers.svg)"
    yield ""
    yield from table(
        ("", *found),
        ((name, *(f"{each.get(name, 0):.0f}" for each in found.values())) for name in found["get"]),
    )


def round_trips(results: Results) -> Lines:
    """Round trips to the database."""
    yield "## Round trips"
    yield ""
    yield (
        "A proxy in front of Postgres counts them. The last column begins without a connection and "
        "ends with the first response."
    )
    yield ""
    yield "![Round trips](performance-round-trips.svg) ![Database](performance-database.svg)"
    yield ""
    yield from table(
        ("", *OPERATIONS, "first response"),
        (
            (PEERS[name], *(each.get(operation, "") for operation in OPERATIONS), each["first"])
            for name, each in results["round_trips"].items()
        ),
    )


def sizes(results: Results) -> Lines:
    """Small and large tables."""
    found = results["sizes"]
    yield "## Size of the table"
    yield ""
    yield (
        f"Milliseconds in a table of 1,000 tasks, all of them the user's, and in one of "
        f"{results['rows']:,}, of which 10,000 are the user's. The deep page is 90 % down the list."
    )
    yield ""
    yield from table(
        ("", *found["small"]), ((name, *map(ms, each.values())) for name, each in found.items())
    )


def load(results: Results) -> Lines:
    """Many clients at once."""
    yield "## Load"
    yield ""
    yield (
        "7 of 10 requests read. Clients make no pause unless one is named. Clients, servers and "
        "Postgres share the CPUs. An environment is Lambda's execution environment: a process that "
        "serves one request at a time. The hundred of them are forks of one process. A client "
        "gives up after 10 s. Times are in milliseconds."
    )
    yield ""
    columns = ("clients", "responses a second", "p50", "p95", "p99", "errors", "hung")
    yield from table(
        ("", *columns),
        (
            (name, *(f"{each[column]:,.0f}" for column in columns))
            for name, each in results["load"].items()
        ),
    )


def costs(results: Results) -> Lines:
    """What a million requests cost, step by step."""
    cpu, wait, start = times = cost.times(results)
    found = cost.cost(*times)
    yield "## Cost"
    yield ""
    yield (
        "Dollars for a million requests in us-east-1 on arm64. Prices: Lambda "
        f"{cost.REQUESTS:.2f} and {cost.GIGABYTE_SECOND:.10f} a GB-second, the HTTP API "
        f"{cost.GATEWAY:.2f}, CloudWatch {cost.LOGS:.2f} a GB, of which a request writes "
        f"{cost.LOG_BYTES} bytes. An operation takes {cpu:.2f} ms of a CPU and waits {wait:.2f} ms "
        f"here. A round trip to a database in the region adds {cost.NETWORK:g} ms. "
        f"{cost.COLD:.0%} of the requests start an environment, which takes {start:.0f} ms here. "
        f"Lambda gives a whole CPU at {cost.FULL_CPU} MB and a share of it below. It bills whole "
        "milliseconds. Its CPU is assumed to be as fast as this machine's."
    )
    yield ""
    yield from table(
        ("MB", "a request, ms", "a start, ms", "requests", "starts", "fixed", "sum"),
        (steps(size, each, cpu, wait, start) for size, each in found.items()),
    )
    yield ""
    yield from recommendation(found)


def steps(size: int, each: dict[str, float], cpu: float, wait: float, start: float) -> list[str]:
    """The arithmetic for a size."""
    share, price = f"{cost.FULL_CPU}/{size}", f"{cost.GIGABYTE_SECOND:.10f}"
    duration, begin = each["duration"], each["start"]
    return [
        f"{size}",
        f"⌈{cpu:.2f} × {share} + {wait:.2f} + {cost.NETWORK:g}⌉ = {duration}",
        f"⌈{start:.0f} × {share}⌉ = {begin}",
        f"{size}/1024 × {duration} × 10³ × {price} = {each['warm']:.3f}",
        f"{size}/1024 × {begin} × 10 × {price} = {each['cold']:.3f}",
        f"{each['fixed']:.3f}",
        f"**{each['all']:.2f}**",
    ]


def recommendation(found: dict[int, dict[str, float]]) -> Lines:
    """Which size, and why."""
    more, most = (
        (found[large]["all"] - found[small]["all"]) * 100
        for small, large in ((512, 1024), (1024, cost.FULL_CPU))
    )
    yield (
        "The fixed part costs most, so choose the memory for speed. The template has **1024 MB**: "
        f"it starts twice as fast as 512 MB, for {more:.1f} cents more a million. "
        f"{cost.FULL_CPU} MB start 1.7 times as fast again, for another {most:.1f} cents. With "
        "SnapStart an environment is restored instead of started. 10⁴ restores cost "
        f"{cost.RESTORE * 1e6 * cost.COLD:.2f} a GB, and a published version costs "
        f"{cost.CACHE * 86_400 * 30:.2f} a GB and month."
    )


def verdict(reached: bool) -> str:
    """Whether a goal is reached, in a word."""
    return "yes" if reached else "**no**"


def ms(figure: float | None) -> str:
    """Milliseconds, as exact as they are."""
    if figure is None:
        return ""
    return f"{figure:.0f}" if figure >= 100 else f"{figure:.3g}"


def table(names: Iterable[object], rows: Iterable[Iterable[object]]) -> Lines:
    """A table in Markdown."""
    heads = list(map(str, names))
    yield f"| {' | '.join(heads)} |"
    yield "|" + "---|" * len(heads)
    for row in rows:
        yield f"| {' | '.join(map(str, row))} |"
