"""`python -m local COMMAND`: what `make` runs. Ctrl-C is quiet from the first moment on."""

import sys
from importlib import import_module

if __name__ == "__main__":
    try:
        run = import_module("local.command").run
        run(import_module(f"local.{sys.argv[1]}").main)
    except KeyboardInterrupt:
        sys.exit(130)
