"""What an operation needs beside its file: its places in the template, and in the client."""

import re
from typing import Any

import pytest
import yaml

from local.gateway import Route, read_routes
from tests.conftest import ROOT

FUNCTIONS = sorted(path.stem for path in (ROOT / "functions").glob("[!_]*.py"))
ROUTES = [route for route in read_routes() if "{user_id}" in route.path]
CLIENT = ROOT / "clients/typescript/src"

each_route = pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.key)


class Loader(yaml.SafeLoader):
    """Reads CloudFormation's short forms, such as `!Ref`, as what they are about."""

    def construct_short_form(self, _: str, node: yaml.Node) -> Any:
        match node:
            case yaml.SequenceNode():
                return self.construct_sequence(node, deep=True)
            case _:
                return self.construct_scalar(node)  # type: ignore[arg-type]


Loader.add_multi_constructor("!", Loader.construct_short_form)
RESOURCES = yaml.load((ROOT / "template.yaml").read_text(), Loader)["Resources"]


def properties(kind: str) -> list[dict[str, Any]]:
    """The properties of all resources of a kind."""
    return [each["Properties"] for each in RESOURCES.values() if each["Type"] == kind]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_is_in_the_template(name: str) -> None:
    handlers = {each["Handler"] for each in properties("AWS::Serverless::Function")}
    assert f"functions.{name}.handler" in handlers, (
        f"give functions/{name}.py a function in template.yaml, as CONTRIBUTING.md shows it"
    )


@each_route
def test_an_operation_has_its_throttle(route: Route) -> None:
    [api] = properties("AWS::Serverless::HttpApi")
    assert route.key in api["RouteSettings"], (
        f'say in RouteSettings, in template.yaml, how often "{route.key}" may be asked for;'
        " else it shares the few requests of what needs no token"
    )


@each_route
def test_what_lambda_refuses_of_an_operation_is_alarmed(route: Route) -> None:
    metrics = RESOURCES["ThrottlesAlarm"]["Properties"]["Metrics"]
    watched = {
        dimension["Value"]
        for each in metrics
        for dimension in each.get("MetricStat", {}).get("Metric", {}).get("Dimensions", [])
    }
    assert route.function in watched, (
        f"let the ThrottlesAlarm, in template.yaml, have the throttles of {route.function}"
    )


def called_by_the_client() -> set[str]:
    """The routes that the TypeScript client asks for."""
    source = "\n".join(path.read_text() for path in CLIENT.glob("*.ts"))
    paths = dict(re.findall(r'^const (\w+) = "(/.*)";$', source, re.MULTILINE))
    for name, path in paths.items():
        source = source.replace(f"${{{name}}}", path)
    calls = re.findall(r"client\.([A-Z]+)\(`?([^`,]+)", source)
    return {f"{method} {paths.get(path, path)}" for method, path in calls}


@each_route
def test_the_client_calls_an_operation(route: Route) -> None:
    assert route.key in called_by_the_client(), (
        f"give the client a function that asks for {route.key}, in clients/typescript/src/tasks.ts"
    )
