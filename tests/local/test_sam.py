"""What `make sam-local` hands over to the containers, and where it listens."""

from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from local import sam
from local.gateway import _Loader
from local.sam import VARIABLES
from local.services import FRONTENDS
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


def test_frontends_find_it_where_they_find_the_development_server(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    commands: list[list[str]] = []
    ports: list[int] = []
    run = SimpleNamespace(run=lambda command, **_: commands.append(command))
    for name, instead in {
        "alone": lambda _: nullcontext(),
        "bridge": lambda: "127.0.0.1",
        "free_port": lambda _, default: default,
        "subprocess": run,
        "set_up_database": lambda *_: None,
        "set_up_issuer": lambda *_: None,
        "FOLDER": tmp_path,
        "ENVIRONMENT": tmp_path / "environment.json",
        "say_when": lambda *_: None,
        "serve": ports.append,
    }.items():
        monkeypatch.setattr(sam, name, instead)
    monkeypatch.setenv("ALLOWED_ORIGINS", "")
    with pytest.raises(SystemExit) as ended:
        sam.main()
    assert not ended.value.code
    assert ports == [8000]
    assert f"AllowedOrigins={FRONTENDS}" in commands[0]
    assert FRONTENDS.split(",") == ["http://localhost:3000", "http://localhost:5173"]
