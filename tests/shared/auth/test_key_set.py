"""The key set cache against a real HTTP server: when it fetches, and what it does without."""

from __future__ import annotations

import logging
import socket
import ssl
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given
from hypothesis import strategies as st

from shared.auth.key_set import DEADLINE, KeySet, _seconds, _shut_down
from shared.http.problems import Unavailable
from tests.shared.auth.tokens_matrix import signer
from tests.shared.issuer import FAULTS, SLOW, Issuer, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from ipaddress import IPv4Address
    from pathlib import Path

MINUTE, HOUR, DAY = 60, 60 * 60, 24 * 60 * 60
OLD = signer("EdDSA", "old", number=30)
NEW = signer("EdDSA", "new", number=31)
PATIENCE = 8  # seconds; far above the deadline of 2, so that a slow machine does not matter


class Clock:
    """A wall clock that is set by hand."""

    def __init__(self) -> None:
        self.now = float(int(time.time()))  # a date has whole seconds

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with running([OLD.jwk()]) as issuer:
        yield issuer
    settle()


@pytest.fixture
def clock(issuer: Issuer) -> Clock:
    """The time here and at the issuer."""
    clock = issuer.now = Clock()
    return clock


@pytest.fixture
def keys(issuer: Issuer, clock: Clock) -> KeySet:
    """A key set that has been fetched once, and may fetch again."""
    keys = KeySet(issuer.url, now=clock)
    keys.warm()
    assert issuer.requests == 1
    clock.now += 5
    return keys


def settle() -> None:
    """Wait for the fetches that run beside the test."""
    for thread in threading.enumerate():
        if thread.name == "key set":
            thread.join(PATIENCE)
            assert not thread.is_alive()


def knows(keys: KeySet, kid: str) -> bool:
    return keys.key("EdDSA", kid) is not None


def retry_after(keys: KeySet, kid: str = "new") -> int:
    """For how many seconds the key set says it is unavailable."""
    with pytest.raises(Unavailable) as unavailable:
        keys.key("EdDSA", kid)
    assert unavailable.value.headers
    assert unavailable.value.detail == (
        "The issuer's key set cannot be reached for the moment. Nothing was written."
    )
    return int(unavailable.value.headers["Retry-After"])


def fail(issuer: Issuer, fault: str) -> None:
    if fault == "down":
        issuer.stop()
    else:
        issuer.mode = fault


class TestKnownKeys:
    def test_the_first_token_fetches_the_set(self, issuer: Issuer) -> None:
        keys = KeySet(issuer.url)
        assert issuer.requests == 0
        assert knows(keys, "old")
        assert issuer.requests == 1

    def test_a_known_key_is_answered_from_memory(self, keys: KeySet, issuer: Issuer) -> None:
        assert all(knows(keys, "old") for _ in range(100))
        assert issuer.requests == 1

    def test_a_key_is_known_for_its_algorithm_alone(self, keys: KeySet) -> None:
        assert keys.key("ES256", "old") is None

    def test_the_only_key_of_an_algorithm_is_known_without_kid(self, keys: KeySet) -> None:
        assert keys.key("EdDSA", None) is keys.key("EdDSA", "old")

    def test_a_set_is_refreshed_when_ten_minutes_old(
        self, keys: KeySet, issuer: Issuer, clock: Clock
    ) -> None:
        clock.now += 10 * MINUTE - 6
        assert knows(keys, "old")
        settle()
        assert issuer.requests == 1
        issuer.keys = [NEW.jwk()]
        clock.now += 1
        assert knows(keys, "old")  # it did not wait
        settle()
        assert issuer.requests == 2
        assert knows(keys, "new")
        clock.now += 5
        assert not knows(keys, "old")

    def test_a_refresh_does_not_keep_a_known_key_waiting(
        self, keys: KeySet, issuer: Issuer, clock: Clock
    ) -> None:
        issuer.mode = "hang"
        clock.now += 11 * MINUTE
        started = time.monotonic()
        assert all(knows(keys, "old") for _ in range(100))
        assert time.monotonic() - started < 1.5
        [fetch] = [thread for thread in threading.enumerate() if thread.name == "key set"]
        assert fetch.daemon  # nor does it keep a process from its end
        issuer.over.set()

    def test_a_known_key_does_not_wait_behind_an_unknown_one(
        self, keys: KeySet, issuer: Issuer
    ) -> None:
        issuer.mode = "hang"
        with ThreadPoolExecutor(1) as pool:
            unknown = pool.submit(retry_after, keys)
            while issuer.requests < 2:
                time.sleep(0.01)
            assert knows(keys, "old")
            assert not unknown.done()
            assert unknown.result() == 5
        issuer.over.set()


