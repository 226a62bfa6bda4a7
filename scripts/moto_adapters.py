"""What moto's CloudFormation lacks for `make rehearse`: SAM's transform, versions and aliases.

moto has no place to add a transform, so two public methods of its change sets are replaced here.
Nothing else in this repository depends on how moto is made. samtranslator plays the transform, and
`publishing.Lambda` the versions and aliases.
"""

from dataclasses import dataclass, field

import boto3
from moto.cloudformation.models import Change, ChangeSet
from samtranslator.parser.parser import Parser  # type: ignore[import-not-found]
from samtranslator.translator.translator import Translator  # type: ignore[import-not-found]
from samtranslator.yaml_helper import yaml_parse  # type: ignore[import-not-found]

from scripts.publishing import Lambda

PLACEHOLDER = {"Resources": {"Log": {"Type": "AWS::Logs::LogGroup"}}}

changes_by_moto = ChangeSet.diff


@dataclass
class Stage:
    """A stack of SAM's, and what became of it."""

    stack: str
    aws: Lambda = field(default_factory=Lambda)
    tags: list[dict[str, str] | None] = field(default_factory=list)

    def diff(self, change_set: ChangeSet) -> list[Change]:
        """Give moto another resource to compare, because it does not know SAM's types."""
        if change_set.stack_name == self.stack:
            change_set.template_dict = PLACEHOLDER
        return changes_by_moto(change_set)

    def apply(self, change_set: ChangeSet) -> None:
        """Carry a change set out. SAM's own bucket is a stack, too, which moto can update."""
        if change_set.stack_name == self.stack:
            self.deploy(change_set)
        else:  # with its outputs, which moto's own `apply` leaves out
            change_set.stack.update(change_set.template, parameters=change_set.parameters)

    def deploy(self, change_set: ChangeSet) -> None:
        """Transform the template, deploy what comes of it, and note the parameters and tags."""
        template = yaml_parse(change_set.template)
        declared = template["Parameters"]
        defaults = {name: str(item.get("Default", "")) for name, item in declared.items()}
        parameters = defaults | dict(change_set.parameters)
        session = boto3.Session(region_name="us-east-1")
        translator = Translator({}, Parser(), boto_session=session)
        translated = translator.translate(template, parameters)
        self.aws.deploy(translated["Resources"], parameters)
        self.tags.append(change_set.tags)
        known = change_set.stack.resource_map
        known.input_parameters = known.resolved_parameters = parameters


def play(stage: Stage) -> None:
    """Let moto leave the change sets of a stage to it, until the process ends."""
    for name, method in ("diff", stage.diff), ("apply", stage.apply):
        setattr(ChangeSet, name, lambda change_set, method=method: method(change_set))
