"""Mutation testing of the verifier: `make mutants` breaks it in every small way, one at a time.

Each mutant is a copy of the module with one operator, constant, statement or element changed. The
tests must fail for it. It takes some minutes, prints the survivors and fails under 95 %.

Nineteen of 610 survive, and change nothing that can be seen: texts of exceptions that never leave
the module; memories of another size; decorators and defaults of a protocol and of methods that do
nothing; None for False; a default that is refused like the one it replaces; too much padding, which
base64 forgives; one byte more than the one that shows that an answer is too large; infinity of the
other sign, of which the distance is taken; and two conditions in `KeySet` that are there for the
type checker and for a switch of threads between two instructions.
"""

from __future__ import annotations

import argparse
import ast
import copy
import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ROOT = Path(__file__).parent.parent
TESTS = {
    "shared/auth/tokens.py": ["tests/shared/auth/test_tokens.py"],
    "shared/auth/keys.py": ["tests/shared/auth/test_keys.py", "tests/shared/auth/test_tokens.py"],
    "shared/auth/key_set.py": ["tests/shared/auth/test_key_set.py"],
}
NEEDED = ["tests/__init__.py", "tests/shared/issuer.py", "tests/shared/auth/tokens_matrix.py"]
ENOUGH = 95  # per cent
SECONDS = 120  # for the tests of one mutant; a mutant that hangs is found out, too

COMPARISONS: dict[type[ast.cmpop], list[type[ast.cmpop]]] = {
    ast.Lt: [ast.LtE, ast.GtE],
    ast.LtE: [ast.Lt, ast.Gt],
    ast.Gt: [ast.GtE, ast.LtE],
    ast.GtE: [ast.Gt, ast.Lt],
    ast.Eq: [ast.NotEq],
    ast.NotEq: [ast.Eq],
    ast.Is: [ast.IsNot],
    ast.IsNot: [ast.Is],
    ast.In: [ast.NotIn],
    ast.NotIn: [ast.In],
}
OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
}


def alternatives(node: ast.AST) -> Iterator[ast.AST | None]:  # noqa: C901, PLR0912
    """What a node can be changed to; None takes a statement away."""
    match node:
        case ast.Compare(ops=[op, *rest]) if not rest:
            for other in COMPARISONS[type(op)]:
                yield changed(node, ops=[other()])
        case ast.Compare(ops=[*ops]):
            for index, op in enumerate(ops):
                for other in COMPARISONS[type(op)]:
                    yield changed(node, ops=[*ops[:index], other(), *ops[index + 1 :]])
        case ast.BinOp(op=op) if type(op) in OPERATORS:
            yield changed(node, op=OPERATORS[type(op)]())
        case ast.BoolOp(op=op, values=values):
            yield changed(node, op=ast.And() if isinstance(op, ast.Or) else ast.Or())
            yield from (changed(node, values=without(values, each)) for each in values)
        case ast.UnaryOp():
            yield node.operand
        case ast.Constant(value=bool(value)):
            yield ast.Constant(not value)
        case ast.Constant(value=int(value)):
            yield ast.Constant(value + 1)
            yield ast.Constant(value - 1)
        case ast.Constant(value=str(value)):
            yield ast.Constant(f"X{value}")
        case ast.If(test=test) | ast.IfExp(test=test):
            yield changed(node, test=ast.UnaryOp(ast.Not(), test))
        case ast.Return(value=ast.expr()):
            yield ast.Return(ast.Constant(None))
        case ast.Raise() | ast.Expr(value=ast.Call()) | ast.Continue():
            yield ast.Pass()
        case ast.Call(keywords=keywords, func=func):
            yield from (changed(node, keywords=without(keywords, each)) for each in keywords)
            if isinstance(func, ast.Name) and func.id in {"min", "max"}:
                yield changed(node, func=ast.Name("max" if func.id == "min" else "min"))
        case ast.Tuple(elts=elements, ctx=ast.Load()) | ast.Set(elts=elements):
            yield from (changed(node, elts=without(elements, each)) for each in elements)
        case ast.Dict(keys=keys, values=contents):
            for key, content in zip(keys, contents, strict=True):
                yield changed(node, keys=without(keys, key), values=without(contents, content))
        case ast.FunctionDef(decorator_list=[_, *_]):
            yield changed(node, decorator_list=[])


