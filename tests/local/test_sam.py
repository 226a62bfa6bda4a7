"""What `make sam-local` hands over to the containers."""

import pytest
import yaml

from local.gateway import _Loader
from local.sam import VARIABLES
from shared.settings import Settings
from tests.conftest import ROOT

TEMPLATE = yaml.load((ROOT / "template.yaml").read_text(), _Loader)
DECLARED = TEMPLATE["Globals"]["Function"]["Environment"]["Variables"]
TO_THE_GATEWAY = {"allowed_origins"}


def test_is_declared_by_the_template_since_sam_local_sets_nothing_else() -> None:
    assert set(VARIABLES) <= DECLARED.keys()


@pytest.mark.parametrize("field", sorted(Settings.model_fields.keys() - TO_THE_GATEWAY))
def test_is_every_setting_of_the_functions(field: str) -> None:
    assert field.upper() in VARIABLES
    assert field.upper() in DECLARED
