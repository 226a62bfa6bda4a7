"""The same API in other ways: each small, and correct as far as `benchmarks.check` looks."""
