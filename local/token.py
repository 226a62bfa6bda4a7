"""`SUBJECT=bob make token`: a token of the development issuer."""

import os

from local.state import DEMO_USER, development_issuer


def main() -> None:
    """Print it."""
    print(development_issuer().token(os.environ.get("SUBJECT") or DEMO_USER))
