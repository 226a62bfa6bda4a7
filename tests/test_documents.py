"""What the documents say is so: links, commands, variables, kinds of problems, figures."""

import json
import re
import subprocess
from pathlib import Path
from urllib.parse import unquote

import pytest

from benchmarks import quotes, report
from local.gateway import read_routes
from scripts.quotes import fill
from shared.http.problems import Problem
from shared.settings import Settings
from tests.blocks import FENCED
from tests.conftest import ROOT
from tests.description import OPERATIONS
from tests.reliability import page

README = ROOT / "README.md"
RESULTS = json.loads((ROOT / "benchmarks" / "results.json").read_text())
FOREIGN = {".venv", ".local", ".aws-sam", ".git", "node_modules"}
DOCUMENTS = sorted(
    path for path in ROOT.rglob("*.md") if not FOREIGN & set(path.relative_to(ROOT).parts)
)
LINK = re.compile(r"\]\(([^)\s]+)\)")
TARGET = re.compile(r"^([a-z-]+):", re.MULTILINE)

each_document = pytest.mark.parametrize(
    "document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT))
)


def anchors(document: Path) -> set[str]:
    """The anchors that GitHub gives the headings of a document."""
    headings = re.findall(r"^#+ (.*)$", FENCED.sub("", document.read_text()), re.MULTILINE)
    words = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
    return {each.replace(" ", "-") for each in words}


@each_document
def test_a_link_leads_somewhere(document: Path) -> None:
    broken = []
    for link in LINK.findall(FENCED.sub("", document.read_text())):
        path, _, anchor = unquote(link).partition("#")
        if "://" in path or path.startswith("../../actions/"):
            continue
        target = (document.parent / path).resolve() if path else document
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert not broken


@each_document
def test_a_command_is_a_target_of_the_makefile(document: Path) -> None:
    targets = set(TARGET.findall((ROOT / "Makefile").read_text()))
    named = re.findall(r"(?:`|^|[A-Z]=\S+ )make ([a-z-]+)", document.read_text(), re.MULTILINE)
    assert set(named) <= targets


def test_the_readme_is_short() -> None:
    assert len(README.read_text().splitlines()) <= 200


def test_the_readme_names_every_variable() -> None:
    [table] = re.findall(r"^## Configuration$.*?^## ", README.read_text(), re.DOTALL | re.MULTILINE)
    named = set(re.findall(r"`([A-Z_]+)`", table))
    assert named - {"MIGRATION_DATABASE_URL"} == {name.upper() for name in Settings.model_fields}


def kinds(problem: type[Problem]) -> set[str]:
    return {problem.kind}.union(*(kinds(each) for each in problem.__subclasses__()))


def test_the_readme_names_every_kind_of_problem() -> None:
    rows = re.findall(r"^\| (`[^|]*`) \| \d{3}", README.read_text(), re.MULTILINE)
    assert set(re.findall(r"`([^`]+)`", " ".join(rows))) == kinds(Problem)


def test_the_readme_names_every_operation() -> None:
    rows = re.findall(
        r"^\| \[\w+\]\(functions/(\w+)\.py\) \| `(\w+) (\S+)` \|", README.read_text(), re.MULTILINE
    )
    told = {(method, path): name for name, method, path in rows}
    described = {route: operation["operationId"] for route, operation in OPERATIONS.items()}
    assert told == described, "the README has a line for each operation"


@each_document
def test_a_number_of_functions_is_the_templates(document: Path) -> None:
    functions = {route.function for route in read_routes()}
    for number in re.findall(r"(\d+) functions", document.read_text()):
        assert int(number) == len(functions), f"{len(functions)} functions answer requests"


def test_the_page_of_performance_is_what_the_results_say() -> None:
    assert report.page(RESULTS) == (ROOT / "docs/performance.md").read_text()


@pytest.mark.parametrize(
    ("document", "figures"),
    [*quotes.quoted(RESULTS).items(), (README, page.quoted())],
    ids=["README.md, performance", "operate.md, performance", "README.md, reliability"],
)
def test_a_figure_that_is_quoted_is_that_of_its_page(
    document: Path, figures: dict[str, str]
) -> None:
    text = document.read_text()
    assert fill(text, figures) == text


def test_a_figure_without_its_marks_is_an_error() -> None:
    with pytest.raises(KeyError):
        fill("<!-- p95 -->", {"p95": "1 ms"})


def test_the_linter_of_prose_finds_words_and_long_sentences(tmp_path: Path) -> None:
    document = tmp_path / "document.md"
    document.write_text(f"There is a way back.\n\nThis is {'very, ' * 40}very long.\n")
    installed = ("-o", ".venv/installed", "-o", ".venv/node")
    done = subprocess.run(
        ["make", "--silent", *installed, "check-prose", f"PROSE={document}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "rollback" in done.stdout
    assert "exceeds the maximum sentence length" in done.stdout
