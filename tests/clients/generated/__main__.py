"""Clients that are generated from the OpenAPI document compile, and call all operations."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from local.state import ROOT, STATE
from tests.reliability.fuzz import parts, served

HERE = Path(__file__).parent
DOCUMENT = ROOT / "openapi.json"
PACKAGES = ROOT / "clients" / "typescript" / "node_modules"
GENERATORS = STATE / "generators" / "bin"
STRICT = ("--strict", "--exactOptionalPropertyTypes", "--noUncheckedIndexedAccess")
NO_DATABASE = {"DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing"}


def run(folder: Path, *command: Path | str, **variables: str) -> None:
    """Run a command there. Raises CalledProcessError when it fails."""
    subprocess.run(command, cwd=folder, env=os.environ | variables, check=True)


def typescript(folder: Path) -> tuple[Path | str, ...]:
    """Generate and compile a client with its calls; the command that runs them."""
    shutil.copy(HERE / "calls.ts", folder)
    (folder / "package.json").write_text('{"type": "module"}')
    (folder / "node_modules").symlink_to(PACKAGES)
    tools = PACKAGES / ".bin"
    run(folder, tools / "openapi-typescript", DOCUMENT, "--output", "schema.ts")
    module = ("--module", "nodenext", "--target", "es2022", "--types", "node")
    run(folder, tools / "tsc", *STRICT, *module, "calls.ts")
    return ("node", "calls.js")


def python(folder: Path) -> tuple[Path | str, ...]:
    """Generate a client, and check it with its calls; the command that runs them."""
    shutil.copy(HERE / "calls.py", folder)
    interpreter = GENERATORS / "python"
    generate = (GENERATORS / "openapi-python-client", "generate", "--fail-on-warning")
    output = ("--meta", "none", "--output-path", "task_api_client")
    path = f"{GENERATORS}{os.pathsep}{os.environ['PATH']}"  # where it finds what formats
    run(folder, *generate, "--path", DOCUMENT, *output, PATH=path)
    mypy = (sys.executable, "-m", "mypy", "--strict", "--config-file=", "--follow-imports=silent")
    run(folder, *mypy, "--python-executable", interpreter, "calls.py")
    return (interpreter, "calls.py")


def operations() -> set[str]:
    """The routes of the document."""
    paths = json.loads(DOCUMENT.read_text())["paths"]
    return {f"{method.upper()} {path}" for path, methods in paths.items() for method in methods}


def answered(log: Path) -> set[str]:
    """The routes that a server has carried out what was asked for of, as its log tells."""
    lines = [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]
    return {line["route"] for line in lines if line.get("status", 500) < 300}


def main() -> int:
    """Try the client of each language; the exit status."""
    with parts() as (_, signer, variables), served(variables | NO_DATABASE) as without_database:
        for generate in (typescript, python):
            user = f"auth0|{generate.__name__}/b"  # has to be encoded in a path
            with TemporaryDirectory() as name:
                folder, log = Path(name), Path(name) / "log"
                calls = generate(folder)
                with log.open("wb") as file, served(variables, file) as address:
                    run(
                        folder,
                        *calls,
                        API_URL=address,
                        WITHOUT_DATABASE_URL=without_database,
                        DOCUMENT=str(DOCUMENT),
                        TOKEN=signer.token(user),
                        USER_ID=user,
                    )
                missed = operations() - answered(log)
            # Of TypeScript's, the client in clients/ calls the rest.
            if missed and generate is python:
                sys.exit(f"ask for {missed} in tests/clients/generated/calls.py")
    return 0


if __name__ == "__main__":
    sys.exit(main())
