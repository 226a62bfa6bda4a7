"""Tests on a real Postgres. Pytest rewrites what they share, so that it says what differs."""

from pathlib import Path

import pytest

for path in Path(__file__).parent.iterdir():
    pytest.register_assert_rewrite(f"{__name__}.{path.stem}")
