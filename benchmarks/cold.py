"""From the start of a process to the first response."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import perf_counter, sleep

from benchmarks.events import Request
from benchmarks.measure import Figures, interleaved, medians
from benchmarks.peer import ALL, FLOOR, HONO, RESOLVER, TASKS, UNCOMPILED, Peer
from benchmarks.peer import environment as started
from benchmarks.stage import Stage, tls
from local.network import Link, Proxy, proxy

ROUND_TRIP = 0.005  # seconds, as to a database in another availability zone


class SlowProxy(Proxy):
    """A network on which each round trip takes a while."""

    def _hear(self, link: Link, data: bytes) -> tuple[bytes, bool]:
        if link.answered:
            sleep(ROUND_TRIP)
        return super()._hear(link, data)


@contextmanager
def slow(url: str) -> Iterator[str]:
    """A database behind such a network; yields its URL."""
    with proxy(url) as made:
        made.__class__ = SlowProxy
        yield f"{made.url}?sslmode=disable"


def cold(peer: Peer, variables: dict[str, str], request: Request) -> Callable[[], float]:
    """Start an environment and have it answer; milliseconds."""

    def job() -> float:
        with started(peer, variables, [request.handler]) as environment:
            reply = environment.ask(request)
            elapsed = perf_counter() - environment.started
        assert reply.status == 200, reply
        return elapsed * 1000

    return job


def run(stage: Stage, request: Request, rounds: int) -> dict[str, Figures]:
    """Milliseconds in each circumstance, by peer."""

    def variables(peer: Peer, url: str | None = None) -> dict[str, str]:
        return stage.environment | {"DATABASE_URL": url or stage.url(login=peer.login)}

    peers = (*ALL, UNCOMPILED)
    jobs = {peer.name: cold(peer, variables(peer), request) for peer in peers}
    plain = medians(interleaved(jobs, rounds))
    with tls(stage) as pooler:
        jobs = {
            peer.name: cold(
                peer, variables(peer, f"{pooler.url('tasks', peer.login)}?sslmode=require"), request
            )
            for peer in (FLOOR, TASKS, RESOLVER)
        }
        encrypted = medians(interleaved(jobs, max(2, rounds // 2)))
    with slow(stage.url()) as owner, slow(stage.url(login=TASKS.login)) as api:
        far = {
            peer.name: cold(peer, variables(peer, api if peer is TASKS else owner), request)
            for peer in (FLOOR, TASKS, HONO)
        }
        distant = medians(interleaved(far, max(2, rounds // 2)))
    return {
        "plain": plain,
        "TLS": encrypted,
        "5 ms a round trip": distant,
    }
