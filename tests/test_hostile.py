"""Whatever is sent, the response is one: never a 5xx, never an exception out of a handler."""

import json
from base64 import b64encode
from collections.abc import Callable
from typing import Any

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from local.gateway import Context, Gateway, Route, make_event
from shared.models import TaskCreate
from tests.conftest import User
from tests.functions.support import (
    JSON,
    PYTHONS_NAMES,
    WITH_A_BODY,
    Operation,
    each_operation,
    each_with_a_body,
    problem,
    short,
    task,
)

hostile = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

DOCUMENTED = {200, 201, 204, 304, 308, 400, 401, 403, 404, 405, 409, 412, 413, 415, 422}
MEGABYTE = 1024 * 1024

GATEWAY = Gateway.of_template()
each_route = pytest.mark.parametrize("route", GATEWAY.routes, ids=lambda route: route.key)

any_text = st.text(st.characters(), max_size=40)
nasty_text = st.sampled_from(
    (
        "",
        "\0",
        "\ud800",
        "%00",
        "%ff",
        "%",
        "..",
        "/",
        "\r\nX: y",
        "\u2028",
        "'",
        "9" * 5000,
        "\x7f",
    )
)
texts = any_text | nasty_text
latin = st.text(st.characters(max_codepoint=255, exclude_characters="\r\n\0"), max_size=60)
numbers = st.integers() | st.floats() | st.sampled_from((2**63, -(2**63), 10**400, 0.1, -0.0))
values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)
members = st.dictionaries(
    st.sampled_from((*TaskCreate.model_fields, *PYTHONS_NAMES)) | texts,
    values,
    max_size=5,
)


def check(response: dict[str, Any]) -> dict[str, Any]:
    """Check that a response is one that the gateway understands, and none that is our fault."""
    assert response.keys() == {"statusCode", "headers", "body", "isBase64Encoded"}
    assert response["statusCode"] in DOCUMENTED
    assert response["isBase64Encoded"] is False
    for name, value in response["headers"].items():
        assert (name + value).isascii()
        assert (name + value).isprintable()
    response["body"].encode()
    if response["statusCode"] >= 400:
        assert response["headers"]["content-type"] == "application/problem+json"
        assert json.loads(response["body"])["status"] == response["statusCode"]
    return response


def event_of(user: User, operation: Operation, task_id: object = 1) -> tuple[Route, dict[str, Any]]:
    """The event of an operation of a user's, and the route that it takes."""
    path = user.path + operation.path.format(id=task_id)
    for route in GATEWAY.routes:
        parameters = route.match(operation.method, path)
        if parameters is not None:
            headers = [("Authorization", f"Bearer {user.token}"), *JSON.items()]
            body = json.dumps(operation.body).encode() if operation.body else b""
            return route, make_event(route, parameters, operation.method, path, "", headers, body)
    raise AssertionError(operation)


def invoke(route: Route, event: Any) -> dict[str, Any]:
    return check(route.call(event, Context(route.function, "request")))


