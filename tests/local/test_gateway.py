"""The gateway in small: makes the events that API Gateway makes, for the routes of a template."""

import json
from base64 import b64decode
from pathlib import Path
from typing import Any

import httpx2
import pytest

from local.gateway import Event, Gateway, GatewayTransport, Route, make_event, read_routes

TEMPLATE = """
Resources:
  Api:
    Type: AWS::Serverless::HttpApi
    Properties:
      Name: !Sub "${AWS::StackName}"
  Fallback:
    Type: AWS::Serverless::Function
    Properties:
      Handler: functions.fallback.handler
      Events:
        Any: {Type: HttpApi, Properties: {ApiId: !Ref Api, Method: ANY, Path: "/{proxy+}"}}
        Get: {Type: HttpApi, Properties: {ApiId: !Ref Api, Method: GET, Path: "/{proxy+}"}}
  Item:
    Type: AWS::Serverless::Function
    Properties:
      Handler: functions.item.handler
      Events:
        Http: {Type: HttpApi, Properties: {Method: GET, Path: "/items/{id}"}}
        Timer: {Type: Schedule, Properties: {Schedule: rate(1 day)}}
  Table:
    Type: AWS::DynamoDB::Table
"""
ROUTE = Route("PUT", "/items/{id}", "Item", "functions.item.handler")


def event_of(body: bytes = b"", *headers: tuple[str, str], path: str = "/items/1") -> Event:
    return make_event(ROUTE, {"id": "1"}, "PUT", path, "a=%20b", headers, body)


class Recorder:
    """A handler that remembers its event."""

    def __init__(self) -> None:
        self.event: dict[str, Any] = {}

    def __call__(self, event: dict[str, Any], context: Any) -> dict[str, Any]:
        self.event = event
        assert context.aws_request_id == event["requestContext"]["requestId"]
        assert context.get_remaining_time_in_millis() > 0
        headers = {"content-type": "text/plain", "x-a": "b"}
        return {"statusCode": 418, "headers": headers, "body": "\u00e9", "isBase64Encoded": False}


@pytest.fixture
def template(tmp_path: Path) -> Path:
    """A template with what templates have."""
    path = tmp_path / "template.yaml"
    path.write_text(TEMPLATE)
    return path


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    """What is behind every route."""
    recorder = Recorder()
    monkeypatch.setattr(Route, "call", recorder)
    return recorder


class TestRoutes:
    def test_are_those_of_the_template(self, template: Path) -> None:
        keys = [route.key for route in read_routes(template)]
        assert keys == ["GET /items/{id}", "GET /{proxy+}", "ANY /{proxy+}"]

    def test_name_their_function_and_handler(self, template: Path) -> None:
        route = read_routes(template)[0]
        assert (route.function, route.handler) == ("Item", "functions.item.handler")

    def test_lead_to_the_real_handlers(self) -> None:
        routes = read_routes()
        assert len({route.handler for route in routes}) >= 8
        assert all(callable(route.call) for route in routes)
        assert routes[-1].handler == "functions.fallback.handler"

    @pytest.mark.parametrize(
        ("method", "path", "parameters"),
        [
            ("PUT", "/items/1", {"id": "1"}),
            ("PUT", "/items/a%2Fb%25", {"id": "a/b%"}),
            ("PUT", "/items/", None),
            ("PUT", "/items/1/", None),
            ("PUT", "/items/1/2", None),
            ("PUT", "/ITEMS/1", None),
            ("GET", "/items/1", None),
        ],
    )
    def test_match_a_method_and_a_path(
        self, method: str, path: str, parameters: dict[str, str] | None
    ) -> None:
        assert ROUTE.match(method, path) == parameters

    def test_match_more_where_they_are_greedy(self) -> None:
        route = Route("ANY", "/{proxy+}", "Fallback", "functions.fallback.handler")
        assert route.match("PATCH", "/a/b%20c") == {"proxy": "a/b c"}
        assert route.match("GET", "/") is None


class TestEvents:
    def test_have_the_members_of_payload_format_2(self) -> None:
        event = event_of()
        assert event["version"] == "2.0"
        assert event["routeKey"] == event["requestContext"]["routeKey"] == "PUT /items/{id}"
        assert event["rawQueryString"] == "a=%20b"
        assert event["pathParameters"] == {"id": "1"}
        assert event["requestContext"]["http"]["method"] == "PUT"
        assert event["requestContext"]["stage"] == "$default"
        assert event["requestContext"]["requestId"] != event_of()["requestContext"]["requestId"]
        json.dumps(event)

    def test_have_a_decoded_path(self) -> None:
        event = event_of(path="/items/a%2Fb")
        assert event["rawPath"] == event["requestContext"]["http"]["path"] == "/items/a/b"

    def test_have_headers_in_lower_case_joined_by_commas(self) -> None:
        headers = event_of(b"", ("X-A", "1"), ("x-a", "2"), ("Host", "h"))["headers"]
        assert headers == {"x-a": "1,2", "host": "h"}

    def test_have_cookies_apart(self) -> None:
        event = event_of(b"", ("Cookie", "a=b; c=d"))
        assert event["cookies"] == ["a=b", "c=d"]
        assert "cookie" not in event["headers"]
        assert "cookies" not in event_of()

    def test_have_no_body_where_there_is_none(self) -> None:
        assert "body" not in event_of()
        assert event_of()["isBase64Encoded"] is False

    @pytest.mark.parametrize("content_type", ["application/json", "text/plain; charset=utf-8"])
    def test_have_text_as_it_is(self, content_type: str) -> None:
        event = event_of("\u00e9".encode(), ("Content-Type", content_type))
        assert event["body"] == "\u00e9"
        assert event["isBase64Encoded"] is False

    @pytest.mark.parametrize("content_type", ["application/octet-stream", "application/json", ""])
    def test_have_what_is_not_text_in_base64(self, content_type: str) -> None:
        event = event_of(b"\xff", ("Content-Type", content_type))
        assert b64decode(event["body"]) == b"\xff"
        assert event["isBase64Encoded"] is True


class TestTransport:
    def test_lets_a_client_talk_to_a_handler(self, template: Path, recorder: Recorder) -> None:
        transport = GatewayTransport(Gateway.of_template(template))
        with httpx2.Client(transport=transport, base_url="https://api.test") as client:
            response = client.get("/items/a%2Fb?c=d%20e", headers=[("X-A", "1"), ("X-A", "2")])
        assert (response.status_code, response.text) == (418, "\u00e9")
        assert response.headers["x-a"] == "b"
        assert recorder.event["pathParameters"] == {"id": "a/b"}
        assert recorder.event["rawQueryString"] == "c=d%20e"
        assert recorder.event["headers"]["x-a"] == "1,2"

    @pytest.mark.parametrize(
        ("method", "path", "key"),
        [
            ("GET", "/items/1", "GET /items/{id}"),
            ("GET", "/items/1/2", "GET /{proxy+}"),
            ("POST", "/items/1", "ANY /{proxy+}"),
            ("GET", "/", "ANY /{proxy+}"),
        ],
    )
    def test_takes_the_most_specific_route_or_the_last(
        self, template: Path, recorder: Recorder, method: str, path: str, key: str
    ) -> None:
        assert Gateway.of_template(template)(method, path)["statusCode"] == 418
        assert recorder.event["routeKey"] == key
