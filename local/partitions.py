"""The tables as hash partitions by owner: what docs/scale.md measures, and what the tests try.

All keys begin with the owner, so that no statement changes. The rows are copied while the tables
are locked; docs/scale.md says how a large database gets there.
"""

from collections.abc import Sequence

import psycopg

# The new table gets all of the old one's: defaults, keys, checks, settings, grants and policies.
PARTITION = """
CREATE FUNCTION pg_temp.partition(name text, count integer) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    old regclass := format('%I', name)::regclass;
    old_ids regclass := (SELECT objid FROM pg_depend JOIN pg_class ON pg_class.oid = objid
        WHERE refobjid = old AND relkind = 'S');
    ids regclass;
    owner name;
    settings text;
    part text;
    statement text;
BEGIN
    SELECT pg_get_userbyid(relowner), 'WITH (' || array_to_string(reloptions, ',') || ')'
        INTO owner, settings FROM pg_class WHERE oid = old;
    EXECUTE format('ALTER TABLE %I RENAME TO %I', name, name || '_whole');
    EXECUTE format('CREATE TABLE %I (LIKE %s INCLUDING ALL) PARTITION BY HASH (user_id)',
        name, old);
    FOR number IN 0 .. count - 1 LOOP
        part := name || '_' || number;
        EXECUTE format('CREATE TABLE %I PARTITION OF %I FOR VALUES WITH (MODULUS %s, REMAINDER %s)',
            part, name, count, number) || coalesce(settings, '');
        EXECUTE format('ALTER TABLE %I OWNER TO %I', part, owner);
    END LOOP;
    EXECUTE format('INSERT INTO %I SELECT * FROM %s', name, old);
    IF old_ids IS NOT NULL THEN
        ids := pg_get_serial_sequence(name, 'id');
        EXECUTE format('SELECT setval(%L, last_value, is_called) FROM %s', ids, old_ids);
    END IF;
    EXECUTE format('ALTER TABLE %I OWNER TO %I', name, owner);
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', name);
    FOR statement IN
        SELECT format('CREATE POLICY %I ON %I TO %s USING (%s)', policyname, name,
            array_to_string(roles, ','), qual)
            || coalesce(' WITH CHECK (' || with_check || ')', '')
        FROM pg_policies WHERE tablename = name || '_whole'
        UNION ALL
        SELECT format('GRANT %s ON %I TO %s', privilege_type, name, grantee::regrole)
        FROM pg_class, aclexplode(relacl) WHERE oid = old AND grantee <> relowner
        UNION ALL
        SELECT format('GRANT %s (%I) ON %I TO %s', privilege_type, attname, name, grantee::regrole)
        FROM pg_attribute, aclexplode(attacl) WHERE attrelid = old
        UNION ALL
        SELECT format('GRANT USAGE ON SEQUENCE %s TO %s', ids, grantee::regrole)
        FROM pg_class, aclexplode(relacl) WHERE oid = old_ids AND grantee <> relowner
            AND privilege_type = 'USAGE'
    LOOP
        EXECUTE statement;
    END LOOP;
END
$$
"""


def partition(admin: psycopg.Connection, tables: Sequence[str], count: int) -> None:
    """Turn each of some tables into so many partitions.

    The connection is the superuser's, to whom the policies do not apply.
    """
    with admin.transaction():
        admin.execute(PARTITION.encode())
        for table in tables:
            admin.execute("SELECT pg_temp.partition(%s, %s)", (table, count))
        for table in tables:
            admin.execute(f"DROP TABLE {table}_whole".encode())
        admin.execute("DROP FUNCTION pg_temp.partition")
