"""`make token USER=bob`: a token of the development issuer."""

import sys

from local.state import DEMO_USER, development_issuer

if __name__ == "__main__":
    print(development_issuer().token((sys.argv[1:] or [DEMO_USER])[0]))
