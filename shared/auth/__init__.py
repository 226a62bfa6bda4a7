"""Who is asking: the verifier of Better Auth's JSON Web Tokens."""
