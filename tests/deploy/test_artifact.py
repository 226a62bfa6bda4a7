"""What the built functions consist of."""

import re
import stat
import struct
import subprocess
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.deploy.lambda_runtime import ARCHITECTURE, artifact, python, template

pytestmark = pytest.mark.artifact

CODE = {"functions", "shared"}
MEGABYTES = 75
ELF_MACHINES = {"x86_64": 62, "arm64": 183}  # elf(5): e_machine

# Prints the byte code that is not unchecked (PEP 552), of this Python and, where there is a
# source, of that source.
CHECK_BYTE_CODE = """
import sys
from importlib.util import MAGIC_NUMBER, cache_from_source, source_hash
from pathlib import Path

folder = Path(sys.argv[1])
sources = {cache_from_source(str(source)): source for source in folder.rglob("*.py")}
byte_code = {str(path): path.read_bytes() for path in folder.rglob("*.pyc")}
for path in sources.keys() - byte_code.keys():
    print("not compiled:", path)
for path, content in byte_code.items():
    source = sources.get(path)
    if content[:4] != MAGIC_NUMBER or content[4:8] != b"\\1\\0\\0\\0":
        print("not unchecked byte code of this Python:", path)
    elif source and content[8:16] != source_hash(source.read_bytes()):
        print("not of its source:", path)
"""

# Prints the files that importing a handler compiles.
WATCH_COMPILER = """
import sys

folder, handler = sys.argv[1:]
sys.path.insert(0, folder)
sys.addaudithook(
    lambda event, arguments: event == "compile"
    and str(arguments[1]).startswith(folder)
    and print(arguments[1])
)
__import__(handler.rpartition(".")[0])
"""

# anyio parses these two of its own sources, to import the rest of itself lazily.
READS_ITSELF = {Path("anyio/__init__.py"), Path("anyio/abc/__init__.py")}

FUNCTIONS = re.findall(r"^  (\w+Function):$", (ROOT / "template.yaml").read_text(), re.MULTILINE)


@pytest.fixture
def folder() -> Path:
    """What one function deploys."""
    return artifact("ListTasksFunction")


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def sources(folder: Path) -> dict[Path, bytes]:
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*.py")}


def locked() -> set[str]:
    """The names in the lock, spelled as the folders of their metadata."""
    names = re.findall(r"^([\w.-]+)==", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
    return {name.lower().replace("-", "_") for name in names} - {"tzdata"}  # for Windows


class TestArtifact:
    def test_is_the_same_for_every_function(self) -> None:
        first, *others = (files(artifact(name)) for name in FUNCTIONS)
        assert all(other == first for other in others)

    def test_has_the_code_as_it_is(self, folder: Path) -> None:
        for name in CODE:
            assert sources(folder / name) == sources(ROOT / name)

    def test_has_the_locked_dependencies(self, folder: Path) -> None:
        installed = {path.name.partition("-")[0].lower() for path in folder.glob("*.dist-info")}
        assert installed == locked()

    def test_has_nothing_else(self, folder: Path) -> None:
        distributions = packages_distributions()
        for path in folder.iterdir():
            name = path.name.partition(".")[0]
            if path.suffix != ".dist-info" and name not in {*CODE, "openapi", "__pycache__"}:
                owners = {owner.lower().replace("-", "_") for owner in distributions[name]}
                assert owners <= locked()

    def test_leaves_to_the_runtime_what_it_brings(self, folder: Path) -> None:
        brought = {"boto3", "botocore", "awslambdaric", "urllib3", "s3transfer"}
        assert not [path for path in folder.iterdir() if path.name.partition(".")[0] in brought]

    def test_is_small(self, folder: Path) -> None:
        assert sum(map(len, files(folder).values())) <= MEGABYTES * 1_000_000

    def test_can_be_read_by_anybody(self, folder: Path) -> None:
        for path in folder.rglob("*"):
            assert path.stat().st_mode & stat.S_IROTH

    def test_has_byte_code_that_is_taken_as_it_is(self, folder: Path) -> None:
        command = [python(), "-c", CHECK_BYTE_CODE, str(folder)]
        checked = subprocess.run(command, check=True, capture_output=True, text=True)
        assert checked.stdout == ""

    @pytest.mark.parametrize("function", FUNCTIONS)
    def test_is_not_compiled_again(self, function: str) -> None:
        handler = template()["Resources"][function]["Properties"]["Handler"]
        command = [python(), "-S", "-c", WATCH_COMPILER, str(artifact(function)), handler]
        watched = subprocess.run(command, check=True, capture_output=True, text=True)
        compiled = {Path(line).relative_to(artifact(function)) for line in watched.stdout.split()}
        assert compiled <= READS_ITSELF

    def test_has_libraries_for_its_machine(self, folder: Path) -> None:
        libraries = list(folder.rglob("*.so*"))
        assert libraries
        assert {machine(library) for library in libraries} == {ELF_MACHINES[ARCHITECTURE]}

    def test_keeps_the_licences(self, folder: Path) -> None:
        for metadata in folder.glob("*.dist-info"):
            assert (metadata / "METADATA").exists()
            assert list(metadata.rglob("LICENSE*"))


def machine(library: Path) -> int:
    """The machine that a library is for (elf(5))."""
    header = library.read_bytes()[:20]
    assert header.startswith(b"\x7fELF")
    number: int = struct.unpack_from("<H", header, 18)[0]
    return number
