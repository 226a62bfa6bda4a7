"""The verifier: everything that is accepted, and everything that is refused and why."""

from __future__ import annotations

import math
import string
import time
from typing import TYPE_CHECKING, Any

import jwt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared import settings as environment
from shared.auth.key_set import KeySet
from shared.auth.shared_secret import SharedSecret
from shared.auth.tokens import Verifier, verifier
from shared.http.problems import Unauthorized, Unavailable
from shared.settings import ConfigurationError
from tests.shared.auth.details import AUDIENCE, DETAILS, ISSUER
from tests.shared.auth.tokens_matrix import (
    ALGORITHMS,
    CASES,
    SUBJECT,
    Case,
    Mint,
    b64,
    dump,
    key_set,
    unb64,
)
from tests.shared.issuer import running

if TYPE_CHECKING:
    from collections.abc import Iterator

SECRET = "a secret of more than thirty-two bytes"
BASE64URL = string.ascii_letters + string.digits + "-_"
MAX_LENGTH = 64 * 1024


@pytest.fixture(scope="module")
def key_set_url() -> Iterator[str]:
    with running(key_set()) as issuer:
        yield issuer.url


@pytest.fixture(scope="module")
def verify(key_set_url: str) -> Verifier:
    made = Verifier(KeySet(key_set_url), issuer=ISSUER, audience=AUDIENCE)
    made.keys.warm()
    return made


def mint(algorithm: str = "EdDSA", now: int = 0) -> Mint:
    return Mint(algorithm, ISSUER, AUDIENCE, now)


def refusal(verifier: Verifier, token: str) -> Unauthorized | None:
    """Why a token is refused, None when it is not; anything else that is raised is a defect."""
    try:
        subject = verifier.verify(token)
    except Unauthorized as unauthorized:
        return unauthorized
    assert 1 <= len(subject) <= 255
    return None


def reason(verifier: Verifier, token: str) -> str | None:
    unauthorized = refusal(verifier, token)
    return unauthorized.reason if unauthorized else None


# Without a backslash: pytest doubles it when a process collects once more, as mutmut's do.
CASE_IDS = [ascii(case.name).replace("\\", "") for case in CASES]


class TestMatrix:
    @pytest.mark.parametrize("case", CASES, ids=CASE_IDS)
    def test_each_kind_of_token_is_accepted_or_refused_for_the_right_reason(
        self, case: Case, verify: Verifier
    ) -> None:
        for algorithm in case.algorithms:
            unauthorized = refusal(verify, case.build(mint(algorithm)))
            assert (unauthorized and unauthorized.reason) == case.reason, algorithm
            if unauthorized:
                assert unauthorized.detail in DETAILS[unauthorized.reason]  # so nothing is echoed
                assert unauthorized.headers == {"WWW-Authenticate": 'Bearer error="invalid_token"'}

    @pytest.mark.parametrize("algorithm", ALGORITHMS)
    @pytest.mark.parametrize("subject", [SUBJECT, "ü", "用户", "%41", "a/b"])
    def test_the_subject_is_returned_as_it_is(
        self, algorithm: str, subject: str, verify: Verifier
    ) -> None:
        claims = mint(algorithm).claims(sub=subject)
        assert verify.verify(mint(algorithm).token(claims=claims)) == subject

    @pytest.mark.parametrize(
        ("name", "detail"),
        [
            ("", "The iss is empty: set BETTER_AUTH_URL where the token is made."),
            ("x", f"The iss must be {ISSUER}."),
        ],
    )
    def test_an_empty_issuer_is_told_where_to_set_it(
        self, name: str, detail: str, verify: Verifier
    ) -> None:
        unauthorized = refusal(verify, mint().token(claims=mint().claims(iss=name)))
        assert unauthorized
        assert unauthorized.detail == detail

    def test_every_reason_and_detail_occurs(self, verify: Verifier) -> None:
        refusals = [
            refusal(verify, case.build(mint()))
            for case in CASES
            if "EdDSA" in case.algorithms and not case.name.startswith("length")
        ]
        refusals.append(refusal(verify, "x" * (MAX_LENGTH + 1)))
        seen: dict[str, set[str]] = {}
        for unauthorized in filter(None, refusals):
            seen.setdefault(unauthorized.reason, set()).add(unauthorized.detail)
        assert seen == DETAILS


