#!/usr/bin/env bash
# Dumps the database of DATABASE_URL into a file: deploy/dump.sh FILE
# Its login must be one that row-level security does not bind (BYPASSRLS), else pg_dump refuses rather than leave rows out.
set -euo pipefail
umask 077
url=${DATABASE_URL:?must be set}
unset DATABASE_URL
# The URL has a password in it, which a command line would show: libpq reads it from this file instead.
PGSERVICEFILE=$(mktemp)
export PGSERVICEFILE
trap 'rm -f "$PGSERVICEFILE"' EXIT
URL=$url python3 - >"$PGSERVICEFILE" <<'PYTHON'
import os
from urllib.parse import parse_qsl, unquote, urlsplit

parts = urlsplit(os.environ["URL"])
known = {"host": parts.hostname, "port": parts.port, "dbname": parts.path.lstrip("/")}
known |= {"user": parts.username, "password": parts.password}
print("[source]")
for name, value in (*known.items(), *parse_qsl(parts.query)):
    if value:
        print(f"{name}={unquote(str(value))}")
PYTHON
pg_dump --dbname=service=source --format=custom --lock-wait-timeout=60s --file="$1"
