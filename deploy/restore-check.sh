#!/usr/bin/env bash
# Proves that a dump can be read: deploy/restore-check.sh FILE
# Restores it into an empty database, RESTORE_URL or one of a throw-away server, in one transaction, and compares the
# number of rows of each table with the dump's.
set -euo pipefail
umask 077
dump=$1
folder=$(mktemp --directory)
trap 'rm -rf "$folder"' EXIT
if [ -z "${RESTORE_URL:-}" ]; then
    trap 'pg_ctl --pgdata="$folder/data" --mode=immediate --silent stop; rm -rf "$folder"' EXIT
    initdb --pgdata="$folder/data" --username=postgres --auth=trust --no-sync >/dev/null
    pg_ctl --pgdata="$folder/data" --log="$folder/log" --silent --wait start \
        --options="-c listen_addresses='' -c unix_socket_directories=$folder -c fsync=off"
    RESTORE_URL="postgresql://postgres@/postgres?host=$folder"
fi
export PGSERVICEFILE=$folder/service
URL=$RESTORE_URL python3 "$(dirname "$0")/../scripts/service_file.py" >"$PGSERVICEFILE"
unset RESTORE_URL
query() { psql --no-psqlrc --quiet --tuples-only --no-align --set=ON_ERROR_STOP=1 --dbname=service=database "$@"; }

# The role that the policies and grants of the dump name; a dump holds no roles.
query --command="DO \$\$ BEGIN CREATE ROLE tasks_user NOLOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END \$\$"
pg_restore --exit-on-error --single-transaction --no-owner --dbname=service=database "$dump"

# Rows between COPY and its end, by table.
pg_restore --data-only --file=- "$dump" | awk '
    /^COPY / { table = $2; rows[table] += 0; next }
    table && /^\\\.$/ { table = ""; next }
    table { rows[table]++ }
    END { for (table in rows) print table, rows[table] }' | sort >"$dump.rows"
grep --quiet '^public\.tasks ' "$dump.rows" || { echo "The dump has no table tasks" >&2; exit 1; }
while read -r table expected; do
    found=$(query --command="SET row_security = off; SELECT count(*) FROM $table")
    [ "$found" = "$expected" ] || { echo "$table: $found rows instead of $expected" >&2; exit 1; }
    echo "✓ $table: $found rows"
done <"$dump.rows"
