"""`python -m benchmarks`: measure everything; `--quick` the most important, without the page."""

import json
import os
import platform
import subprocess
import sys
import timeit
from base64 import urlsafe_b64decode
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks import cold, installed, load, report, sizes, warm
from benchmarks.check import check
from benchmarks.events import OPERATIONS, User
from benchmarks.measure import say
from benchmarks.peer import ALL, TASKS, environment
from benchmarks.stage import Stage, prepare, stage
from local.issuer import Issuer
from local.pgbouncer import MissingError, of_debian_13

RESULTS = Path(__file__).with_name("results.json")
LAYERS = Path(__file__).with_name("layers.py")
ROWS = 2_000_000
PAGE_OF = 10  # tasks that the list of a warm or cold call answers with


def main(*, quick: bool) -> None:
    """Measure, and write down what was found. Raises MissingError without PgBouncer."""
    of_debian_13()
    results: dict[str, Any] = {
        "command": "make bench-quick" if quick else "make bench",
        "when": f"{datetime.now(UTC).date()}",
        "machine": machine(),
    }
    say("building the artifact, installing the peers")
    prepare()
    with stage() as made:
        user, other = load.users(made, "user", 2)
        for peer in ALL:
            say(f"checking {peer.name}")
            variables = made.environment | {"DATABASE_URL": made.url(login=peer.login)}
            with environment(peer, variables) as asked:
                check(asked, user, other)
                for _ in range(PAGE_OF if peer is TASKS else 0):
                    asked.ask(user.ask("create"))
        say("warm operations")
        results["warm"] = warm.run(made, user, rounds=6 if quick else 48)
        say("round trips")
        results["round_trips"] = warm.round_trips(made, user)
        say("cold starts")
        results["cold"] = cold.run(made, user.ask("list"), rounds=3 if quick else 12)
        if not quick:
            measure_the_rest(made, user, results)
    if quick:
        summarise(results)
    else:
        results["machine"]["load_after"] = os.getloadavg()[0]
        RESULTS.write_text(json.dumps(results, indent=1) + "\n")
        report.write(results)
    say("done")


def measure_the_rest(made: Stage, user: User, results: dict[str, Any]) -> None:
    """What takes its time."""
    say("layers of a warm call")
    results["layers"] = layers(made, user)
    results["signature"] = signature(user.token, made.issuer)
    say("ten clients: four environments, and the usual service")
    found = load.throughput(made, seconds=2, rounds=9)
    say("a hundred clients of the usual service")
    found["usual, 1 process, 100 clients"] = load.collapse(made, 10)
    say("the development server, a hundred clients")
    found["development server"] = load.development(made, 10)
    say("a hundred environments behind PgBouncer")
    pauses = {0.0: "without a pause", 0.25: "a request each 0.25 s", 1.0: "a request each second"}
    for pause, figures in load.crowded(made, 10, tuple(pauses)).items():
        found[f"100 environments, PgBouncer, {pauses[pause]}"] = figures
    results["load"] = found
    say(f"filling a table with {ROWS:,} rows")
    results["rows"] = ROWS
    results["sizes"] = sizes.run(made, user, ROWS, rounds=150)


def layers(made: Stage, user: User) -> dict[str, dict[str, float]]:
    """Microseconds of each layer, by operation."""
    variables = made.environment | TASKS.environment() | {"DATABASE_URL": made.url(login="api")}
    with environment(TASKS, variables) as asked:
        task_id = asked.ask(user.ask("create")).content["id"]
    asks = {name: user.ask(name, task_id) for name in OPERATIONS if name != "delete"}
    with TemporaryDirectory() as folder:
        events, result = Path(folder) / "events", Path(folder) / "result"
        events.write_text(
            json.dumps({name: (request.handler, request.event) for name, request in asks.items()})
        )
        command = [installed.python(), "-S", str(LAYERS), str(events), "1000", str(result)]
        subprocess.run(command, env=variables, check=True, stdout=subprocess.DEVNULL)
        found: dict[str, dict[str, float]] = json.loads(result.read_text())
    return found


def signature(token: str, issuer: Issuer) -> float:
    """Microseconds of checking the signature of a token."""
    message, _, encoded = token.rpartition(".")
    made, key = urlsafe_b64decode(f"{encoded}=="), issuer.key.public_key()
    checks = timeit.repeat(lambda: key.verify(made, message.encode()), repeat=1000, number=1)
    return median(checks) * 1e6


def machine() -> dict[str, Any]:
    """Where this runs."""
    models = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    node = subprocess.run(
        ["node", "--version"],  # noqa: S607
        check=True,
        capture_output=True,
        text=True,
    )
    version = "import platform; print(platform.python_version())"
    python = subprocess.run(
        [installed.python(), "-c", version], check=True, capture_output=True, text=True
    )
    return {
        "cpu": models[0] if models else platform.machine(),
        "cpus": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": python.stdout.strip(),
        "node": node.stdout.strip(),
        "load": os.getloadavg()[0],
    }


def summarise(results: dict[str, Any]) -> None:
    """Print what the quick run has found."""
    clock, plain = results["warm"]["clock"], results["cold"]["plain"]
    for name, figure in plain.items():
        print(f"cold  {name:26} {figure:8.1f} ms {figure / plain['floor']:6.2f} × floor")
    for name, each in clock.items():
        mean = each["mean"]
        print(f"warm  {name:26} {mean:8.3f} ms {mean / clock['floor']['mean']:6.2f} × floor")
    for name, each in results["round_trips"].items():
        print(f"round trips {name:26}", *(f"{key} {value}" for key, value in each.items()))


if __name__ == "__main__":
    try:
        main(quick="--quick" in sys.argv)
    except MissingError as error:
        sys.exit(str(error))