def changed(node: ast.AST, **fields: object) -> ast.AST:
    clone = copy.copy(node)
    for name, value in fields.items():
        setattr(clone, name, value)
    return clone


def without(items: Sequence[object], item: object) -> list[object]:
    return [each for each in items if each is not item]


class Replacer(ast.NodeTransformer):
    def __init__(self, old: ast.AST, new: ast.AST | None) -> None:
        self.old = old
        self.new = new

    def visit(self, node: ast.AST) -> Any:
        return self.new if node is self.old else self.generic_visit(node)


def replaced(tree: ast.Module, old: ast.AST, new: ast.AST | None) -> str:
    Replacer(old, new).visit(tree)
    return ast.unparse(ast.fix_missing_locations(tree))


def nodes(tree: ast.AST) -> Iterator[ast.AST]:
    """Every node that does something: no annotation, no type's other name, no docstring."""
    for field, value in ast.iter_fields(tree):
        if field in {"annotation", "returns"}:
            continue
        for child in value if isinstance(value, list) else [value]:
            match child:
                case (
                    ast.Expr(value=ast.Constant())
                    | ast.Assign(value=ast.Subscript(slice=ast.Tuple()))
                ):
                    continue
                case ast.AST():
                    yield child
                    yield from nodes(child)


def mutants(source: str) -> Iterator[tuple[str, str]]:
    """Each mutant: where and what it is, and its source."""
    count = len(list(nodes(ast.parse(source))))
    for index in range(count):
        choices = len(list(alternatives(list(nodes(ast.parse(source)))[index])))
        for choice in range(choices):
            tree = ast.parse(source)
            old = list(nodes(tree))[index]
            new = list(alternatives(old))[choice]
            line, before = getattr(old, "lineno", 0), ast.unparse(old)
            after = ast.unparse(ast.fix_missing_locations(new)) if new else ""
            if before != after:
                yield f"{line}: {brief(before)}  →  {brief(after)}", replaced(tree, old, new)


def brief(code: str) -> str:
    return " ".join(code.split())[:90]


def survives(folder: Path, module: str, mutant: str) -> bool:
    """Run the module's tests against a mutant."""
    (folder / module).write_text(mutant)
    options = ["-x", "-q", "-n0", "-p", "no:randomly", "-p", "no:cacheprovider"]
    try:
        run = subprocess.run(
            [sys.executable, "-B", "-m", "pytest", *options, *TESTS[module]],
            cwd=folder,
            env={**os.environ, "PYTHONHASHSEED": "0"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return False
    finally:
        shutil.copy(ROOT / module, folder / module)
    return run.returncode == 0


def workshop(folder: Path) -> Path:
    """A copy of what the tests need, and nothing else."""
    shutil.copytree(ROOT / "shared", folder / "shared")
    for name in {"pyproject.toml", *NEEDED, *(test for tests in TESTS.values() for test in tests)}:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    return folder


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("modules", nargs="*", default=list(TESTS))
    modules = parser.parse_args().modules
    with tempfile.TemporaryDirectory() as scratch, ThreadPoolExecutor(os.cpu_count()) as pool:
        free: SimpleQueue[Path] = SimpleQueue()
        for number in range(os.cpu_count() or 1):
            free.put(workshop(Path(scratch) / str(number)))

        def test(case: tuple[str, str, str]) -> bool:
            folder = free.get()
            try:
                return survives(folder, case[0], case[2])
            finally:
                free.put(folder)

        cases = [
            (module, what, mutant)
            for module in modules
            for what, mutant in mutants((ROOT / module).read_text())
        ]
        if not all(pool.map(test, [(each, "", (ROOT / each).read_text()) for each in modules])):
            sys.exit("The tests fail without any mutant.")
        survivors = 0
        for number, (case, survived) in enumerate(zip(cases, pool.map(test, cases), strict=True)):
            survivors += survived
            if number % 25 == 0:
                print(f"{number} of {len(cases)} mutants", file=sys.stderr, flush=True)  # noqa: T201
            if survived:
                print(f"{case[0]}:{case[1]}", flush=True)  # noqa: T201
    killed = 100 * (len(cases) - survivors) / len(cases)
    print(f"{len(cases)} mutants, {survivors} survived, {killed:.1f} % killed")  # noqa: T201
    return int(killed < ENOUGH)


if __name__ == "__main__":
    sys.exit(main())
