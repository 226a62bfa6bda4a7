"""Calls all operations with what `openapi-python-client` makes of the document."""

import json
import os
import pkgutil
import re
from importlib import import_module
from pathlib import Path
from typing import TypeVar, get_type_hints

from task_api_client import AuthenticatedClient, Client
from task_api_client.api import tasks
from task_api_client.api.health import health
from task_api_client.api.tasks import (
    create_task,
    delete_task,
    get_task,
    list_tasks,
    toggle_task,
    update_task,
)
from task_api_client.models import (
    Health,
    ListTasksSort,
    ProblemDetails,
    TaskCreate,
    TaskPublic,
    TaskToggle,
    TaskUpdate,
)
from task_api_client.types import UNSET, Response, Unset

T = TypeVar("T")

URL, USER = os.environ["API_URL"], os.environ["USER_ID"]
api = AuthenticatedClient(URL, os.environ["TOKEN"])
signed_out = AuthenticatedClient(URL, "nothing")
without_token = Client(URL)
without_database = Client(os.environ["WITHOUT_DATABASE_URL"])


def succeeded(response: Response[T | ProblemDetails], status: int = 200) -> T:
    """What was answered with this status."""
    assert response.status_code == status, response.content
    assert response.parsed is not None
    assert not isinstance(response.parsed, ProblemDetails)
    return response.parsed


def failed(response: Response[T | ProblemDetails], kind: str) -> ProblemDetails:
    """The problem of this kind."""
    assert isinstance(response.parsed, ProblemDetails), response.content
    assert response.parsed.type_ == f"/problems/{kind}"
    return response.parsed


def create() -> TaskPublic:
    body = TaskCreate(title="Buy milk", description=None)
    created: TaskPublic = succeeded(
        create_task.sync_detailed(USER, client=api, body=body, idempotency_key="milk"), 201
    )
    repeated = create_task.sync_detailed(USER, client=api, body=body, idempotency_key="milk")
    assert succeeded(repeated, 201) == created
    assert repeated.headers["Idempotency-Replayed"] == "true"
    other = TaskCreate(title="Buy bread")
    reused = create_task.sync_detailed(USER, client=api, body=other, idempotency_key="milk")
    failed(reused, "idempotency-key-reused")
    empty = create_task.sync_detailed(USER, client=api, body=TaskCreate(title=""))
    errors = failed(empty, "invalid-input").errors
    assert not isinstance(errors, Unset)
    assert [error.pointer for error in errors] == ["/title"]
    return created


def get(task: TaskPublic) -> None:
    assert succeeded(get_task.sync_detailed(USER, task.id, client=api)) == task
    tag = f'"{task.version}"'
    known = get_task.sync_detailed(USER, task.id, client=api, if_none_match=tag)
    assert known.status_code == 304
    failed(get_task.sync_detailed(USER, task.id + 1, client=api), "not-found")


def update(task: TaskPublic) -> TaskPublic:
    whole = TaskUpdate.from_dict(task.to_dict() | {"title": "Buy bread"})  # as it was read
    tag = f'"{task.version}"'
    updated = succeeded(
        update_task.sync_detailed(USER, task.id, client=api, body=whole, if_match=tag)
    )
    assert updated.title == "Buy bread"
    assert updated.created_at == task.created_at < updated.updated_at
    again = update_task.sync_detailed(USER, task.id, client=api, body=whole, if_match=tag)
    failed(again, "precondition-failed")
    return updated


def toggle(task: TaskPublic) -> None:
    assert succeeded(toggle_task.sync_detailed(USER, task.id, client=api)).completed
    body = TaskToggle(completed=False)
    assert not succeeded(toggle_task.sync_detailed(USER, task.id, client=api, body=body)).completed
    failed(toggle_task.sync_detailed(USER, task.id + 1, client=api), "not-found")


def pages() -> None:
    for title in "abcd":
        body = TaskCreate(title=title)
        succeeded(create_task.sync_detailed(USER, client=api, body=body), 201)
    titles: list[str] = []
    cursor: str | Unset = UNSET
    while True:
        page = list_tasks.sync_detailed(
            USER, client=api, sort=ListTasksSort.TITLE, limit=2, cursor=cursor
        )
        titles += [task.title for task in succeeded(page)]
        link = re.search(r"[?&]cursor=([^&>]+)", page.headers.get("Link", ""))
        if not link:
            break
        cursor = link[1]
    assert titles == ["a", "b", "Buy bread", "c", "d"]
    failed(list_tasks.sync_detailed(USER, client=api, limit=501), "invalid-input")


def others(task: TaskPublic) -> None:
    """Operations on a task that are not called by name, with the body of their example."""
    paths = json.loads(Path(os.environ["DOCUMENT"]).read_text())["paths"].values()
    described = {each["operationId"]: each for path in paths for each in path.values()}
    for name in {each.name for each in pkgutil.iter_modules(tasks.__path__)} - globals().keys():
        call = import_module(f"{tasks.__name__}.{name}").sync_detailed
        options = {"client": api}
        if "requestBody" in described[name]:
            [content] = described[name]["requestBody"]["content"].values()
            options["body"] = get_type_hints(call)["body"].from_dict(content["example"])
        assert call(USER, task.id, **options).status_code < 300, name


def delete(task: TaskPublic) -> None:
    failed(delete_task.sync_detailed(USER, task.id, client=signed_out), "unauthorized")
    assert delete_task.sync_detailed(USER, task.id, client=api).status_code == 204
    failed(delete_task.sync_detailed(USER, task.id, client=api), "not-found")


def look_after_health() -> None:
    well: Health = succeeded(health.sync_detailed(client=without_token))
    assert well.status == "ok"
    failed(health.sync_detailed(client=without_database), "unavailable")


task = create()
get(task)
updated = update(task)
toggle(updated)
pages()
others(updated)
delete(updated)
look_after_health()