class TestUnknownKeys:
    def test_a_rotated_key_is_known_at_its_first_token(self, keys: KeySet, issuer: Issuer) -> None:
        issuer.keys = [OLD.jwk(), NEW.jwk()]
        assert knows(keys, "new")
        assert knows(keys, "old")
        assert issuer.requests == 2

    def test_a_thousand_unknown_keys_are_one_fetch(
        self, keys: KeySet, issuer: Issuer, clock: Clock
    ) -> None:
        assert not any(knows(keys, f"unknown-{number}") for number in range(1000))
        assert issuer.requests == 2
        clock.now += 4.9
        assert not knows(keys, "unknown")
        assert issuer.requests == 2
        clock.now += 0.1
        assert not knows(keys, "unknown")
        assert issuer.requests == 3

    def test_unknown_keys_at_the_same_time_are_one_fetch(
        self, keys: KeySet, issuer: Issuer
    ) -> None:
        issuer.mode, issuer.delay = "late", 0.2
        issuer.keys = [NEW.jwk()]
        with ThreadPoolExecutor(32) as pool:
            assert all(pool.map(lambda _: knows(keys, "new"), range(100)))
        assert issuer.requests == 2

    @pytest.mark.parametrize("fault", ["error", "down", "html"])
    def test_a_thousand_unknown_keys_are_one_failed_fetch(
        self, keys: KeySet, issuer: Issuer, clock: Clock, fault: str
    ) -> None:
        fail(issuer, fault)
        assert {retry_after(keys, f"unknown-{number}") for number in range(1000)} == {5}
        clock.now += 3.5
        assert retry_after(keys) == 2
        assert issuer.requests == (1 if fault == "down" else 2)
        if fault == "down":
            issuer.start()
        issuer.mode, issuer.keys = "normal", [NEW.jwk()]
        clock.now += 1.5
        assert knows(keys, "new")

    def test_within_the_cooldown_an_unknown_key_does_not_exist(
        self, issuer: Issuer, clock: Clock
    ) -> None:
        keys = KeySet(issuer.url, now=clock)
        assert knows(keys, "old")
        issuer.keys = [NEW.jwk()]
        assert not knows(keys, "new")
        clock.now += 5
        assert knows(keys, "new")

    def test_an_unknown_key_waits_for_the_fetch_that_is_under_way(
        self, keys: KeySet, issuer: Issuer, clock: Clock
    ) -> None:
        issuer.mode, issuer.delay = "late", 0.3
        issuer.keys = [OLD.jwk(), NEW.jwk()]
        clock.now += 10 * MINUTE
        assert knows(keys, "old")  # starts it
        assert knows(keys, "new")
        assert issuer.requests == 2