class TestBodies:
    @each_with_a_body
    @given(body=members)
    @hostile
    def test_of_any_members(self, alice: User, operation: Operation, body: object) -> None:
        content = json.dumps(body).encode()
        response = operation.ask(alice, 1, content=content, headers=JSON)
        assert response.status_code in DOCUMENTED

    @each_with_a_body
    @given(content=st.binary(max_size=80) | values.map(lambda value: json.dumps(value).encode()))
    @hostile
    def test_of_any_bytes(self, alice: User, operation: Operation, content: bytes) -> None:
        response = operation.ask(alice, 1, content=content, headers=JSON)
        assert response.status_code in DOCUMENTED

    @given(title=texts, description=texts | st.none())
    @hostile
    def test_come_back_as_they_were_stored(
        self, alice: User, title: str, description: str | None
    ) -> None:
        content = json.dumps({"title": title, "description": description}).encode()
        response = alice.request("POST", content=content, headers=JSON)
        if response.status_code != 422:
            created = task(response, 201)
            assert created["title"] in title
            assert 1 <= len(created["title"]) <= 255
            assert created["description"] == description
            assert task(alice.get(created["id"])) == created
            found = alice.list(sort="title", limit=500).json()
            assert created in found

    @each_with_a_body
    @pytest.mark.parametrize(
        "content",
        [
            b"[" * MEGABYTE,
            b'{"title":' * (MEGABYTE // 9),
            b'{"title": "' + b"x" * MEGABYTE + b'"}',
            b" " * MEGABYTE,
            b"\0" * MEGABYTE,
        ],
        ids=short,
    )
    def test_of_a_megabyte(self, alice: User, operation: Operation, content: bytes) -> None:
        problem(operation.ask(alice, 1, content=content, headers=JSON), 413)

    @each_with_a_body
    @pytest.mark.parametrize("depth", [10, 100, 900, 990, 1000, 1100, 5_000, 30_000])
    @pytest.mark.parametrize("pattern", ["[]", '{"a":}'], ids=str)
    def test_of_any_depth(
        self, alice: User, operation: Operation, depth: int, pattern: str
    ) -> None:
        depth = min(depth, 60_000 // len(pattern))
        nested = pattern[:-1] * depth + "1" + pattern[-1] * depth
        content = f'{{"title": {nested}}}'.encode()
        response = operation.ask(alice, 1, content=content, headers=JSON)
        assert response.status_code in {400, 422}

    @each_with_a_body
    def test_of_a_thousand_members(self, alice: User, operation: Operation) -> None:
        content = json.dumps({f"m{n}": n for n in range(4_000)}).encode()
        problem(operation.ask(alice, 1, content=content, headers=JSON), 422)

    @each_operation
    def test_where_none_is_expected(self, alice: User, operation: Operation) -> None:
        if operation not in WITH_A_BODY:
            response = operation.ask(
                alice, 2**62, content=b"\xff{[", headers={"Content-Type": "x/y"}
            )
            assert response.status_code in {200, 404}


class TestHeaders:
    @each_operation
    @given(
        name=st.sampled_from(
            ("If-Match", "If-None-Match", "Idempotency-Key", "Content-Type", "Accept", "Cookie")
        ),
        value=latin,
    )
    @hostile
    def test_of_any_value(self, alice: User, operation: Operation, name: str, value: str) -> None:
        response = operation.ask(alice, 2**62, headers={name: value.encode("latin-1")})
        assert response.status_code in DOCUMENTED

    @given(value=latin)
    @hostile
    def test_of_any_authorization(self, api: httpx2.Client, alice: User, value: str) -> None:
        for authorization in (value, f"Bearer {value}", f"Bearer {alice.token}{value}"):
            headers = [(b"Authorization", authorization.encode("latin-1"))]
            response = api.get(alice.path, headers=headers)
            assert response.status_code in ({200, 401} if not value.strip(" ") else {401})

    def test_of_a_hundred_kilobytes(self, alice: User) -> None:
        tags = ", ".join(f'"{n}"' for n in range(10_000))
        assert alice.delete(2**62, If_Match=tags).status_code == 404
        assert alice.delete(2**62, If_Match='"' + "x" * 100_000 + '"').status_code == 404
        assert alice.delete(2**62, If_Match="," * 100_000).status_code == 400
        assert alice.delete(2**62, If_Match='"1"' + " ," * 50_000 + "x").status_code == 400

    def test_of_a_thousand_names(self, alice: User) -> None:
        headers = {f"X-{n}": "x" for n in range(1_000)}
        assert alice.request("GET", headers=headers).status_code == 200

    @pytest.mark.parametrize(
        "headers",
        [
            {"X-HTTP-Method-Override": "DELETE"},
            {"X-Forwarded-Host": "evil.example", "Host": "evil.example"},
            {"X-Original-URL": "/health", "X-Rewrite-URL": "/health"},
            {"Transfer-Encoding": "chunked", "Content-Length": "-1"},
            {"Content-Encoding": "gzip"},
            {"Range": "bytes=0-0"},
            {"X-Request-Id": "forged"},
        ],
        ids=short,
    )
    def test_change_nothing_that_they_are_not_meant_to(
        self, alice: User, headers: dict[str, str]
    ) -> None:
        created = alice.create()
        response = alice.request("GET", f"/{created.json()['id']}", headers=headers)
        assert task(response) == created.json()
        assert response.headers["x-request-id"] != "forged"
        assert "evil" not in str(response.headers)


class TestQueries:
    @each_operation
    @given(query=latin | st.from_regex(r"(limit|sort|completed|cursor)=[^#]{0,20}", fullmatch=True))
    @hostile
    def test_of_any_text(self, alice: User, operation: Operation, query: str) -> None:
        route, event = event_of(alice, operation, 2**62)
        invoke(route, event | {"rawQueryString": query})

    @pytest.mark.parametrize("part", ["a", "&", "a=1&", "%"])
    def test_of_a_hundred_kilobytes(self, alice: User, part: str) -> None:
        route, event = event_of(alice, WITH_A_BODY[0])
        invoke(route, event | {"rawQueryString": part * (100_000 // len(part))})


class TestPaths:
    @each_operation
    @given(path=texts)
    @hostile
    def test_of_any_text(self, alice: User, operation: Operation, path: str) -> None:
        route, event = event_of(alice, operation, 2**62)
        event["requestContext"]["http"]["path"] = path
        invoke(route, event)
        del event["pathParameters"]
        invoke(route, event)
        invoke(route, event | {"routeKey": "$default"})

    @each_operation
    @given(parameter=texts)
    @hostile
    def test_with_parameters_of_any_text(
        self, alice: User, operation: Operation, parameter: str
    ) -> None:
        route, event = event_of(alice, operation, 2**62)
        for name in ("user_id", "id"):
            other = event["pathParameters"] | {name: parameter}
            invoke(route, event | {"pathParameters": other})

    @pytest.mark.parametrize(
        "path",
        [
            *(
                "/api",
                "/api/",
                "/api//tasks",
                "//",
                "/./",
                "/../",
                "/api/../health",
                "/api/%2e%2e/x",
            ),
            *("/%00", "/%ff", "/api/%00/tasks", "/api/%ff/tasks", "/api/%/tasks", "/api/%zz/tasks"),
            *("/api/%F0%9F/tasks", "/api/%ed%a0%80/tasks", "/%2F", "/api%2Fx%2Ftasks", "/\\..\\"),
            *("/etc/passwd", "/.env", "/health/../api", "/HEALTH", "/api/x/tasks;a=b", "/" * 5_000),
            *(
                "/" + "a" * 60_000,
                "/api/" + "a" * 60_000 + "/tasks",
                "/api/x/tasks/" + "9" * 60_000,
            ),
        ],
        ids=short,
    )
    @pytest.mark.parametrize("method", ["GET", "POST", "PATCH", "DELETE"])
    def test_that_lead_nowhere(self, alice: User, path: str, method: str) -> None:
        for headers in ([], [("Authorization", f"Bearer {alice.token}")]):
            response = GATEWAY(method, path, headers=headers)
            assert check(response)["statusCode"] in {401, 403, 404, 405, 422}

    @pytest.mark.parametrize(
        ("query", "quoted"),
        [
            ("a=é", "a=%C3%A9"),
            ("a=%C3%A9", "a=%C3%A9"),
            ("a=1+2%20&b\r\nX: 1", "a=1+2%20&b%0D%0AX:%201"),
        ],
        ids=short,
    )
    def test_are_redirected_with_the_bytes_of_the_query(
        self, alice: User, query: str, quoted: str
    ) -> None:
        headers = [("Authorization", f"Bearer {alice.token}")]
        response = check(GATEWAY("GET", f"{alice.path}/", query, headers))
        assert response["headers"]["location"] == f"{alice.path}?{quoted}"

    @pytest.mark.parametrize("path", ["/%00", "/%ff", "/..%2f1", "/%2e%2e", "/" + "9" * 60_000])
    def test_below_ones_own(self, alice: User, path: str) -> None:
        headers = [("Authorization", f"Bearer {alice.token}")]
        response = GATEWAY("GET", alice.path + path, headers=headers)
        assert check(response)["statusCode"] in {404, 422}

    @given(method=texts)
    @hostile
    def test_with_any_method(self, alice: User, method: str) -> None:
        route, event = event_of(alice, WITH_A_BODY[0])
        event["requestContext"]["http"]["method"] = method
        invoke(route, event)


ODD: tuple[Any, ...] = (
    None,
    0,
    1.5,
    True,
    "",
    "odd",
    "\ud800",
    [],
    ["odd"],
    {},
    {"odd": None},
    {"odd": ["odd"]},
)


def places(value: object, *above: str) -> list[tuple[str, ...]]:
    """The way to each member of an event."""
    if not isinstance(value, dict):
        return [above] if above else []
    inner = [way for name, member in value.items() for way in places(member, *above, name)]
    return [*([above] if above else []), *inner]


def replaced(event: dict[str, Any], way: tuple[str, ...], *member: object) -> dict[str, Any]:
    """The event with another member at a place, or without it where none is given."""
    name, *further = way
    if further:
        return event | {name: replaced(event[name], tuple(further), *member)}
    rest = {other: value for other, value in event.items() if other != name}
    return rest | ({name: member[0]} if member else {})


class TestEvents:
    @each_operation
    def test_that_lack_a_member(self, alice: User, operation: Operation) -> None:
        route, event = event_of(alice, operation)
        for way in places(event):
            invoke(route, replaced(event, way))

    @each_operation
    def test_with_an_odd_member(self, alice: User, operation: Operation) -> None:
        route, event = event_of(alice, operation)
        for way in places(event):
            for odd in ODD:
                invoke(route, replaced(event, way, odd))

    @each_route
    @pytest.mark.parametrize("event", [{}, None, [], "event", 0, {"requestContext": {}}], ids=short)
    def test_that_are_none(self, route: Route, event: object) -> None:
        invoke(route, event)

    @each_route
    @given(event=st.dictionaries(texts, values, max_size=4))
    @settings(hostile, max_examples=20)
    def test_of_any_shape(self, route: Route, event: dict[str, Any]) -> None:
        invoke(route, event)

    @each_operation
    def test_of_payload_version_1(self, alice: User, operation: Operation) -> None:
        route, new = event_of(alice, operation)
        context = new["requestContext"]
        old = {
            "version": "1.0",
            "resource": route.path,
            "path": context["http"]["path"],
            "httpMethod": operation.method,
            "headers": {name.title(): value for name, value in new["headers"].items()},
            "multiValueHeaders": {name: [value] for name, value in new["headers"].items()},
            "queryStringParameters": None,
            "multiValueQueryStringParameters": None,
            "pathParameters": new["pathParameters"],
            "stageVariables": None,
            "requestContext": {
                "requestId": "1",
                "httpMethod": operation.method,
                "stage": "$default",
            },
            "body": new.get("body"),
            "isBase64Encoded": False,
        }
        assert invoke(route, old)["statusCode"] in {401, 404, 405}

    @pytest.mark.parametrize(
        "event",
        [
            {"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}},
            {"Records": [{"eventSource": "aws:sqs", "body": "{}"}]},
            {
                "requestContext": {"elb": {"targetGroupArn": "arn"}},
                "httpMethod": "GET",
                "path": "/",
            },
            {"requestContext": {"eventType": "CONNECT", "connectionId": "1"}},
            {"warmup": True},
        ],
        ids=short,
    )
    @each_route
    def test_of_other_services(self, route: Route, event: dict[str, Any]) -> None:
        assert invoke(route, event)["statusCode"] in {401, 404, 405}

    @pytest.mark.parametrize(
        "cookies", [["a=b", "c=d"], ["\0"], [None], "a=b", None, {}], ids=short
    )
    def test_with_cookies(self, alice: User, cookies: Any) -> None:
        route, event = event_of(alice, WITH_A_BODY[0])
        assert invoke(route, event | {"cookies": cookies})["statusCode"] == 201

    @pytest.mark.parametrize(
        ("encode", "flag", "status"),
        [
            (lambda body: b64encode(body.encode()).decode(), True, 201),
            (lambda body: body, False, 201),
            (lambda body: body, None, 201),
            (lambda body: body, True, 400),
            (lambda body: b64encode(body.encode()).decode(), False, 400),
            (lambda body: b64encode(body.encode()).decode()[:-1], True, 400),
            (lambda body: b64encode(body.encode()).decode() + "!", True, 400),
            (lambda _: "=", True, 400),
            (lambda _: "\ud800", True, 400),
            (lambda _: "{", True, 400),
            (lambda _: b64encode(b"\xff\xfe").decode(), True, 400),
            (lambda _: "", True, 422),
            (lambda _: None, True, 422),
        ],
    )
    def test_with_a_body_in_base64_right_and_wrong(
        self, alice: User, encode: Callable[[str], object], flag: bool | None, status: int
    ) -> None:
        route, event = event_of(alice, WITH_A_BODY[0])
        event |= {"body": encode('{"title": "\u00e9"}'), "isBase64Encoded": flag}
        assert invoke(route, event)["statusCode"] == status

    def test_with_a_body_that_is_large_in_base64(self, alice: User) -> None:
        route, event = event_of(alice, WITH_A_BODY[0])
        body = b64encode(b" " * (64 * 1024 + 1)).decode()
        response = invoke(route, event | {"body": body, "isBase64Encoded": True})
        assert response["statusCode"] == 413

    def test_are_answered_without_a_context(self, alice: User) -> None:
        route, event = event_of(alice, WITH_A_BODY[0])
        assert check(route.call(event, None))["statusCode"] == 201
