"""What CloudFormation makes of functions, versions and aliases, after the transform of SAM.

`make rehearse` and the tests replay deployments with it, where there is no AWS.
"""

import json
from dataclasses import dataclass, field
from typing import Any

FUNCTION, VERSION, ALIAS = (f"AWS::Lambda::{kind}" for kind in ("Function", "Version", "Alias"))


class RefusedError(Exception):
    """AWS would refuse a deployment, or what was deployed is not live."""


@dataclass
class Lambda:
    """The functions of a stack, their versions and what `live` leads to."""

    functions: dict[str, str] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    published: dict[str, str] = field(default_factory=dict)
    live: dict[str, str] = field(default_factory=dict)

    def deploy(self, resources: dict[str, Any], parameters: dict[str, Any]) -> None:
        """Change the functions, publish versions with new names, lead the aliases to them.

        Raises:
            RefusedError: a function is as it was when it was published last. Lambda publishes no
                version then, and CloudFormation fails.
        """
        of_type = {
            kind: {name: item for name, item in resources.items() if item["Type"] == kind}
            for kind in (FUNCTION, VERSION, ALIAS)
        }
        for name, item in of_type[FUNCTION].items():
            self.functions[name] = json.dumps(resolved(item, parameters), sort_keys=True)
        for name, item in of_type[VERSION].items():
            function = item["Properties"]["FunctionName"]["Ref"]
            if name not in self.versions:
                if self.published.get(function) == self.functions[function]:
                    raise RefusedError(f"{name}: a version for this function exists")
                self.versions[name] = self.published[function] = self.functions[function]
        for name in self.versions.keys() - of_type[VERSION].keys():
            del self.versions[name]
        for item in of_type[ALIAS].values():
            version = item["Properties"]["FunctionVersion"]["Fn::GetAtt"][0]
            self.live[item["Properties"]["FunctionName"]["Ref"]] = self.versions[version]

    def behind(self) -> list[str]:
        """The functions that are not live as they were deployed."""
        return [name for name, item in self.functions.items() if self.live.get(name) != item]


def resolved(value: Any, parameters: dict[str, Any]) -> Any:
    """A resource with the parameters put in."""
    match value:
        case {"Ref": str(name)} if name in parameters:
            return parameters[name]
        case dict():
            return {key: resolved(item, parameters) for key, item in value.items()}
        case list():
            return [resolved(item, parameters) for item in value]
    return value
