#!/usr/bin/env bash
# Dumps the database of DATABASE_URL into a file: deploy/dump.sh FILE
# Its login must be one that row-level security does not bind (BYPASSRLS), else pg_dump refuses rather than leave rows out.
set -euo pipefail
umask 077
PGSERVICEFILE=$(mktemp)
export PGSERVICEFILE
trap 'rm -f "$PGSERVICEFILE"' EXIT
URL=${DATABASE_URL:?must be set} python3 "$(dirname "$0")/../scripts/service_file.py" >"$PGSERVICEFILE"
unset DATABASE_URL
pg_dump --dbname=service=database --format=custom --lock-wait-timeout=60s --file="$1"
