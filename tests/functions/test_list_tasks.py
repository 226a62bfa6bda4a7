"""GET /api/{user_id}/tasks. The walk from page to page has a module of its own, test_paging.py."""

import pytest

from shared.http.paging import TaskQuery
from tests.conftest import User
from tests.functions.support import MARKER, admin, invalid, problem, short, tasks, unknown
from tests.shared.sort_keys import SORTS


class TestList:
    def test_answers_a_bare_array(self, alice: User) -> None:
        assert alice.list().json() == []
        assert tasks(alice.list()) == []

    def test_answers_the_tasks_as_create_and_get_do(self, alice: User) -> None:
        created = alice.create(description="oat", completed=True).json()
        assert tasks(alice.list()) == [created] == [alice.get(created["id"]).json()]

    def test_gives_the_newest_first(self, alice: User) -> None:
        created = [alice.create(title=f"{n}").json() for n in range(3)]
        assert tasks(alice.list()) == created[::-1]

    @pytest.mark.parametrize("status", [True, False])
    def test_gives_only_tasks_with_the_status_that_is_asked_for(
        self, alice: User, status: bool
    ) -> None:
        created = [alice.create(completed=n % 2 == 0).json() for n in range(4)]
        wanted = [task for task in reversed(created) if task["completed"] is status]
        assert tasks(alice.list(completed=str(status).lower())) == wanted

    @pytest.mark.parametrize(
        ("sort", "order"),
        [("created_at", [0, 1, 2]), ("updated_at", [2, 0, 1]), ("title", [2, 0, 1])],
    )
    @pytest.mark.parametrize("direction", ["", "-"])
    def test_sorts_by(self, alice: User, sort: str, order: list[int], direction: str) -> None:
        created = [alice.create(title=title).json()["id"] for title in ("b", "c", "a")]
        for position in (2, 0, 1):
            alice.toggle(created[position])
        wanted = [created[position] for position in order]
        found = [task["id"] for task in tasks(alice.list(sort=f"{direction}{sort}"))]
        assert found == (wanted[::-1] if direction else wanted)

    @pytest.mark.parametrize("sort", SORTS)
    @pytest.mark.parametrize("status", [None, "false"], ids=str)
    def test_breaks_ties_by_id(self, alice: User, sort: str, status: str | None) -> None:
        created = [alice.create(title="the same").json()["id"] for _ in range(5)]
        with admin() as connection:
            connection.execute(
                "update tasks set created_at = 'epoch', updated_at = 'epoch' where user_id = %s",
                [alice.subject],
            )
        query = {"sort": sort} | ({"completed": status} if status else {})
        found = [task["id"] for task in tasks(alice.list(**query))]
        assert found == (created[::-1] if sort.startswith("-") else created)

    def test_sorts_titles_without_regard_to_case_then_by_code_point_then_by_id(
        self, alice: User
    ) -> None:
        titles = ["b", "B", "a", "A", "é", "É", "e", "z", "Z", "_", "ß", "🙂", "b", "漢", "Å"]
        made = [alice.create(title=title).json() for title in titles]
        expected = sorted(made, key=lambda task: (task["title"].lower(), task["title"], task["id"]))
        assert tasks(alice.list(sort="title")) == expected
        assert tasks(alice.list(sort="-title")) == expected[::-1]

    def test_gives_100_tasks_unless_asked_for_more(self, alice: User) -> None:
        with admin() as connection:
            connection.execute(
                "insert into tasks (user_id, title) select %s, 'x' from generate_series(1, 501)",
                [alice.subject],
            )
        assert len(tasks(alice.list())) == 100
        assert len(tasks(alice.list(limit=500))) == 500
        assert len(tasks(alice.list(limit=1))) == 1

    def test_links_to_the_next_page_where_there_is_one(self, alice: User) -> None:
        for _ in range(3):
            alice.create()
        assert alice.list(limit=2).links["next"]["url"].startswith(f"{alice.path}?")
        assert "link" not in alice.list(limit=3).headers
        assert "link" not in alice.list().headers

    @pytest.mark.parametrize(
        ("parameter", "value"),
        [
            *(
                ("limit", value)
                for value in ("0", "501", "-1", "", "1.0", "1e2", " 1", "+1", "1_0")
            ),
            *(
                ("limit", value)
                for value in ("true", "\u0661", "9" * 5000, "9" * 20, "0x10", MARKER)
            ),
            *(("completed", value) for value in ("", "1", "0", "True", "yes", "null", "t", MARKER)),
            *(("sort", value) for value in ("", "id", "--title", "Title", "title,-id", "user_id")),
            *(("sort", value) for value in (" title", "+title", "-", MARKER, "title\0")),
            *(("cursor", value) for value in ("", MARKER, "0", "\0", "%", "W10", "bnVsbA", "é")),
        ],
        ids=short,
    )
    def test_refuses_a_bad_value(self, alice: User, parameter: str, value: str) -> None:
        assert invalid(alice.list(**{parameter: value})) == [parameter]

    @pytest.mark.parametrize(
        "query",
        [
            *("titel=1", "titel", "=1", "Limit=5", "limit%5B%5D=5", "complete=true"),
            *("page=2", "offset=1", "%00=1", "%ff=1", "limit=5&user_id=x", "completed%20=true"),
        ],
        ids=short,
    )
    def test_refuses_an_unknown_parameter(self, alice: User, query: str) -> None:
        response = alice.request("GET", f"?{query}")
        unknown(response, "parameter", *TaskQuery.known())

    @pytest.mark.parametrize(
        ("parameter", "query"),
        [
            ("limit", "limit=5&limit=5"),
            ("completed", "completed=true&sort=title&completed=false"),
            ("sort", "sort=title&sort=title"),
            ("limit", "limit=5&%6Cimit=5"),
        ],
        ids=short,
    )
    def test_refuses_a_repeated_parameter(self, alice: User, parameter: str, query: str) -> None:
        assert invalid(alice.request("GET", f"?{query}")) == [parameter]

    def test_refuses_a_repeated_unknown_parameter(self, alice: User) -> None:
        assert invalid(alice.request("GET", "?titel=1&titel=2")) == ["titel"]

    @pytest.mark.parametrize(
        ("query", "detail"),
        [
            ("limit=501", "limit: from 1 to 500"),
            ("limit=0", "limit: from 1 to 500"),
            ("limit=x", "limit: a whole number from 1 to 500"),
            ("completed=yes", "completed: must be true or false"),
            ("limit=1&limit=2", "limit: is given more than once"),
            ("cursor=x", "cursor: is not from a Link of this API"),
        ],
    )
    def test_says_the_first_error_in_words(self, alice: User, query: str, detail: str) -> None:
        assert problem(alice.request("GET", f"?{query}"), 422)["detail"] == detail

    def test_names_every_parameter_that_is_invalid(self, alice: User) -> None:
        query = f"limit=0&completed={MARKER}&sort={MARKER}"
        assert sorted(invalid(alice.request("GET", f"?{query}"))) == ["completed", "limit", "sort"]

    @pytest.mark.parametrize(
        "query",
        [{}, {"completed": "false"}, {"limit": "1"}, *({"sort": sort} for sort in SORTS)],
        ids=short,
    )
    def test_gives_nothing_of_another_users(
        self, alice: User, bob: User, query: dict[str, str]
    ) -> None:
        mine, theirs = alice.create().json(), bob.create().json()
        assert tasks(alice.list(**query)) == [mine]
        assert tasks(bob.list(**query)) == [theirs]
