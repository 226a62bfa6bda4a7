"""The API with the real Better Auth: its tokens, its keys, its outages."""

from collections.abc import Callable, Iterator
from typing import get_args
from uuid import uuid4

import httpx2
import pytest

from shared.auth import key_set as keyset
from tests.better_auth_server import Algorithm, BetterAuthServer, Ids, Mode, Session, running
from tests.conftest import Configure, User

PASSWORD = "correct horse"
FAILURES: list[Mode] = [mode for mode in get_args(Mode) if mode != "normal"]


@pytest.fixture(scope="module")
def server() -> Iterator[BetterAuthServer]:
    with running(session_cache=True) as server:
        yield server


@pytest.fixture
def trusting(configure: Configure) -> Callable[[BetterAuthServer], None]:
    """Configures the API by BETTER_AUTH_URL alone."""

    def trust(server: BetterAuthServer) -> None:
        nothing = dict.fromkeys(("JWKS_URL", "JWT_ISSUER", "JWT_AUDIENCE", "BETTER_AUTH_SECRET"))
        configure(BETTER_AUTH_URL=server.url, **nothing)

    return trust


Trusting = Callable[[BetterAuthServer], None]


def sign_up_and_in(server: BetterAuthServer) -> Session:
    email = f"{uuid4().hex}@example.com"
    server.sign_up(email, PASSWORD, "Ann")
    return server.sign_in(email, PASSWORD)


def user_of(server: BetterAuthServer, api: httpx2.Client, session: Session | None = None) -> User:
    """Somebody who has just signed up, or whose session it is, with a new token."""
    session = session or sign_up_and_in(server)
    return User(session.user["id"], server.token(session), api)


def use_all_operations(user: User) -> None:
    created = user.create(title="Buy milk")
    assert created.status_code == 201
    task_id = created.json()["id"]
    assert [task["id"] for task in user.list().json()] == [task_id]
    assert user.get(task_id).json() == created.json()
    assert user.update(task_id, {"title": "Buy bread"}).json()["title"] == "Buy bread"
    assert user.toggle(task_id).json()["completed"] is True
    assert user.delete(task_id).status_code == 204
    assert user.get(task_id).status_code == 404


@pytest.mark.parametrize("ids", get_args(Ids))
@pytest.mark.parametrize("algorithm", get_args(Algorithm))
def test_users_of_better_auth_use_all_operations(
    api: httpx2.Client, trusting: Trusting, algorithm: Algorithm, ids: Ids
) -> None:
    with running(algorithm=algorithm, ids=ids) as server:
        trusting(server)
        user = user_of(server, api)
        use_all_operations(user)
        other = user_of(server, api)
        assert other.request("GET", "").status_code == 200
        assert User(other.subject, user.token, api).list().status_code == 403


def test_the_first_token_of_a_rotated_key_is_accepted_and_the_old_ones_stay_valid(
    api: httpx2.Client, trusting: Trusting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keyset, "COOLDOWN", 0)
    with running() as server:
        trusting(server)
        session = sign_up_and_in(server)
        before = user_of(server, api, session)
        assert before.list().status_code == 200
        server.rotate()
        after = user_of(server, api, session)
        assert after.token.split(".")[0] != before.token.split(".")[0]
        assert after.list().status_code == 200
        assert before.list().status_code == 200


def test_known_users_do_not_notice_that_the_issuer_has_stopped(
    api: httpx2.Client, trusting: Trusting
) -> None:
    with running() as server:
        trusting(server)
        user = user_of(server, api)
        assert user.list().status_code == 200
        server.stop()
        use_all_operations(user)


def test_known_users_do_not_wait_for_an_issuer_that_hangs(
    api: httpx2.Client, trusting: Trusting
) -> None:
    with running() as server:
        trusting(server)
        user = user_of(server, api)
        assert user.list().status_code == 200
        server.pause()
        use_all_operations(user)


@pytest.mark.parametrize("failure", FAILURES)
def test_without_a_key_set_nobody_is_told_that_their_token_is_wrong(
    api: httpx2.Client, server: BetterAuthServer, trusting: Trusting, failure: Mode
) -> None:
    user = user_of(server, api)
    server.control(failure)
    try:
        trusting(server)
        response = user.list()
    finally:
        server.control("normal")
    assert response.status_code == 503
    assert int(response.headers["Retry-After"]) > 0
    assert response.json()["type"] == "/problems/unavailable"
    assert api.get("/health").status_code == 200


def test_a_session_cache_token_of_the_same_key_is_refused(
    api: httpx2.Client, server: BetterAuthServer, trusting: Trusting
) -> None:
    trusting(server)
    session = sign_up_and_in(server)
    token = server.session_cache_token(session)
    response = User(session.user["id"], token, api).list()
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'


def test_the_opaque_session_token_is_refused(
    api: httpx2.Client, server: BetterAuthServer, trusting: Trusting
) -> None:
    trusting(server)
    session = sign_up_and_in(server)
    for token in (session.token, session.signed_token):
        response = User(session.user["id"], token, api).list()
        assert response.status_code == 401
        assert "session token; take a JWT from /api/auth/token" in response.json()["detail"]


def test_an_expired_token_says_so(api: httpx2.Client, trusting: Trusting) -> None:
    with running(lifetime="-1m") as server:
        trusting(server)
        response = user_of(server, api).list()
    assert response.status_code == 401
    assert response.json()["detail"].startswith("The exp has passed")


def test_a_token_for_another_audience_says_which_one_was_expected(
    api: httpx2.Client, trusting: Trusting
) -> None:
    with running(audience="https://other.example") as server:
        trusting(server)
        response = user_of(server, api).list()
        assert response.status_code == 401
        assert server.url in response.json()["detail"]


def test_one_audience_of_several_is_enough(api: httpx2.Client, trusting: Trusting) -> None:
    with running() as other:
        address = other.url
    port = int(address.rpartition(":")[2])
    with running(audience=[address, "https://other.example"], port=port) as server:
        trusting(server)
        assert user_of(server, api).list().status_code == 200


def test_an_issuer_that_limits_requests_is_left_alone_as_long_as_it_says(
    api: httpx2.Client, trusting: Trusting
) -> None:
    with running(rate_limit=True) as server:
        user = user_of(server, api)
        while (response := httpx2.get(server.jwks_url)).status_code != 429:
            pass
        trusting(server)
        refused = user.list()
    assert refused.status_code == 503
    asked = int(response.headers["X-Retry-After"])
    assert asked - 2 <= int(refused.headers["Retry-After"]) <= asked


def test_the_key_set_is_fetched_once_for_many_requests(
    api: httpx2.Client, trusting: Trusting
) -> None:
    with running(rate_limit=True) as server:
        trusting(server)
        user = user_of(server, api)
        before = server.jwks_requests()
        assert {user.list().status_code for _ in range(150)} == {200}
        assert server.jwks_requests() == before + 1
