"""What `make openapi` says where something of an operation is missing."""

from pathlib import Path

import pytest
from fastapi import Query
from fastapi.routing import APIRoute
from pydantic import BaseModel

from scripts import openapi


class Label(BaseModel):
    """A model without an example."""

    name: str


def route(path: str = "/api/{user_id}/tasks", *, asks: object = None) -> APIRoute:
    def add_label(colour: str = Query(examples=["red"])) -> Label:
        return Label(name=colour)

    def find_labels(colour: str = Query()) -> None: ...

    return APIRoute(path, find_labels if asks else add_label, name="an_operation")


def paint() -> APIRoute:
    """Takes what no example of an invalid request is known for."""

    def paint_tasks(colour: str = Query(examples=["red"])) -> None: ...

    return APIRoute("/api/{user_id}/tasks", paint_tasks, status_code=204, name="an_operation")


@pytest.fixture
def operation(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> object:
    """Lets the document have one operation, and the file stand elsewhere."""
    monkeypatch.setattr(openapi, "ROOT", tmp_path)
    (tmp_path / "openapi.json").write_text("as it was")

    def only(one: APIRoute) -> None:
        one.operation_id = "an_operation"
        monkeypatch.setattr(openapi, "operations", lambda: [one])

    return only


@pytest.mark.parametrize(
    ("one", "sentence"),
    [
        (route(), "an_operation: there is no example. Give one to the model Label"),
        (route(asks=True), "an_operation: the parameter colour has no example"),
        (route("/api/{user_id}/labels"), "an_operation: say in GROUPS of"),
        (paint(), "an_operation: say in WRONG of"),
    ],
    ids=["example", "parameter", "group", "invalid"],
)
def test_what_is_missing_is_named_and_the_file_stays(
    operation: object, tmp_path: Path, one: APIRoute, sentence: str
) -> None:
    assert callable(operation)
    operation(one)
    with pytest.raises(SystemExit, match=sentence):
        openapi.main()
    assert (tmp_path / "openapi.json").read_text() == "as it was"


def test_a_file_that_is_out_of_date_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(openapi, "ROOT", tmp_path)
    (tmp_path / "openapi.json").write_text("{}")
    with pytest.raises(SystemExit, match="make openapi"):
        openapi.main("--check")
    openapi.main()
    openapi.main("--check")
