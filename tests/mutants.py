"""Mutation testing of the verifier: `make mutants` lets mutmut break it in every small way.

It prints what the tests do not notice, and fails where that is more than 5 %.
"""

import json
import os
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path

from tests.conftest import ROOT, pytest_configure, pytest_unconfigure

MUTMUT = str(Path(sys.executable).with_name("mutmut"))
COPY = ROOT / "mutants"  # where mutmut works
WORKERS = 2 * (os.cpu_count() or 1)  # because many tests wait for what hangs
ENOUGH = 95  # per cent

run = partial(subprocess.run, cwd=ROOT, check=True, text=True)


def main() -> int:
    shutil.rmtree(COPY, ignore_errors=True)  # mutmut would not test again where only tests differ
    pytest_configure()  # so that not each mutant starts a Postgres
    try:
        run([MUTMUT, "run", "--max-children", str(WORKERS)])
    finally:
        pytest_unconfigure()
    for line in run([MUTMUT, "results"], stdout=subprocess.PIPE).stdout.splitlines():
        run([MUTMUT, "show", line.split(":")[0].strip()])
    run([MUTMUT, "export-cicd-stats"])
    count = json.loads((COPY / "mutmut-cicd-stats.json").read_text())
    # Not "timeout": that is also what mutmut calls a mutant whose tests did not start.
    score = 100 * count["killed"] / count["total"]
    print(f"The tests notice {score:.1f} % of {count['total']} mutants.")  # noqa: T201
    return int(score < ENOUGH)


if __name__ == "__main__":
    sys.exit(main())
