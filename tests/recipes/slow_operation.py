"""CONTRIBUTING.md's recipe for an operation works as it stands there."""

from pathlib import Path

from tests.recipes.recipe import Copy


def test_an_operation_is_added_in_twelve_files(tmp_path: Path) -> None:
    copy = Copy(tmp_path / "copy")
    copy.apply("Add an operation")
    copy.check(
        "rename or readme or routes or throttle or template or client or layers",
        "tests/deploy/test_template.py",
        "tests/functions",
        "tests/scripts/test_openapi.py",
        "tests/shared/auth/test_token_matrix.py",
        "tests/shared/database/test_tables.py",
        "tests/test_documents.py",
        "tests/test_isolation.py",
        "tests/test_layers.py",
        "tests/test_operations.py",
    )
    copy.npm("clients/typescript", "check")
    assert len(copy.touched()) <= 12
