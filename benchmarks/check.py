"""What every peer must answer before it is timed."""

from dataclasses import replace

from benchmarks.events import User
from benchmarks.peer import Environment


def check(environment: Environment, user: User, other: User) -> None:
    """Raise AssertionError unless the six operations do what they should, for their owner only."""

    def status(operation: str, task_id: int = 0, *, asks: User = user) -> int:
        return environment.ask(asks.ask(operation, task_id)).status

    created = environment.ask(user.ask("create"))
    task = created.content
    said = {"title": "Buy milk", "description": "Two litres", "completed": False, "version": 1}
    assert created.status == 201, created
    assert said.items() <= task.items(), task
    assert task["user_id"] == user.subject
    assert environment.ask(user.ask("list")).content[0]["id"] == task["id"]
    assert environment.ask(user.ask("get", task["id"])).content["title"] == "Buy milk"
    assert environment.ask(user.ask("update", task["id"])).content["title"] == "Buy bread"
    toggled = environment.ask(user.ask("toggle", task["id"])).content
    assert (toggled["completed"], toggled["version"]) == (True, 3), toggled
    assert status("get", task["id"], asks=other) == 404
    assert status("list", asks=replace(other, subject=user.subject)) == 403
    assert status("list", asks=replace(user, token=user.token[:-4] + "AAAA")) == 401
    assert status("delete", task["id"]) == 204
    assert status("get", task["id"]) == 404
