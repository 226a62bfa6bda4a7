"""Every kind of bad token against every operation, and the headers that carry one."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import httpx2
import pytest

from tests.conftest import Configure, User
from tests.functions.support import Operation, each_operation
from tests.shared.auth.tokens_matrix import (
    ALGORITHMS,
    SUBJECT,
    Case,
    Mint,
    cases,
    key_set,
    sendable,
)

ISSUER = "https://auth.test"


@contextmanager
def publishing(document: bytes) -> Iterator[str]:
    """Serve a key set on loopback; yields its URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(document)))
            self.end_headers()
            self.wfile.write(document)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/jwks"
        server.shutdown()


@pytest.fixture(scope="module")
def key_set_url() -> Iterator[str]:
    with publishing(json.dumps({"keys": key_set()}).encode()) as url:
        yield url


@pytest.fixture(autouse=True)
def trusting(configure: Configure, key_set_url: str) -> None:
    configure(JWKS_URL=key_set_url, JWT_ISSUER=ISSUER, JWT_AUDIENCE=ISSUER)


def mint(algorithm: str) -> Mint:
    return Mint(algorithm, issuer=ISSUER, audience=ISSUER)


def tokens(algorithm: str, *, accepted: bool) -> Iterator[tuple[Case, str]]:
    """The tokens of the catalogue that a header can carry."""
    for case in cases(algorithm):
        token = case.build(mint(algorithm))
        carried = sendable(token) and token == token.strip()  # blanks around it are the header's
        if carried and (case.reason is None) is accepted:
            yield case, token


@each_operation
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_bad_token_is_a_401_whatever_it_is_sent_to(
    api: httpx2.Client, algorithm: str, operation: Operation
) -> None:
    answers = {
        case.name: (token, operation.ask(User(SUBJECT, token, api)))
        for case, token in tokens(algorithm, accepted=False)
    }
    assert not [name for name, (_, answer) in answers.items() if answer.status_code != 401]
    for name, (token, answer) in answers.items():
        assert answer.headers["WWW-Authenticate"].startswith("Bearer error="), name
        assert answer.json()["type"] == "/problems/unauthorized", name
        assert token not in answer.text, name


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_good_token_is_accepted(api: httpx2.Client, algorithm: str) -> None:
    refused = [
        case
        for case, token in tokens(algorithm, accepted=True)
        if User(SUBJECT, token, api).list().status_code not in {200, 403}
    ]
    assert not refused


def test_a_good_token_of_the_user_in_the_path_lists_their_tasks(api: httpx2.Client) -> None:
    user = User(SUBJECT, mint("EdDSA").token(), api)
    assert user.list().status_code == 200


GOOD = ["Bearer {}", "bearer {}", "BEARER {}", "bEaReR {}", "Bearer  {}", "Bearer {} "]
BAD = [
    "",
    "Bearer",
    "Bearer ",
    "{}",
    "Token {}",
    "Basic {}",
    "Bearer{}",
    "Bearer\t{}",
    "Bearer:{}",
    "Bearer {}, Bearer {}",
    "Bearer {},Bearer {}",
    "Bearer {},",
    ",Bearer {}",
    "Bearer {} {}",
    "Bearer Bearer {}",
    'Bearer "{}"',
    "Bearer token={}",
    "DPoP {}",
    "MAC {}",
]


@pytest.mark.parametrize("header", GOOD)
def test_the_scheme_is_case_insensitive(api: httpx2.Client, header: str) -> None:
    token = mint("EdDSA").token()
    answer = api.get(f"/api/{SUBJECT}/tasks", headers={"Authorization": header.format(token)})
    assert answer.status_code == 200


@each_operation
@pytest.mark.parametrize("header", BAD)
def test_another_header_is_a_401(api: httpx2.Client, header: str, operation: Operation) -> None:
    token = mint("EdDSA").token()
    user = User(SUBJECT, "", Sending(api, [header.format(token, token)]))  # type: ignore[arg-type]
    answer = operation.ask(user)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


@each_operation
def test_two_headers_are_a_401_though_both_are_good(
    api: httpx2.Client, operation: Operation
) -> None:
    header = f"Bearer {mint('EdDSA').token()}"
    user = User(SUBJECT, "", Sending(api, [header, header]))  # type: ignore[arg-type]
    assert operation.ask(user).status_code == 401


@each_operation
def test_no_header_is_a_401_without_an_error(api: httpx2.Client, operation: Operation) -> None:
    answer = operation.ask(User(SUBJECT, "", Sending(api, [])))  # type: ignore[arg-type]
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"


class Sending:
    """A client that sends these Authorization headers instead of the user's."""

    def __init__(self, api: httpx2.Client, values: list[str]) -> None:
        self.api = api
        self.values = values

    def request(self, method: str, path: str, **options: object) -> httpx2.Response:
        headers = dict(options.pop("headers"))  # type: ignore[call-overload]
        del headers["Authorization"]
        several = [*headers.items(), *(("Authorization", value) for value in self.values)]
        return self.api.request(method, path, headers=several, **options)  # type: ignore[arg-type]
