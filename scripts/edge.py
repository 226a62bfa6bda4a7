"""`make edge`: template.yaml with deploy/edge.yaml merged into it, on standard output.

Runs in the environment of SAM, whose reader keeps CloudFormation's short forms.
"""

import sys
from pathlib import Path
from typing import Any

from samcli.yamlhelper import yaml_dump, yaml_parse  # type: ignore[import-not-found]

ROOT = Path(__file__).resolve().parent.parent


def merge(base: dict[str, Any], fragment: dict[str, Any]) -> None:
    """Add a mapping to another, at every depth. A function such as `!Ref` is not added but set."""
    for name, value in fragment.items():
        if is_mapping(value) and is_mapping(base.get(name)):
            merge(base[name], value)
        else:
            base[name] = value


def is_mapping(value: object) -> bool:
    """Whether it has members of its own, and is no function of CloudFormation's."""
    return isinstance(value, dict) and not any(
        name == "Ref" or name.startswith("Fn::") for name in value
    )


if __name__ == "__main__":
    template = yaml_parse((ROOT / "template.yaml").read_text())
    merge(template, yaml_parse((ROOT / "deploy/edge.yaml").read_text()))
    sys.stdout.write(yaml_dump(template))
