#!/usr/bin/env bash
# Signs in as the smoke test's user of a stack, and tries the stack out: deploy/smoke.sh tasks-staging
# Nothing that is secret stands on a command line.
set -euo pipefail
stack=$1
described=$(aws cloudformation describe-stacks --stack-name "$stack" --query 'Stacks[0]' --output json)
output() { jq -er --arg name "$1" '.Outputs[] | select(.OutputKey == $name).OutputValue' <<<"$described"; }
parameter() { jq -r --arg name "$1" '.Parameters[] | select(.ParameterKey == $name).ParameterValue' <<<"$described"; }
secret() { aws secretsmanager get-secret-value --secret-id "$1" --query SecretString --output text; }
hide() { [ -z "${GITHUB_ACTIONS:-}" ] || echo "::add-mask::$1"; }

SMOKE_USER=$(secret "$stack/smoke")
AUTH_URL=$(parameter BetterAuthUrl)
AUTH_URL=${AUTH_URL:-$(parameter JwksUrl)}
SIGNING_SECRET=
if [ -z "$AUTH_URL" ]; then
    arn=$(parameter JwtSecretArn)
    SIGNING_SECRET=$(secret "${arn:-$(parameter BetterAuthSecretArn)}")
fi
export SMOKE_USER AUTH_URL SIGNING_SECRET
TOKEN=$(.venv/bin/python -m scripts.sign_in)
unset SMOKE_USER SIGNING_SECRET
hide "$TOKEN"

URL=$(output Url)
ORIGIN=$(parameter AllowedOrigins)
ORIGIN=${ORIGIN%%,*}
export URL TOKEN ORIGIN
.venv/bin/python -m scripts.smoke
