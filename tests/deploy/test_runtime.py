"""Every built function in Lambda's runtime client, against Postgres and a key set."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from secrets import token_urlsafe
from threading import Thread
from typing import Any

import httpx2
import jwt
import psycopg
import pytest

from tests.conftest import User, database_url, fresh_database
from tests.deploy.lambda_runtime import Functions, deployed
from tests.deploy.stack import stack
from tests.functions.support import OPERATIONS, Operation

pytestmark = pytest.mark.artifact


class TestOperations:
    def test_create_answers_the_task(self, alice: User) -> None:
        response = alice.create(title="Buy milk")
        assert response.status_code == 201
        assert response.json()["title"] == "Buy milk"
        assert response.headers["location"] == f"{alice.path}/{response.json()['id']}"
        assert response.headers["etag"] == '"1"'

    def test_create_is_replayed_for_its_key(self, alice: User) -> None:
        first, second = (alice.create({"Idempotency-Key": "one"}) for _ in range(2))
        assert second.json() == first.json()
        assert second.headers["idempotency-replayed"] == "true"

    def test_list_leads_to_the_next_page(self, alice: User) -> None:
        tasks = [alice.create(title=title).json() for title in "abc"]
        page = alice.list(sort="title", limit=2)
        assert page.json() == tasks[:2]
        following = alice.api.get(
            page.links["next"]["url"], headers={"Authorization": f"Bearer {alice.token}"}
        )
        assert following.json() == tasks[2:]

    def test_get_answers_the_task_once(self, alice: User) -> None:
        task = alice.create().json()
        response = alice.get(task["id"])
        assert (response.status_code, response.json()) == (200, task)
        assert alice.get(task["id"], If_None_Match=response.headers["etag"]).status_code == 304

    def test_update_refuses_a_version_that_is_gone(self, alice: User) -> None:
        task = alice.create().json()
        response = alice.update(task["id"], {"title": "Buy bread"}, If_Match='"1"')
        assert (response.status_code, response.json()["title"]) == (200, "Buy bread")
        refused = alice.update(task["id"], {"title": "Buy nothing"}, If_Match='"1"')
        assert (refused.status_code, refused.headers["etag"]) == (412, '"2"')

    def test_toggle_flips_and_sets(self, alice: User) -> None:
        task = alice.create().json()
        assert alice.toggle(task["id"]).json()["completed"] is True
        assert alice.toggle(task["id"], {"completed": True}).json()["version"] == 2

    def test_delete_leaves_nothing(self, alice: User) -> None:
        task = alice.create().json()
        assert alice.delete(task["id"]).status_code == 204
        assert alice.get(task["id"]).status_code == 404

    def test_health_needs_no_token(self, api: httpx2.Client) -> None:
        response = api.get("/health")
        assert (response.status_code, response.json()) == (200, {"status": "ok"})

    def test_fallback_answers_what_no_operation_does(self, alice: User, api: httpx2.Client) -> None:
        assert api.get("/nowhere").status_code == 401
        assert alice.request("GET", "/1/nowhere").status_code == 404
        refused = alice.request("DELETE")
        assert (refused.status_code, refused.headers["allow"]) == (405, "GET, POST")

    @pytest.mark.parametrize("operation", OPERATIONS, ids=str)
    def test_each_wants_a_token_of_the_paths_user(
        self, alice: User, bob: User, api: httpx2.Client, operation: Operation
    ) -> None:
        assert operation.ask(User(alice.subject, "no-token", api)).status_code == 401
        assert operation.ask(User(alice.subject, bob.token, api)).status_code == 403


class TestLog:
    def test_has_one_line_for_a_request(self, alice: User, functions: Functions) -> None:
        response = alice.create(title="Zq7Marker")
        lines = [line for line in functions["CreateTaskFunction"].lines() if line.startswith("{")]
        request_id = response.headers["x-request-id"]
        [line] = [json.loads(line) for line in lines if request_id in line]
        assert (line["route"], line["status"]) == ("POST /api/{user_id}/tasks", 201)
        assert not [line for line in lines if alice.token in line or "Zq7Marker" in line]

    @pytest.mark.parametrize(
        ("alarm", "status"), [("UnhandledErrorsAlarm", 500), ("DatabaseUnavailableAlarm", 503)]
    )
    def test_has_the_metric_that_an_alarm_watches(
        self, alice: User, tmp_path: Path, alarm: str, status: int
    ) -> None:
        with fresh_database() as name:
            with psycopg.connect(database_url(name, "owner")) as owner:
                owner.execute("ALTER TABLE tasks ADD CHECK (title <> 'Buy milk')")
            url = database_url(name if status == 500 else "nowhere", "api")
            variables = {"DATABASE_URL": url, "POWERTOOLS_METRICS_NAMESPACE": "Tasks/stack"}
            with deployed(tmp_path, **variables) as (functions, api):
                response = User(alice.subject, alice.token, api).create(title="Buy milk")
                lines = functions["CreateTaskFunction"].lines()
        assert response.status_code == status
        series = stack(Stage="prod").resources[alarm]["Properties"]["Metrics"]
        [watched] = [
            each["MetricStat"]["Metric"] for each in series if each["Id"] in {"failed", "defects"}
        ]
        metrics = [json.loads(line) for line in lines if '"_aws"' in line]
        [written] = [metric for metric in metrics if watched["MetricName"] in metric]
        [directive] = written["_aws"]["CloudWatchMetrics"]
        [dimensions] = directive["Dimensions"]
        assert directive["Namespace"] == "Tasks/stack"
        assert watched["Namespace"] == {"Fn::Sub": "Tasks/${AWS::StackName}"}
        assert watched["Dimensions"] == [
            {"Name": name, "Value": written[name]} for name in dimensions
        ]


@contextmanager
def secrets_manager(secret: str) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """AWS Secrets Manager with one secret in it; yields its URL, and what it is asked."""
    asked: list[dict[str, Any]] = []
    body = json.dumps({"SecretString": secret}).encode()

    class Secret(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Secret) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()


def test_the_schedule_deletes_old_keys(functions: Functions) -> None:
    assert functions["CleanIdempotencyKeysFunction"].invoke({}) == {"forgotten": 0}


class TestSecret:
    def test_is_read_once_with_what_the_runtime_brings(self, alice: User, tmp_path: Path) -> None:
        arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:tasks-AbCdEf"
        with (
            fresh_database() as name,
            secrets_manager(json.dumps({"DATABASE_URL": database_url(name, "api")})) as (
                url,
                asked,
            ),
            deployed(
                tmp_path,
                DATABASE_URL="",
                DATABASE_SECRET_ARN=arn,
                AWS_ENDPOINT_URL_SECRETS_MANAGER=url,
                AWS_ACCESS_KEY_ID="key",
                AWS_SECRET_ACCESS_KEY="not-one",
            ) as (_, api),
        ):
            user = User(alice.subject, alice.token, api)
            assert [user.list().json() for _ in range(2)] == [[], []]
        assert asked == [{"SecretId": arn}]


class TestSharedSecret:
    def test_verifies_tokens_of_a_subject_and_an_end_alone(
        self, alice: User, tmp_path: Path
    ) -> None:
        arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:tokens-AbCdEf"
        secret = token_urlsafe(48)
        claims = {"sub": alice.subject, "exp": int(time.time()) + 600}
        with (
            fresh_database() as name,
            secrets_manager(secret) as (url, asked),
            deployed(
                tmp_path,
                **dict.fromkeys(("BETTER_AUTH_URL", "JWKS_URL", "JWT_ISSUER", "JWT_AUDIENCE"), ""),
                DATABASE_URL=database_url(name, "api"),
                JWT_SECRET_ARN=arn,
                AWS_ENDPOINT_URL_SECRETS_MANAGER=url,
                AWS_ACCESS_KEY_ID="key",
                AWS_SECRET_ACCESS_KEY="not-one",
            ) as (_, api),
        ):
            user = User(alice.subject, jwt.encode(claims, secret, "HS256"), api)
            assert user.create().status_code == 201
            assert len(user.list().json()) == 1
            stranger = User(alice.subject, jwt.encode(claims, token_urlsafe(48), "HS256"), api)
            assert stranger.list().status_code == 401
        assert asked
        assert all(each == {"SecretId": arn} for each in asked)
