"""After any sequence of deployments, what was deployed last is what is live."""

import itertools
from functools import cache
from typing import Any, NamedTuple

import pytest

from scripts.publishing import Lambda, RefusedError
from tests.conftest import ROOT
from tests.deploy.stack import stack

pytestmark = pytest.mark.artifact

TIMEOUT = "    Timeout: 15 "
TEMPLATE = (ROOT / "template.yaml").read_text()
EDITED = TEMPLATE.replace(TIMEOUT, "    Timeout: 14 ")
BUCKET = "s3://bucket"


class Deployment(NamedTuple):
    """What one deployment brings."""

    code: str
    url: str
    edited: bool
    release: str = ""


@cache
def transformed(deployment: Deployment) -> tuple[dict[str, Any], dict[str, Any]]:
    """Its resources, with the conditions decided, and its parameters."""
    made = stack(
        f"{BUCKET}/{deployment.code}",
        EDITED if deployment.edited else None,
        BetterAuthUrl=deployment.url,
        Release=deployment.release,
    )
    return made.resources, made.parameters


def deploy(aws: Lambda, deployment: Deployment) -> None:
    aws.deploy(*transformed(deployment))


OLD, NEW = "https://login.example.com", "https://new.example.com"
STATES = [Deployment(*state) for state in itertools.product(("a", "b"), (OLD, NEW), (False, True))]


def test_the_edited_property_is_in_the_template() -> None:
    assert TIMEOUT in TEMPLATE


@pytest.mark.parametrize("first", STATES)
def test_what_is_deployed_is_live_after_any_sequence(first: Deployment) -> None:
    # As the runbook has it: a parameter comes with a new text in Release, all else with none.
    for states in itertools.product(STATES, repeat=3):
        aws, before = Lambda(), first
        deploy(aws, first)
        for number, state in enumerate(states):
            changes_a_parameter = state.url != before.url
            release = ("one", "two", "three")[number] if changes_a_parameter else ""
            deploy(aws, state._replace(release=release))
            assert aws.behind() == [], (first, states)
            before = state


@pytest.mark.parametrize("before", STATES)
@pytest.mark.parametrize("after", STATES)
def test_a_rollback_brings_back_what_was_live(before: Deployment, after: Deployment) -> None:
    aws, released = Lambda(), before._replace(release="one")
    for deployment in before, released, after, released:  # the rollback names its Release again
        deploy(aws, deployment)
    assert aws.behind() == []


def test_a_release_that_stays_would_freeze_what_is_live() -> None:
    # Which is why every documented command says Release, and scripts/live.py looks afterwards.
    aws, first = Lambda(), Deployment("a", OLD, edited=False)
    deploy(aws, first)
    deploy(aws, first._replace(release="one"))
    deploy(aws, first._replace(release="one", code="b"))
    assert aws.behind()


def test_a_function_is_not_published_twice() -> None:
    # As Lambda refuses it. SAM writes the Release into the function's description, which differs.
    resources, parameters = transformed(Deployment("a", OLD, edited=False))
    aws = Lambda()
    aws.deploy(resources, parameters)
    renamed = {
        f"{name}2" if "Version" in item["Type"] else name: item for name, item in resources.items()
    }
    with pytest.raises(RefusedError, match="a version for this function exists"):
        aws.deploy(renamed, parameters)
