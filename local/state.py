"""What local running keeps in the checkout, out of git: Postgres' data and the issuer's key."""

import os
from pathlib import Path

from local.issuer import NAME, Issuer, load_issuer

ROOT = Path(__file__).parent.parent
STATE = ROOT / ".local"
DEMO_USER = "demo"
DEVELOPMENT_ISSUER = "DEVELOPMENT_ISSUER"
"""The variable that tells the development server that this checkout's issuer makes the tokens."""


def development_issuer() -> Issuer:
    """The issuer of this checkout; the environment may give it another name and audience."""
    name, audience = (os.environ.get(name) or NAME for name in ("JWT_ISSUER", "JWT_AUDIENCE"))
    return load_issuer(STATE / "issuer-key.pem", name, audience)
