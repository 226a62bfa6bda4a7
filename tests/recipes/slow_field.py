"""CONTRIBUTING.md's recipe for a field works as it stands there."""

from pathlib import Path

from tests.recipes.recipe import Copy


def test_a_field_is_added_in_twelve_files(tmp_path: Path) -> None:
    copy = Copy(tmp_path / "copy")
    copy.apply("Add a field")
    copy.check(
        "starred or schema or openapi or statement",
        "tests/functions",
        "tests/migrations",
        "tests/scripts/test_openapi.py",
        "tests/shared/database/test_tables.py",
        "tests/test_isolation.py",
    )
    for package, script in (
        ("clients/typescript", "check"),
        ("clients/typescript", "build"),
        ("examples/web", "check"),
    ):
        copy.npm(package, script)
    assert len(copy.touched()) <= 12
