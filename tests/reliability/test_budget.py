"""The budget of time: each limit fits into the next, up to the gateway's."""

import re

from local.gateway import TEMPLATE
from shared.auth import key_set as keyset
from shared.database import budget

CONTRACT = 10  # seconds to a 503
GATEWAY = 30  # seconds after which an HTTP API gives up on its function

# Of the functions behind the gateway; one that runs by a schedule has a limit of its own.
[LIMIT] = re.findall(
    r"^Globals:.*?^ {4}Timeout: (\d+)", TEMPLATE.read_text(), re.DOTALL | re.MULTILINE
)


class TestBudget:
    def test_lets_a_lock_be_given_up_before_the_first_try_is(self) -> None:
        assert budget.LOCK < budget.FIRST_TRY

    def test_leaves_room_for_a_second_try_behind_the_first(self) -> None:
        assert budget.FIRST_TRY + budget.STATEMENT <= budget.REQUEST
        assert budget.FIRST_TRY + budget.CONNECT < budget.REQUEST

    def test_leaves_room_for_a_statement_behind_a_slow_connection(self) -> None:
        assert budget.CONNECT + budget.STATEMENT <= budget.REQUEST

    def test_leaves_room_for_a_second_address(self) -> None:
        assert budget.ADDRESS < budget.CONNECT

    def test_keeps_the_promise_with_the_key_set_included(self) -> None:
        assert keyset.DEADLINE + budget.REQUEST <= CONTRACT

    def test_ends_before_the_function_does_and_that_before_the_gateway(self) -> None:
        assert CONTRACT < int(LIMIT) < GATEWAY
