"""Each reason why a token is refused, and the details that go with it; there are no others."""

ISSUER = "https://auth.example"
AUDIENCE = "https://api.example"
DETAILS = {
    "bad_signature": {"The signature is wrong."},
    "expired": {"The exp has passed: take a new token from /api/auth/token."},
    "long_lived": {"The token is valid for longer than JWT_MAX_LIFETIME, 86400 s."},
    "malformed": {
        "This is not a JSON Web Token.",
        "This looks like a session token; take a JWT from /api/auth/token.",
        "The payload is no JSON object, or exp, iat or nbf is no number of seconds.",
    },
    "malformed_claim": {
        *(f"The {name} must be a number of seconds." for name in ("exp", "iat", "nbf")),
        "The sub must be 1 to 255 printable characters, no space, not . or ..",
    },
    "missing_claim": {f"The token has no {name}." for name in ("exp", "sub", "iss", "aud")},
    "not_yet_valid": {"The iat or nbf is in the future: is the clock right where it is made?"},
    "too_long": {"The token is longer than 65536 characters."},
    "unknown_key": {"The token is signed with a key that the issuer does not publish."},
    "unsupported_algorithm": {
        "The token must be signed with ES256 or ES512 or EdDSA or PS256 or RS256."
    },
    "unsupported_header": {"The token's header has members other than alg, kid and typ."},
    "wrong_audience": {f"The aud must be {AUDIENCE}."},
    "wrong_issuer": {
        f"The iss must be {ISSUER}.",
        "The iss is empty: set BETTER_AUTH_URL where the token is made.",
    },
    "wrong_type": {"The token's typ is not JWT."},
}
