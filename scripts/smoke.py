"""`URL=… TOKEN=… make smoke`: whether a deployment does what a frontend needs.

URL and TOKEN come from the environment alone, since make expands what stands on its command line.
Eleven requests, through every function. It leaves nothing behind. ORIGIN, if given, is one that the
API allows; its preflight is tried too.
"""

import json
import os
import re
import sys
from base64 import urlsafe_b64decode
from typing import Any
from urllib.parse import quote

import httpx2

TIMEOUT = 30  # seconds, cold start included
TOKEN = re.compile(r"[\w-]+\.([\w-]+)\.[\w-]+", re.ASCII)


class Smoke:
    """One round against a deployment."""

    def __init__(self, url: str, token: str) -> None:
        self.client = httpx2.Client(base_url=url, timeout=TIMEOUT)
        self.authorization = {"Authorization": f"Bearer {token}"}
        self.tasks = f"/api/{quote(subject(token), safe='')}/tasks"

    def request(
        self, name: str, expected: int, method: str, path: str, **options: Any
    ) -> httpx2.Response:
        """Send a request. Exits with a message when the response has another status."""
        headers = options.pop("headers", self.authorization)
        try:
            response = self.client.request(method, path, headers=headers, **options)
        except httpx2.HTTPError as error:
            sys.exit(f"✗ {name}: {type(error).__name__}")
        request_id = response.headers.get("X-Request-Id", "none")
        if response.status_code != expected:
            sys.exit(f"✗ {name}: {response.status_code}, not {expected} (request {request_id})")
        print(f"✓ {name}: {response.status_code}, {response.elapsed.total_seconds() * 1000:.0f} ms")
        return response

    def run(self, origin: str | None) -> None:
        """The whole round."""
        self.request("health", 200, "GET", "/health", headers={})
        self.request("no token", 401, "GET", self.tasks, headers={})
        if origin:
            self.preflight(origin)
        task = self.request("create", 201, "POST", self.tasks, json={"title": "Smoke"}).json()
        path = f"{self.tasks}/{task['id']}"
        try:
            self.request("get", 200, "GET", path)
            listed = self.request("list", 200, "GET", self.tasks).json()
            if task["id"] not in {each["id"] for each in listed}:
                sys.exit("✗ list: the new task is not in it")
            self.request("update", 200, "PUT", path, json={"title": "Smoke again"})
            self.request("toggle", 200, "PATCH", f"{path}/complete", json={"completed": True})
        finally:
            self.request("delete", 204, "DELETE", path)
        self.request("get what is gone", 404, "GET", path)
        self.request("a path that is not there", 404, "GET", f"{self.tasks}/1/nowhere")

    def preflight(self, origin: str) -> None:
        """What a browser asks before an update."""
        asked = {
            "Origin": origin,
            "Access-Control-Request-Method": "PUT",
            "Access-Control-Request-Headers": "authorization,content-type,if-match",
        }
        response = self.client.options(f"{self.tasks}/1", headers=asked)
        if response.headers.get("Access-Control-Allow-Origin") != origin:
            sys.exit(f"✗ preflight: {origin} is not allowed")
        print(f"✓ preflight: {response.status_code}")


def bearer(value: str) -> str:
    """The token alone, where it was given as a header has it (RFC 6750, section 2.1)."""
    scheme, _, token = value.strip().partition(" ")
    return token.strip() if scheme.lower() == "bearer" else value.strip()


def subject(token: str) -> str:
    """Whose token it is; the API verifies it. Exits with a message where it is not a JWT."""
    try:
        payload = TOKEN.fullmatch(token)[1]  # type: ignore[index]
        return str(json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["sub"])
    except (TypeError, ValueError, KeyError):
        sys.exit("TOKEN is not a JSON Web Token with a sub: take one from /api/auth/token")


def main() -> None:
    """Read the environment and run."""
    missing = [name for name in ("URL", "TOKEN") if not os.environ.get(name)]
    if missing:
        sys.exit(f"{' and '.join(missing)} must be set: URL=https://… TOKEN=… make smoke")
    url = os.environ["URL"]
    if not re.match(r"https?://[^\s/]+", url):
        sys.exit("URL must begin with https:// and a host, or with http:// where it is local")
    Smoke(url, bearer(os.environ["TOKEN"])).run(os.environ.get("ORIGIN"))


if __name__ == "__main__":
    main()
