"""Print a token of the smoke test's user, whose name and password SMOKE_USER holds as JSON.

With AUTH_URL, where Better Auth is, it signs in there: {"email": "…", "password": "…"}. With
SIGNING_SECRET, it signs a token for five minutes itself: {"sub": "…"}.
"""

import json
import os
import sys
import time
from urllib.parse import urlsplit

import httpx2
import jwt

from scripts.smoke import TOKEN

TIMEOUT = 30  # seconds
LIFETIME = 300  # seconds


def from_better_auth(url: str, user: dict[str, str]) -> str:
    """Sign in at the origin of a URL. Raises HTTPError, and ValueError without a token.

    What is no token may be commands for the log of a workflow, and is not shown.
    """
    parts = urlsplit(url)
    base = f"{parts.scheme}://{parts.netloc}"
    with httpx2.Client(base_url=base, timeout=TIMEOUT, headers={"Origin": base}) as client:
        client.post("/api/auth/sign-in/email", json=user).raise_for_status()
        response = client.get("/api/auth/token")
        response.raise_for_status()
        match response.json():
            case {"token": str(token)} if TOKEN.fullmatch(token):
                return token
        raise ValueError


def signed(secret: str, user: dict[str, str]) -> str:
    """Sign a token with the shared secret."""
    return jwt.encode({"sub": user["sub"], "exp": int(time.time()) + LIFETIME}, secret, "HS256")


def main() -> None:
    """Read the environment and print the token."""
    user = json.loads(os.environ["SMOKE_USER"])
    url, secret = os.environ.get("AUTH_URL"), os.environ.get("SIGNING_SECRET")
    try:
        print(from_better_auth(url, user) if url else signed(str(secret), user))
    except httpx2.HTTPStatusError as error:
        sys.exit(f"Better Auth answers {error.response.status_code} at {error.request.url.path}")
    except httpx2.HTTPError as error:
        sys.exit(f"Better Auth cannot be reached: {type(error).__name__}")
    except ValueError:
        sys.exit("Better Auth answers without a JSON Web Token: it needs the jwt plugin")


if __name__ == "__main__":
    main()
