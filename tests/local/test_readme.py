"""README.md: each block is tried as it stands, and what it quotes is said."""

import os
import re
import socket
import subprocess
from pathlib import Path

import pytest

from local import command
from tests.blocks import fenced
from tests.conftest import ROOT
from tests.local.support import HOST, Server

README = (ROOT / "README.md").read_text()
TROUBLES = README.partition("## Troubleshooting")[2]
# tests/browser/readme.spec.ts runs the frontend.
QUICKSTART, OUTPUT, _FRONTEND, DIAGRAM, DEPLOY = (block for _, block in fenced(README))

NAME = r"\w+(?:\[[^\]]+\]|\[\([^)]+\)\])?"  # of a node, perhaps with its label
ARROW = r"(?:-->|-- [^-]+ -->|-\. [^.]+ \.->)"
STATEMENT = re.compile(rf"flowchart LR|subgraph [^\[\]]+|end|{NAME}(?: {ARROW} {NAME})+")


def test_the_quickstart_runs_the_development_server(tmp_path: Path) -> None:
    url = re.search(r"https://\S+", QUICKSTART)
    assert url
    instead = {f"url.{ROOT}.insteadOf": url[0], "safe.directory": "*"}
    configuration = {"GIT_CONFIG_COUNT": str(len(instead))}
    for number, (key, value) in enumerate(instead.items()):
        configuration |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    done = subprocess.run(
        ["bash", "-euc", QUICKSTART],
        cwd=tmp_path,
        env=os.environ | configuration | {"MAKEFLAGS": "n --no-print-directory"},  # a dry run
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith(".venv/bin/python -m local dev\n")


def test_the_quickstart_shows_what_the_server_says(server: Server) -> None:
    shown = re.escape(OUTPUT).replace("…", ".*")
    said = server.output.replace(server.address, "http://127.0.0.1:8000")
    assert re.search(shown, said)


def test_the_diagram_is_a_flowchart_whose_parts_are_closed() -> None:
    statements = [line.strip() for line in DIAGRAM.splitlines()]
    assert not [each for each in statements if not STATEMENT.fullmatch(each)]
    begun = [each for each in statements if each.startswith("subgraph")]
    assert len(begun) == statements.count("end")


def test_the_deployment_is_that_of_the_runbook() -> None:
    runbook = fenced((ROOT / "docs/operate.md").read_text())
    assert DEPLOY in [block for _, block in runbook]


def test_troubleshooting_quotes_what_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "STATE", tmp_path)
    with socket.create_server((HOST, 0)) as taken, command.alone("dev"):
        port = str(taken.getsockname()[1])
        monkeypatch.setenv("PORT", port)
        with pytest.raises(SystemExit) as no_port:
            command.listen()
        with pytest.raises(SystemExit) as not_alone, command.alone("dev"):
            pass
    sentences = [str(no_port.value).replace(port, "8000"), str(not_alone.value)]
    quoted = re.findall(r"^\| (`+)(.+?)\1 \|", TROUBLES, re.MULTILINE)
    assert len(quoted) == len(sentences)
    for (_, phrase), sentence in zip(quoted, sentences, strict=True):
        assert sentence.startswith(phrase)