class TestOutage:
    @pytest.mark.parametrize("fault", [*FAULTS, "down"])
    def test_without_a_set_an_issuer_that_fails_makes_us_unavailable(
        self, issuer: Issuer, clock: Clock, fault: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        assert DEADLINE == 2
        fail(issuer, fault)
        keys = KeySet(issuer.url, now=clock)
        started = time.monotonic()
        assert retry_after(keys) in {5, 7}
        assert retry_after(keys) in {5, 7}
        assert time.monotonic() - started < PATIENCE
        settle()  # the fetch ends, however long the issuer would go on
        [record] = caplog.records
        assert (record.levelno, record.name) == (logging.WARNING, "tasks.shared.auth.key_set")
        assert record.getMessage() == "The key set could not be fetched."
        assert issuer.requests == (0 if fault == "down" else 1)

    @pytest.mark.parametrize("fault", [*FAULTS, "down"])
    def test_a_known_key_survives_an_issuer_that_fails(
        self, keys: KeySet, issuer: Issuer, clock: Clock, fault: str
    ) -> None:
        known = keys.key("EdDSA", "old")
        fail(issuer, fault)
        issuer.keys = [NEW.jwk()]
        clock.now += 11 * MINUTE
        assert keys.key("EdDSA", "old") is known
        if fault in SLOW:
            assert retry_after(keys) == 5
        else:
            settle()
            assert retry_after(keys) in {5, 7}
        assert keys.key("EdDSA", "old") is known
        clock.now += DAY - 12 * MINUTE
        assert keys.key("EdDSA", "old") is known

    def test_the_last_good_set_serves_for_a_day(
        self, keys: KeySet, issuer: Issuer, clock: Clock
    ) -> None:
        issuer.mode = "error"
        clock.now += DAY - 6
        assert knows(keys, "old")
        settle()
        clock.now += 1
        assert retry_after(keys, "old") == 4
        clock.now += 4
        assert retry_after(keys, "old") == 5
        clock.now += 5
        issuer.mode = "normal"
        assert knows(keys, "old")

    def test_a_set_without_usable_keys_changes_nothing_but_is_an_answer(
        self, keys: KeySet, issuer: Issuer, clock: Clock
    ) -> None:
        issuer.keys = [NEW.jwk(use="enc")]
        assert not knows(keys, "new")
        assert knows(keys, "old")
        fresh = KeySet(issuer.url, now=clock)
        assert not knows(fresh, "new")

    @pytest.mark.parametrize(
        ("fault", "reason"), [("error", "status_500"), ("down", "ConnectionRefusedError")]
    )
    def test_the_reason_of_a_failure_is_logged_and_no_address(
        self,
        keys: KeySet,
        issuer: Issuer,
        caplog: pytest.LogCaptureFixture,
        fault: str,
        reason: str,
    ) -> None:
        fail(issuer, fault)
        retry_after(keys)
        [record] = caplog.records
        assert vars(record)["reason"] == reason
        assert issuer.url not in str(vars(record))

    def test_an_answer_in_chunks_is_read(self, issuer: Issuer) -> None:
        issuer.mode = "chunked"
        assert knows(KeySet(issuer.url), "old")

    def test_a_set_may_have_256_kib(self, issuer: Issuer) -> None:
        issuer.keys = [OLD.jwk(note="")]
        issuer.keys = [OLD.jwk(note="x" * (256 * 1024 - len(issuer.document)))]
        assert len(issuer.document) == 256 * 1024
        assert knows(KeySet(issuer.url), "old")
        issuer.keys = [OLD.jwk(note=issuer.keys[0]["note"] + "x")]
        retry_after(KeySet(issuer.url))

    def test_an_answer_that_is_overtaken_by_a_later_one_is_dropped(
        self, keys: KeySet, issuer: Issuer, clock: Clock
    ) -> None:
        issuer.mode, issuer.delay = "late", 1.0
        clock.now += 10 * MINUTE
        keys.warm(wait=False)
        while issuer.requests < 2:
            time.sleep(0.01)
        issuer.mode, issuer.keys = "normal", [NEW.jwk()]
        clock.now += 5
        assert knows(keys, "new")
        settle()
        assert knows(keys, "new")

    def test_a_set_is_as_old_as_the_request_for_it(self, issuer: Issuer, clock: Clock) -> None:
        keys = KeySet(issuer.url, now=clock)
        issuer.before = lambda: clock.advance(10 * MINUTE)  # as when frozen
        keys.warm()
        assert issuer.requests == 1
        keys.warm()
        assert issuer.requests == 2


class TestRetryAfter:
    @pytest.mark.parametrize("mode", ["limited", "limited by date", "limited as Better Auth does"])
    def test_it_is_respected(self, keys: KeySet, issuer: Issuer, clock: Clock, mode: str) -> None:
        issuer.mode, issuer.retry_after = mode, "30"
        issuer.keys = [NEW.jwk()]
        assert retry_after(keys) == 30
        issuer.mode = "normal"
        clock.now += 20
        assert retry_after(keys) == 10
        assert knows(keys, "old")
        assert issuer.requests == 2
        clock.now += 10
        assert knows(keys, "new")

    def test_it_counts_from_the_answer(self, keys: KeySet, issuer: Issuer, clock: Clock) -> None:
        issuer.mode, issuer.retry_after = "limited", "30"
        issuer.before = lambda: clock.advance(3)
        assert retry_after(keys) == 30

    @pytest.mark.parametrize(
        ("text", "seconds"),
        [
            ("", 5),
            ("0", 5),
            ("4", 5),
            ("6", 6),
            ("7.5", 7.5),
            ("60", 60),
            ("61", 60),
            ("86400", 60),
            ("9" * 5000, 60),
            ("-1", 5),
            ("nan", 5),
            ("inf", 60),
            ("soon", 5),
            ("Wed, 21 Oct 2015 07:28:00 GMT", 5),
            ("Wed, 21 Oct 99999999999999999999 07:28:00 GMT", 5),
            (formatdate(1_800_000_030, usegmt=True), 30),
            (formatdate(1_800_009_999, usegmt=True), 60),
        ],
    )
    def test_it_is_a_number_or_a_date_within_reason(self, text: str, seconds: float) -> None:
        assert _seconds(text, 1_800_000_000) == seconds

    def test_a_date_without_zone_is_universal_time(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("TZ", "JST-9")
        time.tzset()
        try:
            assert _seconds(formatdate(1_800_000_030), 1_800_000_000) == 30
        finally:
            monkeypatch.undo()
            time.tzset()

    @given(st.text() | st.floats().map(str) | st.datetimes().map(str))
    def test_it_is_never_nonsense(self, text: str) -> None:
        assert 5 <= _seconds(text, time.time()) <= 60


class TestWarm:
    """At the start of an environment, and when it is restored from a snapshot."""

    def test_it_fetches_a_set(self, issuer: Issuer) -> None:
        keys = KeySet(issuer.url)
        keys.warm()
        issuer.stop()
        assert knows(keys, "old")

    def test_it_leaves_a_young_set_alone(self, keys: KeySet, issuer: Issuer, clock: Clock) -> None:
        clock.now += 9 * MINUTE
        keys.warm()
        assert issuer.requests == 1

    def test_it_replaces_an_old_set(self, keys: KeySet, issuer: Issuer, clock: Clock) -> None:
        issuer.keys = [NEW.jwk()]
        clock.now += 30 * DAY
        keys.warm()
        assert issuer.requests == 2
        assert knows(keys, "new")
        assert not knows(keys, "old")

    def test_it_need_not_wait(self, issuer: Issuer) -> None:
        issuer.mode = "hang"
        started = time.monotonic()
        KeySet(issuer.url).warm(wait=False)
        assert time.monotonic() - started < 1.5
        issuer.over.set()

    @pytest.mark.parametrize("fault", ["down", "hang", "error"])
    def test_it_never_raises(self, issuer: Issuer, fault: str) -> None:
        fail(issuer, fault)
        started = time.monotonic()
        KeySet(issuer.url).warm()
        assert time.monotonic() - started < PATIENCE
        issuer.over.set()


class TestDeadline:
    def test_a_connection_that_has_just_ended_is_left_alone(self) -> None:
        one, other = socket.socketpair()
        with one, other:
            one.close()
            _shut_down(one)


class TestClock:
    def test_a_clock_set_back_makes_a_set_old_and_not_young_for_ever(
        self, keys: KeySet, issuer: Issuer, clock: Clock
    ) -> None:
        clock.now -= HOUR
        assert knows(keys, "old")
        settle()
        assert issuer.requests == 2

    def test_a_clock_set_back_ends_the_cooldown(
        self, keys: KeySet, issuer: Issuer, clock: Clock
    ) -> None:
        assert not knows(keys, "new")
        issuer.keys = [NEW.jwk()]
        clock.now -= HOUR
        assert knows(keys, "new")

    def test_a_pause_is_never_said_to_be_over_already(
        self, keys: KeySet, issuer: Issuer, clock: Clock
    ) -> None:
        issuer.mode = "html"
        issuer.before = lambda: clock.advance(MINUTE)
        assert retry_after(keys) == 1


class TestAddress:
    @pytest.mark.parametrize(
        ("suffix", "target"),
        [
            ("", "/"),
            ("/", "/"),
            ("/a/b.json", "/a/b.json"),
            ("/a?b=c&d", "/a?b=c&d"),
            ("?b", "/?b"),
        ],
    )
    def test_path_and_query_are_requested_and_a_fragment_is_not(
        self, issuer: Issuer, suffix: str, target: str
    ) -> None:
        url = issuer.url.removesuffix("/jwks") + suffix
        assert knows(KeySet(f"{url}#fragment"), "old")
        assert issuer.first_line == f"GET {target} HTTP/1.1"

    @pytest.mark.parametrize(
        "url",
        [
            "http://nowhere.invalid/",
            "http://127.0.0.1:1/",
            "http://127.0.0.1/a b",
            "http://\u00fc:1/ü",
        ],
    )
    def test_an_address_that_leads_nowhere_makes_us_unavailable(self, url: str) -> None:
        assert retry_after(KeySet(url)) == 5

    def test_an_address_where_nobody_accepts_makes_us_unavailable(self) -> None:
        with socket.create_server(("127.0.0.1", 0), backlog=0) as server, ExitStack() as queue:
            address = server.getsockname()
            for _ in range(4):  # from now on, connecting takes for ever
                waiting = queue.enter_context(socket.socket())
                waiting.setblocking(False)
                waiting.connect_ex(address)
            assert retry_after(KeySet("http://{}:{}/".format(*address))) <= 5
            settle()

    def test_tls_is_spoken_and_the_certificate_is_checked(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with running([OLD.jwk()]) as issuer, encrypted(issuer, tmp_path) as certificate:
            url = issuer.url.replace("http://", "https://")
            assert retry_after(KeySet(url)) == 5
            monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
            assert knows(KeySet(url), "old")
            assert retry_after(KeySet(url.replace("127.0.0.1", "localhost"))) == 5
        settle()


@contextmanager
def encrypted(issuer: Issuer, folder: Path) -> Iterator[Path]:
    """Let an issuer speak TLS, with a certificate of its own for its address."""
    from ipaddress import IPv4Address  # noqa: PLC0415

    certificate = folder / "certificate.pem"
    certificate.write_bytes(self_signed(IPv4Address("127.0.0.1")))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    issuer.tls = context
    yield certificate


def self_signed(address: IPv4Address) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "issuer")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(address)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return certificate.public_bytes(Encoding.PEM) + private


def test_a_key_set_serves_many_threads(issuer: Issuer) -> None:
    keys = KeySet(issuer.url)
    with ThreadPoolExecutor(16) as pool:
        found: list[Any] = list(pool.map(lambda _: keys.key("EdDSA", "old"), range(500)))
    assert len({id(each) for each in found}) == 1
    assert issuer.requests == 1
