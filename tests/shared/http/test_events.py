"""Events of API Gateway (payload format 2.0), and responses in its form."""

import json
from base64 import b64encode
from typing import Any

import pytest

from shared.http.events import ON_EVERY_RESPONSE, GatewayEvent
from tests.functions.support import short


def read(**event: Any) -> GatewayEvent:
    return GatewayEvent(event, None, {})  # type: ignore[arg-type,typeddict-item]


def at(path: str, route: str = "ANY /{proxy+}", **parameters: object) -> str:
    http = {"method": "GET", "path": path}
    event = read(routeKey=route, pathParameters=parameters, requestContext={"http": http})
    found: str = event.scope["path"]
    return found


class TestPath:
    ROUTE = "GET /api/{user_id}/tasks/{id}"

    @pytest.mark.parametrize(
        ("user_id", "encoded"),
        [
            ("alice", "alice"),
            ("auth0|42", "auth0%7C42"),
            ("a/b", "a%2Fb"),
            ("a%2Fb", "a%252Fb"),
            ("100%", "100%25"),
            ("a b", "a%20b"),
            ("\u00fc", "%C3%BC"),
            ("..", ".."),
            ("\ud800", "%ED%A0%80"),
            ("\\1\\g<0>", "%5C1%5Cg%3C0%3E"),
        ],
        ids=short,
    )
    def test_has_each_parameter_in_one_segment(self, user_id: str, encoded: str) -> None:
        path = at(f"/api/{user_id}/tasks/7", self.ROUTE, user_id=user_id, id="7")
        assert path == f"/api/{encoded}/tasks/7"

    @pytest.mark.parametrize("parameters", [{}, {"user_id": "alice"}, {"user_id": 1, "id": "7"}])
    def test_is_that_of_the_request_where_parameters_are_missing(
        self, parameters: dict[str, object]
    ) -> None:
        assert at("/api/alice/tasks/7", self.ROUTE, **parameters) == "/api/alice/tasks/7"

    def test_of_a_greedy_parameter_has_segments(self) -> None:
        assert at("/api/a b/x", "ANY /{proxy+}", proxy="api/a b/x") == "/api/a%20b/x"

    def test_without_parameters_is_that_of_the_request(self) -> None:
        assert at("/health", "GET /health") == "/health"

    def test_may_be_decoded_already_or_not(self) -> None:
        assert at("/api/\u00fc/x") == at("/api/%C3%BC/x") == "/api/%C3%BC/x"

    def test_is_empty_where_there_is_none(self) -> None:
        assert read().scope["path"] == ""


class TestScope:
    def test_has_what_the_app_needs(self) -> None:
        scope = read(
            routeKey="GET /health",
            rawQueryString="a=1&b=%20",
            headers={"Content-Type": "text/plain", "X-N": "\u00e9", "x-odd": 1, "x-wide": "\u6f22"},
            requestContext={"requestId": "r-1", "http": {"method": "POST", "path": "/health"}},
        ).scope
        assert scope["type"] == "http"
        assert scope["method"] == "POST"
        assert scope["query_string"] == b"a=1&b=%20"
        assert scope["headers"] == [
            (b"content-type", b"text/plain"),
            (b"x-n", b"\xc3\xa9"),
            (b"x-wide", b"\xe6\xbc\xa2"),
        ]
        assert scope["request_id"] == "r-1"
        assert scope["route_key"] == "GET /health"

    def test_belongs_to_this_class_whatever_the_event(self) -> None:
        assert GatewayEvent.infer({}, None, {})  # type: ignore[arg-type,typeddict-item]


class TestBody:
    @pytest.mark.parametrize(
        ("event", "body"),
        [
            ({}, b""),
            ({"body": None}, b""),
            ({"body": 1}, b""),
            ({"body": "\u00e9"}, b"\xc3\xa9"),
            ({"body": "\ud800"}, b"\xed\xa0\x80"),
            ({"body": "{}", "isBase64Encoded": False}, b"{}"),
            ({"body": b64encode(b"\xff\0").decode(), "isBase64Encoded": True}, b"\xff\0"),
            ({"body": "", "isBase64Encoded": True}, b""),
        ],
        ids=short,
    )
    def test_is_bytes(self, event: dict[str, Any], body: bytes) -> None:
        assert read(**event).body == body

    @pytest.mark.parametrize("body", ["{}", "=", "e30", "e30=!", "\u00e9", '{"title": "\u00e9"}'])
    def test_that_is_not_the_base64_it_should_be_is_no_json(self, body: str) -> None:
        with pytest.raises(ValueError, match=r"Expecting|codec|Extra"):
            json.loads(read(body=body, isBase64Encoded=True).body.decode())


class TestResponse:
    def response(self, body: bytes = b"{}", *headers: tuple[bytes, bytes]) -> dict[str, Any]:
        event = read(requestContext={"requestId": "r-1"})
        response = {"status": 200, "headers": headers, "body": body}
        return event(response)  # type: ignore[arg-type]

    def test_has_the_form_of_the_gateway(self) -> None:
        content_type = (b"Content-Type", b"application/problem+json")
        assert self.response("\u00e9".encode(), content_type) == {
            "statusCode": 200,
            "headers": {
                "x-request-id": "r-1",
                **ON_EVERY_RESPONSE,
                "content-type": "application/problem+json",
            },
            "body": "\u00e9",
            "isBase64Encoded": False,
        }

    def test_says_nothing_of_a_body_that_is_not_there(self) -> None:
        headers = self.response(b"", (b"content-type", b"application/json"))["headers"]
        assert "content-type" not in headers
