"""What an operation takes in an environment that is warm, and how often it asks the network."""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from statistics import mean, median

import psycopg

from benchmarks.events import OPERATIONS, User
from benchmarks.measure import Figures
from benchmarks.peer import ALL, Environment, Peer, Reply, environment
from benchmarks.stage import Stage
from local.network import proxy

PROCESSES = 6
BLOCK = 5
UNTIL_WARM = 25


def each_operation(environment: Environment, user: User) -> dict[str, Reply]:
    """Carry out all six on a new task, which is gone at the end."""
    replies = {name: environment.ask(user.ask(name)) for name in ("list", "create")}
    task_id = replies["create"].content["id"]
    replies |= {name: environment.ask(user.ask(name, task_id)) for name in OPERATIONS[2:]}
    assert all(reply.status < 300 for reply in replies.values()), replies
    return replies


def run(stage: Stage, user: User, rounds: int) -> dict[str, dict[str, Figures]]:
    """Milliseconds, of the clock and of the processor, and the peak of memory; by peer.

    Where a process has happened to put what in memory is worth some per cent, so that there are
    several of each peer, one after the other.
    """
    clock: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    cpu: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    peak: dict[str, float] = {}
    for _ in range(PROCESSES):
        with ExitStack() as held:
            environments = [held.enter_context(warmed(peer, stage, user)) for peer in ALL]
            for _ in range(rounds // PROCESSES):
                for each in environments:
                    for _ in range(BLOCK):
                        for operation, reply in each_operation(each, user).items():
                            clock[each.peer.name][operation].append(reply.milliseconds)
                            cpu[each.peer.name][operation].append(reply.cpu)
            for each in environments:
                peak[each.peer.name] = max(each.peak, peak.get(each.peer.name, 0))
    return {
        "clock": {name: summary(figures) for name, figures in clock.items()},
        "cpu": {name: summary(figures) for name, figures in cpu.items()},
        "peak": {name: {"MB": figure} for name, figure in peak.items()},
    }


@contextmanager
def warmed(peer: Peer, stage: Stage, user: User) -> Iterator[Environment]:
    """An environment that has done everything before."""
    variables = stage.environment | {"DATABASE_URL": stage.url(login=peer.login)}
    with environment(peer, variables) as made:
        for _ in range(UNTIL_WARM):
            each_operation(made, user)
        yield made


def summary(figures: dict[str, list[float]]) -> Figures:
    """The median of each operation, and the mean of the six."""
    found = {operation: median(figures[operation]) for operation in OPERATIONS}
    return found | {"mean": mean(found.values())}


def round_trips(stage: Stage, user: User) -> dict[str, Figures]:
    """Round trips to the database, counted by a proxy, from nothing and then per operation."""
    found: dict[str, Figures] = {}
    for peer in ALL:
        with proxy(stage.url(login=peer.login)) as network:
            url = f"{network.url}?sslmode=disable"
            with environment(peer, stage.environment | {"DATABASE_URL": url}) as asked:
                asked.ask(user.ask("list"))
                counted: Figures = {"first": network.round_trips}
                task_id = 0
                for name in ("create", "list", "get", "update", "toggle", "delete"):
                    before = network.round_trips
                    reply = asked.ask(user.ask(name, task_id))
                    counted[name] = network.round_trips - before
                    task_id = task_id or reply.content["id"]
        found[peer.name] = counted
    with proxy(stage.url()) as network:
        with psycopg.connect(f"{network.url}?sslmode=disable", autocommit=True) as raw:
            raw.execute("SELECT 1")
        found["psycopg"] = {"first": network.round_trips}
    return found