class TestLimits:
    """Each limit to the second, some seconds away from it where time passes meanwhile."""

    def reason(
        self, url: str, *gone: str, max_lifetime: int = 86_400, **offsets: float
    ) -> str | None:
        verify = Verifier(KeySet(url), issuer=ISSUER, audience=AUDIENCE, max_lifetime=max_lifetime)
        now = int(time.time())
        changes: dict[str, Any] = {name: now + offset for name, offset in offsets.items()}
        claims = mint(now=now).claims(**changes, **dict.fromkeys(gone, ...))
        return reason(verify, mint().token(claims=claims))

    def test_a_token_serves_for_ten_seconds_after_exp(self, key_set_url: str) -> None:
        assert self.reason(key_set_url, exp=-5) is None
        assert self.reason(key_set_url, exp=-11) == "expired"

    def test_a_token_may_be_issued_ten_seconds_ahead(self, key_set_url: str) -> None:
        assert self.reason(key_set_url, iat=9) is None
        assert self.reason(key_set_url, iat=20) == "not_yet_valid"

    def test_a_token_serves_from_ten_seconds_before_nbf(self, key_set_url: str) -> None:
        assert self.reason(key_set_url, nbf=9) is None
        assert self.reason(key_set_url, nbf=20) == "not_yet_valid"

    @pytest.mark.parametrize("limit", [60, 86_400, 604_800])
    def test_a_token_is_valid_for_as_long_as_is_configured(
        self, key_set_url: str, limit: int
    ) -> None:
        assert self.reason(key_set_url, max_lifetime=limit, iat=-1, exp=limit - 1) is None
        assert self.reason(key_set_url, max_lifetime=limit, iat=-1, exp=limit) == "long_lived"

    def test_without_iat_a_life_is_measured_from_now(self, key_set_url: str) -> None:
        assert self.reason(key_set_url, "iat", exp=86_400) is None
        assert self.reason(key_set_url, "iat", exp=86_420) == "long_lived"

    def test_a_fraction_of_a_second_counts_for_a_life(self, key_set_url: str) -> None:
        assert self.reason(key_set_url, iat=-1, exp=86_399) is None
        assert self.reason(key_set_url, iat=-1, exp=86_399.5) == "long_lived"

    def test_a_token_may_have_65536_characters(self, verify: Verifier) -> None:
        long = mint().claims(image="x" * 48_000)
        spare = MAX_LENGTH - len(mint().token(claims=long))
        longer = [
            mint().token(claims=mint().claims(image="x" * (48_000 + spare * 3 // 4 + each)))
            for each in range(-2, 3)
        ]
        assert {len(token) <= MAX_LENGTH for token in longer} == {True, False}
        assert MAX_LENGTH in {len(token) for token in longer}
        for token in longer:
            expected = None if len(token) <= MAX_LENGTH else "too_long"
            assert reason(verify, token) == expected


class TestOrder:
    """The most basic fault is named, and the issuer is asked only where that can help."""

    def test_an_unreadable_token_needs_no_key_set(self) -> None:
        with running(key_set()) as issuer:
            verify = Verifier(KeySet(issuer.url), issuer=ISSUER, audience=AUDIENCE)
            for token in (
                "",
                "a.b.c",
                mint().token(b"[]"),
                mint().token(mint().header(alg="none")),
            ):
                assert refusal(verify, token)
            assert issuer.requests == 0

    def test_without_a_key_set_a_readable_token_is_neither_valid_nor_invalid(self) -> None:
        with running(key_set()) as issuer:
            verify = Verifier(KeySet(issuer.url), issuer=ISSUER, audience=AUDIENCE)
            issuer.mode = "error"
            with pytest.raises(Unavailable) as unavailable:
                verify.verify(mint().token())
        assert unavailable.value.status_code == 503
        assert unavailable.value.headers == {"Retry-After": "5"}

    def test_nothing_is_said_of_claims_under_a_wrong_signature(self, verify: Verifier) -> None:
        claims = mint().claims(exp=0, iss="x", aud="x", sub="")
        assert reason(verify, mint().token(claims=claims, by=mint().stranger)) == "bad_signature"

    def test_an_expired_token_is_called_expired_whatever_else_is_wrong(
        self, verify: Verifier
    ) -> None:
        claims = mint().claims(exp=0, iss="x", aud="x", sub="")
        assert reason(verify, mint().token(claims=claims)) == "expired"


class TestWarm:
    def test_keys_are_there_before_the_first_token(self) -> None:
        with running(key_set()) as issuer:
            verify = Verifier(KeySet(issuer.url), issuer=ISSUER, audience=AUDIENCE)
            issuer.mode, issuer.delay = "late", 0.3
            verify.keys.warm()
            issuer.stop()
            assert verify.verify(mint().token()) == SUBJECT

    def test_keys_may_be_fetched_beside_what_comes_next(self) -> None:
        with running(key_set()) as issuer:
            verify = Verifier(KeySet(issuer.url), issuer=ISSUER, audience=AUDIENCE)
            issuer.mode = "hang"
            started = time.monotonic()
            verify.keys.warm(wait=False)
            assert time.monotonic() - started < 1.5


def shared(secret: str = SECRET, **options: Any) -> Verifier:
    """A verifier in shared-secret mode, of an API without an issuer and an audience."""
    keys = SharedSecret(lambda **_: secret)
    return Verifier(keys, **({"issuer": None, "audience": None} | options))


class TestSharedSecret:
    def token(self, secret: str = SECRET, algorithm: str = "HS256", **header: Any) -> str:
        return jwt.encode(mint().claims(aud=...), secret, algorithm, headers=header)

    def test_a_token_signed_with_the_secret_is_accepted(self) -> None:
        verify = shared()
        verify.keys.warm()
        verify.keys.warm(wait=False)
        assert verify.verify(self.token()) == SUBJECT
        assert verify.verify(self.token(kid="any")) == SUBJECT

    def test_sub_and_exp_are_enough(self) -> None:
        claims = {"sub": SUBJECT, "exp": time.time() + 60.5}
        assert shared().verify(jwt.encode(claims, SECRET, "HS256")) == SUBJECT

    @pytest.mark.parametrize("name", ["sub", "exp"])
    def test_and_no_less(self, name: str) -> None:
        claims = {"sub": SUBJECT, "exp": time.time() + 60}
        del claims[name]
        assert reason(shared(), jwt.encode(claims, SECRET, "HS256")) == "missing_claim"

    @pytest.mark.parametrize(
        ("claim", "value", "expected"),
        [
            ("iss", "x", "wrong_issuer"),
            ("iss", ..., "missing_claim"),
            ("aud", "x", "wrong_audience"),
            ("aud", ..., "missing_claim"),
        ],
    )
    def test_issuer_and_audience_are_compared_where_they_are_configured(
        self, claim: str, value: object, expected: str
    ) -> None:
        both = shared(issuer=ISSUER, audience=AUDIENCE)
        assert both.verify(jwt.encode(mint().claims(), SECRET, "HS256")) == SUBJECT
        token = jwt.encode(mint().claims(**{claim: value}), SECRET, "HS256")
        assert reason(both, token) == expected

    @pytest.mark.parametrize("audience", [AUDIENCE, "x", "", [], [AUDIENCE], None])
    def test_an_audience_that_nobody_compares_is_refused(self, audience: object) -> None:
        claims = mint().claims() | {"aud": audience}
        unauthorized = refusal(shared(), jwt.encode(claims, SECRET, "HS256"))
        assert unauthorized
        assert unauthorized.reason == "wrong_audience"
        assert unauthorized.detail == (
            "The token has an aud, and the API has none: set its JWT_AUDIENCE."
        )

    @pytest.mark.parametrize("secret", [SECRET + "x", SECRET[:-1], SECRET.upper()])
    def test_a_token_signed_with_another_secret_is_refused(self, secret: str) -> None:
        assert reason(shared(), self.token(secret)) == "bad_signature"

    @pytest.mark.parametrize("algorithm", ["HS384", "HS512"])
    def test_no_other_algorithm_of_a_secret_is_accepted(self, algorithm: str) -> None:
        secret = SECRET * 2
        assert reason(shared(secret), self.token(secret, algorithm)) == "unsupported_algorithm"

    @pytest.mark.parametrize("algorithm", ALGORITHMS)
    def test_no_algorithm_of_a_key_set_is_accepted(self, algorithm: str) -> None:
        assert reason(shared(), mint(algorithm).token()) == "unsupported_algorithm"

    def test_a_refusal_says_which_algorithm_is_expected(self) -> None:
        unauthorized = refusal(shared(), mint().token())
        assert unauthorized
        assert unauthorized.detail == "The token must be signed with HS256."

    def test_claims_are_checked_as_with_a_key_set(self) -> None:
        token = jwt.encode(mint().claims(exp=0), SECRET, "HS256")
        assert reason(shared(), token) == "expired"

    def test_a_rotated_secret_is_noticed_once_a_minute(self) -> None:
        secrets, now, asked = [SECRET], [1000.0], list[bool]()

        def read(*, renewed: bool = False) -> str:
            asked.append(renewed)
            return secrets[-1]

        verify = Verifier(SharedSecret(read, now=lambda: now[0]), issuer=None, audience=None)
        secrets.append("another " + SECRET)
        token = self.token(secrets[-1])
        assert reason(verify, token) == "bad_signature"
        now[0] += 60
        assert verify.verify(token) == SUBJECT
        assert reason(verify, self.token()) == "bad_signature"
        now[0] += 60
        assert reason(verify, self.token()) == "bad_signature"
        assert asked == [False, True, True]

    def test_a_secret_that_cannot_be_read_again_stands(self) -> None:
        now = [1000.0]

        def read(*, renewed: bool = False) -> str:
            if renewed:
                raise ConfigurationError("BETTER_AUTH_SECRET_ARN: cannot be read")
            return SECRET

        verify = Verifier(SharedSecret(read, now=lambda: now[0]), issuer=None, audience=None)
        now[0] += 60
        assert reason(verify, self.token("x" + SECRET)) == "bad_signature"
        assert verify.verify(self.token()) == SUBJECT


class TestFromTheEnvironment:
    @pytest.fixture(autouse=True)
    def _fresh(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        for name in environment.Settings.model_fields:
            monkeypatch.delenv(name.upper(), raising=False)
        monkeypatch.setenv("DATABASE_URL", "postgresql://localhost/tasks")
        monkeypatch.setenv("JWT_ISSUER", ISSUER)
        monkeypatch.setenv("JWT_AUDIENCE", AUDIENCE)
        environment.settings.cache_clear()
        verifier.cache_clear()
        yield
        environment.settings.cache_clear()
        verifier.cache_clear()

    def test_a_key_set_is_used_where_one_is_configured(
        self, monkeypatch: pytest.MonkeyPatch, key_set_url: str
    ) -> None:
        monkeypatch.setenv("JWKS_URL", key_set_url)
        assert verifier().verify(mint().token()) == SUBJECT
        assert verifier() is verifier()

    def test_a_secret_is_used_where_no_key_set_is_configured(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("BETTER_AUTH_SECRET", SECRET)
        assert verifier().verify(jwt.encode(mint().claims(), SECRET, "HS256")) == SUBJECT
        monkeypatch.setenv("JWT_SECRET", "its own " + SECRET)
        environment.settings.cache_clear()
        verifier.cache_clear()
        assert reason(verifier(), jwt.encode(mint().claims(), SECRET, "HS256")) == "bad_signature"
        assert reason(verifier(), mint().token()) == "unsupported_algorithm"

    def test_with_both_the_key_set_wins_and_the_secret_is_never_used(
        self, monkeypatch: pytest.MonkeyPatch, key_set_url: str
    ) -> None:
        monkeypatch.setenv("JWKS_URL", key_set_url)
        monkeypatch.setenv("BETTER_AUTH_SECRET", SECRET)
        token = jwt.encode(mint().claims(), SECRET, "HS256")
        assert reason(verifier(), token) == "unsupported_algorithm"
        assert verifier().verify(mint().token()) == SUBJECT

    def test_the_origin_of_better_auth_is_issuer_and_audience(
        self, monkeypatch: pytest.MonkeyPatch, key_set_url: str
    ) -> None:
        monkeypatch.setenv("BETTER_AUTH_URL", "https://auth.example/base")
        monkeypatch.setenv("JWKS_URL", key_set_url)
        monkeypatch.delenv("JWT_ISSUER")
        monkeypatch.delenv("JWT_AUDIENCE")
        assert verifier().verify(Mint("EdDSA", ISSUER, ISSUER).token()) == SUBJECT
        assert reason(verifier(), mint().token()) == "wrong_audience"


class TestProperties:
    """What holds for every token, not only for those that somebody thought of."""

    @given(st.text(st.characters(codec=None, exclude_categories=())))
    @settings(deadline=None)
    def test_any_text_is_refused_and_nothing_else_happens(
        self, verify: Verifier, text: str
    ) -> None:
        assert reason(verify, text) == "malformed"

    @given(st.lists(st.binary(max_size=40), min_size=3, max_size=3))
    @settings(deadline=None)
    def test_any_three_segments_are_refused(self, verify: Verifier, parts: list[bytes]) -> None:
        assert reason(verify, ".".join(map(b64, parts))) == "malformed"

    @pytest.mark.parametrize("algorithm", ALGORITHMS)
    @given(data=st.data())
    @settings(deadline=None, max_examples=60)
    def test_no_character_of_a_valid_token_can_be_changed(
        self, verify: Verifier, algorithm: str, data: st.DataObject
    ) -> None:
        token = mint(algorithm).token()
        index = data.draw(st.integers(0, len(token) - 1))
        letter = data.draw(st.sampled_from(BASE64URL + ".=+/ ").filter(lambda x: x != token[index]))
        assert refusal(verify, token[:index] + letter + token[index + 1 :])

    @pytest.mark.parametrize("algorithm", ALGORITHMS)
    @given(data=st.data())
    @settings(deadline=None, max_examples=40)
    def test_no_part_of_a_valid_token_can_be_cut_out_or_doubled(
        self, verify: Verifier, algorithm: str, data: st.DataObject
    ) -> None:
        token = mint(algorithm).token()
        start = data.draw(st.integers(0, len(token) - 1))
        end = data.draw(st.integers(start + 1, len(token)))
        assert refusal(verify, token[:start] + token[end:])
        assert refusal(verify, token[:end] + token[start:])

    @pytest.mark.parametrize("algorithm", ALGORITHMS)
    @given(data=st.data())
    @settings(deadline=None, max_examples=60)
    def test_no_bit_of_a_segment_can_be_flipped(
        self, verify: Verifier, algorithm: str, data: st.DataObject
    ) -> None:
        segments = [bytearray(unb64(part)) for part in mint(algorithm).token().split(".")]
        segment = data.draw(st.sampled_from(segments))
        bit = data.draw(st.integers(0, len(segment) * 8 - 1))
        segment[bit // 8] ^= 1 << bit % 8
        assert refusal(verify, ".".join(b64(bytes(part)) for part in segments))

    @given(st.permutations([0, 0, 0, 1, 1, 1, 2, 2, 2]), st.sampled_from(ALGORITHMS))
    @settings(deadline=None)
    def test_segments_of_valid_tokens_cannot_be_recombined(
        self, verify: Verifier, order: list[int], algorithm: str
    ) -> None:
        tokens = [
            mint(algorithm).token(claims=mint(algorithm).claims(sub=name)).split(".")
            for name in ("ann", "bob", "cyn")
        ]
        mixed = [tokens[order[0]][0], tokens[order[1]][1], tokens[order[2]][2]]
        expected = None if order[1] == order[2] else "bad_signature"
        assert reason(verify, ".".join(mixed)) == expected

    @given(st.sets(st.sampled_from(sorted(mint().claims()))))
    @settings(deadline=None)
    def test_only_the_required_claims_are_needed(self, verify: Verifier, gone: set[str]) -> None:
        token = mint().token(claims=mint().claims(**dict.fromkeys(gone, ...)))
        required = gone & {"exp", "sub", "iss", "aud"}
        assert reason(verify, token) == ("missing_claim" if required else None)

    @pytest.mark.parametrize("depth", [100, 999, 4_000, 8_000])
    @pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"":', b"}")])
    def test_nesting_is_read_as_far_as_python_can(
        self, verify: Verifier, opening: bytes, closing: bytes, depth: int
    ) -> None:
        deep = opening * depth + b"1" + closing * depth
        members = dump(mint().claims())[:-1] + b',"deep":' + deep + b"}"
        assert reason(verify, mint().token(claims=members)) in {None, "malformed"}

    JSON = st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(),
        lambda children: st.lists(children) | st.dictionaries(st.text(), children),
        max_leaves=5,
    )

    @given(st.sampled_from(["exp", "iat", "nbf", "iss", "aud"]), JSON)
    @settings(deadline=None, max_examples=300)
    def test_no_other_value_of_a_claim_is_taken(
        self, verify: Verifier, name: str, value: Any
    ) -> None:
        token = mint().token(claims=mint().claims(**{name: value}))
        oldest = {"iat": int(time.time()) - 24 * 60 * 60, "nbf": -math.inf}
        if name in oldest and type(value) in {int, float} and oldest[name] < value <= time.time():
            assert reason(verify, token) is (None if abs(value) < 2**53 else "malformed_claim")
        else:
            assert refusal(verify, token)

    @given(JSON)
    @settings(deadline=None, max_examples=300)
    def test_a_subject_is_visible_text(self, verify: Verifier, value: Any) -> None:
        token = mint().token(claims=mint().claims(sub=value))
        if (
            isinstance(value, str)
            and value.isprintable()
            and value
            and not {value} & {".", ".."}
            and " " not in value
        ):
            assert verify.verify(token) == value
        else:
            expected = "missing_claim" if value is None else "malformed_claim"
            assert reason(verify, token) == expected

    @given(st.dictionaries(st.text(), JSON, min_size=1))
    @settings(deadline=None)
    def test_no_other_member_of_a_header_is_taken(
        self, verify: Verifier, extra: dict[str, Any]
    ) -> None:
        assert refusal(verify, mint().token({**extra, **mint().header()})) or not (
            extra.keys() - {"alg", "kid"}
        )
