"""Print the URL in the environment's URL as a service file of libpq, with the service `database`.

The URL has a password in it, which a command line of pg_dump or psql would show to every user of
the machine. This needs no package: `python3` of any machine runs it.
"""

import os
from urllib.parse import parse_qsl, unquote, urlsplit


def service(url: str) -> dict[str, str]:
    """What a URL says, in libpq's words."""
    parts = urlsplit(url)
    known = {
        "host": parts.hostname,
        "port": str(parts.port or ""),
        "dbname": parts.path.lstrip("/"),
        "user": parts.username,
        "password": parts.password,
    }
    given = {name: unquote(value) for name, value in known.items() if value}
    return given | dict(parse_qsl(parts.query))


def main() -> None:
    """Read the environment and print the file."""
    lines = (f"{name}={value}" for name, value in service(os.environ["URL"]).items())
    print("[database]", *lines, sep="\n")


if __name__ == "__main__":
    main()
