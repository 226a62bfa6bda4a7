"""Whether what was deployed is what is live; `python scripts/live.py tasks-staging`.

CloudFormation succeeds although no new version was published, as while a text stays in Release.
Then the alias `live` leads to a version of the old code. The authorizer of the edge has no alias.
It runs in the environment of SAM.
"""

import sys
from typing import Any

import boto3

ALIAS = "live"
COMPARED = (
    *("CodeSha256", "Handler", "Runtime", "Role", "MemorySize", "Timeout", "Environment"),
    *("TracingConfig", "LoggingConfig"),
)


def functions(stack: str) -> list[str]:
    """The names of the functions of a stack that have an alias, whose id ends in `:name:alias`."""
    pages = boto3.client("cloudformation").get_paginator("list_stack_resources")
    return [
        resource["PhysicalResourceId"].split(":")[-2]
        for page in pages.paginate(StackName=stack)
        for resource in page["StackResourceSummaries"]
        if resource["ResourceType"] == "AWS::Lambda::Alias"
    ]


def is_live(name: str) -> bool:
    """Whether the alias leads to what the function is now."""
    client = boto3.client("lambda")
    deployed: dict[str, Any] = client.get_function_configuration(FunctionName=name)
    live = client.get_function_configuration(FunctionName=name, Qualifier=ALIAS)
    return all(deployed.get(item) == live.get(item) for item in COMPARED)


def main() -> None:
    """Name the functions that are not live as they were deployed."""
    [stack] = sys.argv[1:]
    names = functions(stack)
    old = [name for name in names if not is_live(name)]
    for name in old:
        print(f"✗ {name}: what was deployed is not live", file=sys.stderr)
    if old or not names:
        sys.exit("Deploy again with Release given: a new text, or an empty one for new code.")
    print(f"✓ {len(names)} functions are live as they were deployed")


if __name__ == "__main__":
    main()
