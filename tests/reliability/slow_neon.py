"""Neon's URL, with TLS and a password, on the oldest Postgres that the system has.

The embedded Postgres is built without TLS; this one comes from the system, as PgBouncer does.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from secrets import token_urlsafe
from urllib.parse import quote

import psycopg
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from local import postgres
from local.postgres import running
from tests.conftest import Configure, User, migrate_url

HOST = "127.0.0.1"
NEON = "{scheme}://{place}?sslmode=require&channel_binding=require"


def make_certificate(folder: Path) -> None:
    """A key, and a certificate for the loopback address that it signs itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(HOST))]), False)
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "server.key").touch(mode=0o600)
    (folder / "server.key").write_bytes(pem)
    (folder / "server.crt").write_bytes(certificate.public_bytes(Encoding.PEM))


@pytest.fixture(scope="module", autouse=True)
def binaries() -> Iterator[None]:
    """The launcher runs the system's Postgres, whose initdb may not know the usual locale."""
    oldest = min(
        Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: int(folder.parent.name)
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(postgres, "MAJOR", oldest.parent.name)
        patch.setattr(postgres, "_binary", lambda name: str(oldest / name))
        patch.setattr(
            postgres,
            "INITDB",
            ("--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C"),
        )
        yield


@pytest.fixture(scope="module")
def neon(binaries: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server that takes only TLS and passwords, as Neon does; yields all behind the scheme."""
    folder = tmp_path_factory.mktemp("neon")
    make_certificate(folder)
    rules = folder / "pg_hba.conf"
    rules.write_text("local all postgres trust\nhostssl all all all scram-sha-256\n")
    settings = {
        "hba_file": str(rules),
        "ssl": "on",
        "ssl_cert_file": str(folder / "server.crt"),
        "ssl_key_file": str(folder / "server.key"),
    }
    data, password = folder / "data", f"{token_urlsafe(24)}/@#"
    with running(data, durable=False, listen=HOST, settings=settings) as server:
        migrate_url(server.database_url())
        with psycopg.connect(server.database_url(), autocommit=True) as admin:
            admin.execute(f"CREATE ROLE api LOGIN PASSWORD '{password}'; GRANT tasks_user TO api")
        yield f"api:{quote(password, safe='')}@{HOST}:{server.port}/postgres"


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_all_operations_work_with_the_url_that_neon_gives(
    configure: Configure, alice: User, bob: User, neon: str, scheme: str
) -> None:
    configure(DATABASE_URL=NEON.format(scheme=scheme, place=neon))
    task_id = alice.create({"Idempotency-Key": "once"}).json()["id"]
    assert alice.create({"Idempotency-Key": "once"}).headers["Idempotency-Replayed"] == "true"
    assert alice.update(task_id, {"title": "another"}, If_Match='"1"').status_code == 200
    assert alice.toggle(task_id).json()["version"] == 3
    assert bob.get(task_id).status_code == 404
    assert [task["title"] for task in alice.list(sort="title", completed="true").json()] == [
        "another"
    ]
    assert alice.delete(task_id).status_code == 204


def test_the_strictest_mode_works(
    configure: Configure, alice: User, neon: str, tmp_path: Path
) -> None:
    certificate = next(tmp_path.parent.glob("neon*/server.crt"))
    strict = f"sslmode=verify-full&channel_binding=require&sslrootcert={certificate}"
    configure(DATABASE_URL=f"postgresql://{neon}?{strict}")
    assert alice.create().status_code == 201


@pytest.mark.parametrize("query", ["sslmode=disable", "sslmode=verify-full"])
def test_a_connection_that_is_not_as_safe_as_the_url_says_is_a_503(
    configure: Configure, alice: User, neon: str, query: str
) -> None:
    configure(DATABASE_URL=f"postgresql://{neon}?{query}")
    assert alice.create().status_code == 503
