"""The stack: what is deployed, who may do what, what is watched."""

import json
import math
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.deploy.stack import GIVEN, SAM, Stack, stack, transformed
from tests.description import OPERATIONS

pytestmark = pytest.mark.artifact

STAGES = ("dev", "staging", "prod")
FUNCTIONS = {
    f"{method} {path}": f"functions.{operation['operationId']}.handler"
    for (method, path), operation in OPERATIONS.items()
} | {
    f"{method} {path}": "functions.fallback.handler"
    for path in ("/", "/{proxy+}")
    for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
}
OURS = "Tasks/${AWS::StackName}"  # stages in one region keep apart
CLEANING = "CleanIdempotencyKeysFunction"  # answers no request
END_A_CANARY = {
    *("server-errors", "latency", "throttles", "unhandled-errors", "database-unavailable"),
}
DIMENSIONS = {
    # https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-metrics.html
    **dict.fromkeys(
        [("AWS/ApiGateway", name) for name in ("5xx", "Count", "Latency")], ("ApiId", "Api")
    ),
    **dict.fromkeys(
        [("AWS/Lambda", name) for name in ("Invocations", "Errors")], ("FunctionName", CLEANING)
    ),
    ("AWS/Lambda", "Throttles"): ("FunctionName", None),  # of several functions
    # what shared/observability.py writes
    **dict.fromkeys(
        [(OURS, "UnhandledError"), (OURS, "DatabaseUnavailable")], ("service", "tasks")
    ),
}
SECRET = "arn:aws:secretsmanager:us-east-1:123456789012:secret:tokens-AbCdEf"
DEFAULT_ORIGINS = "http://localhost:3000,http://localhost:5173"
NEON_POOL = 93  # 0.9 of the 104 connections of its smallest compute
MEASURED = 10  # environments to a server connection, in docs/performance.md
ACCOUNT, UNRESERVED = 1000, 100  # what an account may run at once, and what Lambda keeps of it
MADE_OF_LOGS = f"{OURS}/log"


@pytest.fixture(params=STAGES)
def any_stage(request: pytest.FixtureRequest) -> Stack:
    return stack(Stage=request.param)


@pytest.fixture
def dev() -> Stack:
    return stack(Stage="dev")


@pytest.fixture
def prod() -> Stack:
    return stack(Stage="prod")


def lint(*arguments: str) -> tuple[int, str]:
    """The exit status of cfn-lint, and what it finds."""
    command = [str(SAM / "cfn-lint"), *arguments]
    linted = subprocess.run(command, check=False, capture_output=True, text=True)
    return linted.returncode, linted.stdout


def alarmed(alarm: dict[str, Any]) -> list[dict[str, Any]]:
    """The metrics that an alarm watches."""
    if "Metrics" not in alarm:
        return [alarm]
    return [item["MetricStat"]["Metric"] for item in alarm["Metrics"] if "MetricStat" in item]


def namespace(metric: dict[str, Any]) -> str:
    """Whose metric it is."""
    found = metric["Namespace"]
    return found if isinstance(found, str) else str(found["Fn::Sub"])


class TestTemplate:
    def test_lints_after_its_transformation(self, tmp_path: Path) -> None:
        templates = [tmp_path / f"{stage}.json" for stage in STAGES]
        for template in templates:
            template.write_text(transformed(json.dumps(GIVEN | {"Stage": template.stem})))
        # SAM has used some of the parameters, and the mapping, by now.
        assert lint("--ignore-checks", "W2001", "W7001", "--", *map(str, templates)) == (0, "")

    def test_says_where_the_api_is(self, any_stage: Stack) -> None:
        condition, own, given = any_stage.template["Outputs"]["Url"]["Value"]["Fn::If"]
        assert condition == "HasDomain"
        assert own == {"Fn::Sub": "https://${DomainName}"}
        assert given == {"Fn::Sub": "https://${Api}.execute-api.${AWS::Region}.${AWS::URLSuffix}"}

    @pytest.mark.parametrize(
        "parameters",
        [
            {"BetterAuthUrl": ""},
            {"BetterAuthUrl": "", "JwksUrl": "https://auth.example.com/jwks"},
            {"BetterAuthUrl": "", "JwksUrl": "https://auth.example.com/jwks", "JwtIssuer": "me"},
            {"JwtSecretArn": SECRET},
            {"BetterAuthSecretArn": SECRET},
            {"BetterAuthUrl": "", "JwtSecretArn": SECRET, "BetterAuthSecretArn": SECRET},
            {"JwksUrl": "https://auth.example.com/jwks", "JwtSecretArn": SECRET},
            {"Stage": "prod", "AllowedOrigins": DEFAULT_ORIGINS},
            {"Stage": "prod", "PermissionsBoundary": ""},
            {"Stage": "staging", "PermissionsBoundary": ""},
            {"DomainName": "api.example.com"},
            {"CertificateArn": "arn:aws:acm:us-east-1:123456789012:certificate/1"},
        ],
        ids=str,
    )
    def test_refuses_to_deploy(self, parameters: dict[str, str]) -> None:
        assert len(stack(**parameters).refused()) == 1

    @pytest.mark.parametrize(
        "parameters",
        [
            {"Stage": "prod"},
            {"JwksUrl": "https://auth.example.com/jwks"},
            {
                "BetterAuthUrl": "",
                "JwksUrl": "https://auth.example.com/jwks",
                "JwtIssuer": "us",
                "JwtAudience": "us",
            },
            {"BetterAuthUrl": "", "JwtSecretArn": SECRET},
            {"BetterAuthUrl": "", "BetterAuthSecretArn": SECRET},
            {"PermissionsBoundary": ""},
            {
                "DomainName": "api.example.com",
                "CertificateArn": "arn:aws:acm:us-east-1:123456789012:certificate/1",
            },
        ],
        ids=str,
    )
    def test_deploys(self, parameters: dict[str, str]) -> None:
        assert stack(**parameters).refused() == []


class TestParameters:
    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("AllowedOrigins", "*"),
            ("AllowedOrigins", "https://*.example.com"),
            ("AllowedOrigins", "https://app.example.com/"),
            ("AllowedOrigins", "https://one.example.com,*"),
            ("AllowedOrigins", "http://app.example.com"),
            ("AllowedOrigins", "https://app.example.com,http://app.example.com"),
            ("AllowedOrigins", "http://localhost.example.com"),
            ("AllowedOrigins", "http://127.0.0.1.example.com:80"),
            ("AllowedOrigins", "https://app.example.com,"),
            ("BetterAuthUrl", "http://auth.example.com"),
            ("BetterAuthSecretArn", "a-secret-itself"),
            ("DatabaseSecretArn", "*"),
            ("DatabaseSecretArn", "arn:aws:secretsmanager:us-east-1:123456789012:secret:*"),
            ("JwksUrl", "http://auth.example.com/jwks"),
            ("AlarmTopicArn", "*"),
            ("PermissionsBoundary", "*"),
            ("Release", "v1.0"),
            ("CertificateArn", "*"),
            ("BudgetAddress", "nobody"),
        ],
    )
    def test_refuse(self, name: str, value: str) -> None:
        pattern = stack().template["Parameters"][name]["AllowedPattern"]
        assert not re.fullmatch(pattern, value)

    @pytest.mark.parametrize("name", GIVEN)
    def test_accept(self, name: str) -> None:
        assert re.fullmatch(stack().template["Parameters"][name]["AllowedPattern"], GIVEN[name])

    @pytest.mark.parametrize("origins", ["", DEFAULT_ORIGINS, "https://a.example,https://b:8443"])
    def test_accept_origins(self, origins: str) -> None:
        pattern = stack().template["Parameters"]["AllowedOrigins"]["AllowedPattern"]
        assert re.fullmatch(pattern, origins)

    def test_take_releases_that_count_whole(self) -> None:
        # Of a longer text only the first 10 characters would reach the version's name.
        assert stack().template["Parameters"]["Release"]["MaxLength"] == 10

    def test_change_what_is_live_only_with_a_new_release(self) -> None:
        changed = {"BetterAuthUrl": "https://login.example.com"}
        one = versions(stack())
        assert one == versions(stack(**changed))
        released = [versions(stack(Release=name, **changed)) for name in ("one", "two")]
        assert not one & released[0]
        assert not released[0] & released[1]


A, B = "s3://bucket/a", "s3://bucket/b"
TIMEOUT = "    Timeout: 15 "
EDITED = (ROOT / "template.yaml").read_text().replace(TIMEOUT, "    Timeout: 14 ")


class TestRelease:
    """Whatever came before, what a deployment brings is what is live afterwards."""

    def test_of_new_code_publishes_it(self) -> None:
        assert not versions(stack(A, Release="")) & versions(stack(B, Release=""))

    def test_of_an_edited_property_publishes_it(self) -> None:
        assert TIMEOUT in (ROOT / "template.yaml").read_text()
        edited = versions(stack(A, text=EDITED, Release=""))
        kept = versions(stack(A, Release="")) & edited
        assert {name.partition("Version")[0] for name in kept} == {CLEANING}  # has its own

    def test_of_nothing_new_publishes_nothing(self) -> None:
        assert versions(stack(A, Release="")) == versions(stack(A, Release=""))

    @pytest.mark.parametrize("code", [A, B])
    def test_of_new_code_is_live_after_a_release_by_hand(self, code: str) -> None:
        after = versions(stack(code, Release=""))
        assert not versions(stack(A, Release="login")) & after

    @pytest.mark.parametrize("code", [A, B])
    @pytest.mark.parametrize("release", ["", "login"])
    def test_leads_each_alias_to_the_version_that_it_publishes(
        self, code: str, release: str
    ) -> None:
        made = stack(code, Release=release)
        aliases = made.of_type("Lambda::Alias").values()
        live = {alias["FunctionVersion"]["Fn::GetAtt"][0] for alias in aliases}
        assert live == versions(made)

    @pytest.mark.parametrize("stage", STAGES)
    def test_by_hand_does_not_stay(self, stage: str) -> None:
        config = tomllib.loads((ROOT / "samconfig.toml").read_text())
        assert overrides(config, stage)["Release"] == '""'


def versions(made: Stack) -> set[str]:
    """The versions that a stack publishes."""
    return set(made.of_type("Lambda::Version"))


class TestFunctions:
    def test_are_reached_by_the_routes_of_the_contract(self, any_stage: Stack) -> None:
        resources = any_stage.resources
        routes = {}
        for path, methods in resources["Api"]["Properties"]["Body"]["paths"].items():
            for method, operation in methods.items():
                uri = operation["x-amazon-apigateway-integration"]["uri"]["Fn::Sub"]
                alias = re.search(r"\$\{(\w+)\}/invocations", uri)
                assert alias
                function = resources[alias[1]]["Properties"]["FunctionName"]["Ref"]
                assert resources[alias[1]]["Properties"]["Name"] == "live"
                routes[f"{method.upper()} {path}"] = resources[function]["Properties"]["Handler"]
        assert routes == FUNCTIONS

    def test_leave_preflights_to_the_gateway(self, any_stage: Stack) -> None:
        for methods in any_stage.resources["Api"]["Properties"]["Body"]["paths"].values():
            assert not methods.keys() & {"options", "x-amazon-apigateway-any-method"}

    def test_run_on_what_they_are_built_for(self, any_stage: Stack) -> None:
        for function in any_stage.of_type("Lambda::Function").values():
            assert function["Runtime"] == "python3.13"
            assert function["Architectures"] == ["arm64"]

    def test_end_before_the_gateway_gives_up(self, any_stage: Stack) -> None:
        for function in answering(any_stage).values():
            assert 10 < function["Timeout"] < 30

    def test_share_a_role_and_a_log_but_the_cleaning_which_has_a_role_of_its_own(
        self, any_stage: Stack
    ) -> None:
        roles = {role_of(function) for function in answering(any_stage).values()}
        assert roles == {"FunctionRole"}
        functions = any_stage.of_type("Lambda::Function")
        assert role_of(functions[CLEANING]) == "CleaningRole"
        logs = {function["LoggingConfig"]["LogGroup"]["Ref"] for function in functions.values()}
        assert logs == {"FunctionLogGroup"}

    def test_remove_idempotency_keys_each_hour(self, any_stage: Stack) -> None:
        [rule] = any_stage.of_type("Events::Rule").values()
        assert rule["ScheduleExpression"] == "rate(1 hour)"
        [target] = rule["Targets"]
        alias = any_stage.resources[target["Arn"]["Ref"]]["Properties"]
        assert alias["FunctionName"] == {"Ref": CLEANING}
        cleaning = any_stage.of_type("Lambda::Function")[CLEANING]
        assert cleaning["Handler"] == "functions.clean_idempotency_keys.handler"
        assert cleaning["SnapStart"] == {"ApplyOn": "None"}

    def test_log_json_and_are_traced(self, any_stage: Stack) -> None:
        for function in any_stage.of_type("Lambda::Function").values():
            assert function["LoggingConfig"]["LogFormat"] == "JSON"
            assert function["LoggingConfig"]["ApplicationLogLevel"] == "INFO"
            assert function["TracingConfig"] == {"Mode": "Active"}

    def test_have_no_secret_in_their_environment(self, any_stage: Stack) -> None:
        for function in any_stage.of_type("Lambda::Function").values():
            variables = function["Environment"]["Variables"]
            assert variables["DATABASE_SECRET_ARN"] == GIVEN["DatabaseSecretArn"]
            for name in "DATABASE_URL", "BETTER_AUTH_SECRET", "JWT_SECRET":
                assert variables[name] == ""
            assert not [value for value in variables.values() if "@" in str(value)]

    @pytest.mark.parametrize(
        ("parameter", "variable"),
        [
            ("JwtSecretArn", "JWT_SECRET_ARN"),
            ("BetterAuthSecretArn", "BETTER_AUTH_SECRET_ARN"),
            ("PseudonymKeySecretArn", "PSEUDONYM_KEY_SECRET_ARN"),
        ],
    )
    def test_know_and_may_read_a_secret_that_is_given(self, parameter: str, variable: str) -> None:
        made = stack(**{parameter: SECRET})
        for function in made.of_type("Lambda::Function").values():
            assert function["Environment"]["Variables"][variable] == SECRET
        assert readable(made) == [GIVEN["DatabaseSecretArn"], SECRET]
        assert readable(made, "CleaningRole") == GIVEN["DatabaseSecretArn"]

    @pytest.mark.parametrize(
        ("stage", "applied"), [("dev", "None"), ("staging", "PublishedVersions")]
    )
    def test_start_from_snapshots_where_that_is_worth_its_price(
        self, stage: str, applied: str
    ) -> None:
        for function in answering(stack(Stage=stage)).values():
            assert function["SnapStart"] == {"ApplyOn": applied}

    def test_reserve_no_concurrency_of_a_new_account(self, dev: Stack) -> None:
        for function in dev.of_type("Lambda::Function").values():
            assert "ReservedConcurrentExecutions" not in function

    def test_reserve_concurrency_where_it_is_asked_for(self) -> None:
        reserving = stack(ReservedConcurrency="20")
        assert {
            name: function["ReservedConcurrentExecutions"]
            for name, function in answering(reserving).items()
        } == {**dict.fromkeys(answering(reserving), "20"), "HealthFunction": 10}


def reserved(functions: dict[str, Any]) -> int:
    """How many environments are reserved for functions."""
    return sum(int(function["ReservedConcurrentExecutions"]) for function in functions.values())


def answering(made: Stack) -> dict[str, Any]:
    """The functions that answer requests."""
    functions = made.of_type("Lambda::Function")
    return {name: function for name, function in functions.items() if name != CLEANING}


def role_of(function: dict[str, Any]) -> str:
    """The name of a function's role."""
    return str(function["Role"]["Fn::GetAtt"][0])


def readable(made: Stack, role: str = "FunctionRole") -> Any:
    """The secrets that a role may read."""
    [policy] = made.of_type("IAM::Role")[role]["Policies"]
    return policy["PolicyDocument"]["Statement"][0]["Resource"]


class TestPolicies:
    def test_let_a_function_read_its_secrets_and_write_its_log(self, any_stage: Stack) -> None:
        roles = any_stage.of_type("IAM::Role")
        for function in any_stage.of_type("Lambda::Function").values():
            role = roles[role_of(function)]
            [policy] = role["Policies"]
            read, write = policy["PolicyDocument"]["Statement"]
            assert read == {
                "Effect": "Allow",
                "Action": "secretsmanager:GetSecretValue",
                "Resource": readable(any_stage, role_of(function)),
            }
            assert write == {
                "Effect": "Allow",
                "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
                "Resource": {"Fn::GetAtt": [function["LoggingConfig"]["LogGroup"]["Ref"], "Arn"]},
            }
            # Lambda refuses active tracing without it, and X-Ray knows no narrower one.
            assert role["ManagedPolicyArns"] == [
                {"Fn::Sub": "arn:${AWS::Partition}:iam::aws:policy/AWSXRayDaemonWriteAccess"}
            ]

    def test_have_no_wildcard(self, any_stage: Stack) -> None:
        for role in any_stage.of_type("IAM::Role").values():
            assert "*" not in json.dumps(role)

    def test_let_nobody_but_the_service_assume_a_role(self, any_stage: Stack) -> None:
        for name, role in any_stage.of_type("IAM::Role").items():
            service = "codedeploy" if name == "DeploymentRole" else "lambda"
            [statement] = role["AssumeRolePolicyDocument"]["Statement"]
            assert statement["Principal"] == {"Service": f"{service}.amazonaws.com"}

    def test_are_bounded_where_a_boundary_is_given(self) -> None:
        boundary = "arn:aws:iam::123456789012:policy/boundary"
        bounded = stack(Stage="prod", PermissionsBoundary=boundary).of_type("IAM::Role")
        assert {role["PermissionsBoundary"] for role in bounded.values()} == {boundary}

    def test_are_unbounded_otherwise(self) -> None:
        for role in stack(PermissionsBoundary="").of_type("IAM::Role").values():
            assert "PermissionsBoundary" not in role


class TestGateway:
    def test_names_the_origins_that_browsers_may_call_from(self) -> None:
        origins = "https://one.example.com,https://two.example.com"
        api = stack(AllowedOrigins=origins).of_type("ApiGatewayV2::Api")["Api"]
        cors = api["Body"]["x-amazon-apigateway-cors"]
        assert cors["allowOrigins"] == origins.split(",")
        assert "*" not in json.dumps(cors)

    def test_needs_no_browsers(self) -> None:
        api = stack(AllowedOrigins="").of_type("ApiGatewayV2::Api")["Api"]
        cors = api["Body"]["x-amazon-apigateway-cors"]
        assert cors == {"allowOrigins": ["https://none.invalid"]}

    def test_lets_browsers_send_and_read_the_headers_of_the_contract(self, prod: Stack) -> None:
        cors = prod.of_type("ApiGatewayV2::Api")["Api"]["Body"]["x-amazon-apigateway-cors"]
        assert set(cors["allowMethods"]) == {"GET", "POST", "PUT", "PATCH", "DELETE"}
        assert set(cors["allowHeaders"]) == {
            *("Authorization", "Content-Type", "Idempotency-Key", "If-Match", "If-None-Match"),
            *("Cache-Control", "X-Requested-With"),
        }
        assert cors["allowCredentials"] is True
        assert set(cors["exposeHeaders"]) == {
            *("ETag", "Idempotency-Replayed", "Link", "Location", "Retry-After", "X-Request-Id"),
        }

    def test_serves_at_the_root(self, any_stage: Stack) -> None:
        [api] = any_stage.of_type("ApiGatewayV2::Stage").values()
        assert api["StageName"] == "$default"

    def test_logs_no_header_path_or_query(self, any_stage: Stack) -> None:
        [api] = any_stage.of_type("ApiGatewayV2::Stage").values()
        line = json.loads(api["AccessLogSettings"]["Format"])
        assert set(line.values()) == {
            "$context.requestId",
            "$context.requestTimeEpoch",
            "$context.identity.sourceIp",
            "$context.routeKey",
            "$context.status",
            "$context.responseLength",
            "$context.responseLatency",
            "$context.integrationLatency",
            "$context.integration.status",
            "$context.integration.error",
            "$context.integration.requestId",
            "$context.error.message",
        }
        group = api["AccessLogSettings"]["DestinationArn"]["Fn::GetAtt"][0]
        assert group in any_stage.of_type("Logs::LogGroup")

    def test_limits_each_kind_of_route(self) -> None:
        limited = stack(
            RequestsPerSecond="50", WritesPerSecond="10", AnonymousRequestsPerSecond="5"
        )
        [api] = limited.of_type("ApiGatewayV2::Stage").values()
        assert limits(api["DefaultRouteSettings"]) == {"5"}  # of health and the fallback
        for route in FUNCTIONS:
            settings = api["RouteSettings"].get(route, api["DefaultRouteSettings"])
            if "/api/" not in route:
                assert limits(settings) == {"5"}
            else:
                assert limits(settings) == {"50" if route.startswith("GET ") else "10"}

    def test_lets_few_requests_through_that_need_no_token(self, prod: Stack) -> None:
        limits = ("AnonymousRequestsPerSecond", "WritesPerSecond", "RequestsPerSecond")
        assert [prod.parameters[name] for name in limits] == [20, 100, 500]

    def test_has_a_domain_of_its_own_where_one_is_given(self, prod: Stack) -> None:
        assert not prod.of_type("ApiGatewayV2::DomainName")
        certificate = "arn:aws:acm:us-east-1:123456789012:certificate/1"
        made = stack(DomainName="api.example.com", CertificateArn=certificate)
        [domain] = made.of_type("ApiGatewayV2::DomainName").values()
        [configuration] = domain["DomainNameConfigurations"]
        assert domain["DomainName"] == "api.example.com"
        assert configuration["CertificateArn"] == certificate
        [mapping] = made.of_type("ApiGatewayV2::ApiMapping").values()
        assert mapping["ApiId"] == {"Ref": "Api"}
        assert mapping["Stage"]["Ref"] in made.of_type("ApiGatewayV2::Stage")


def limits(settings: dict[str, str]) -> set[str]:
    return {settings["ThrottlingRateLimit"], settings["ThrottlingBurstLimit"]}


class TestLogs:
    @pytest.mark.parametrize(("stage", "days"), [("dev", 3), ("prod", "90")])
    def test_go_away_by_themselves(self, stage: str, days: int | str) -> None:
        groups = stack(Stage=stage, LogRetentionDays="90").of_type("Logs::LogGroup").values()
        assert len(groups) == 2
        assert {group["RetentionInDays"] for group in groups} == {days}


class TestAlarms:
    def test_can_fire(self, prod: Stack) -> None:
        watched = set()
        for alarm in prod.of_type("CloudWatch::Alarm").values():
            for metric in alarmed(alarm):
                key = namespace(metric), metric["MetricName"]
                if key[0] == MADE_OF_LOGS:
                    continue
                [dimension] = metric["Dimensions"]
                value = dimension["Value"]
                watched.add(key)
                named = value["Ref"] if isinstance(value, dict) else value
                name, expected = DIMENSIONS[key]
                assert dimension["Name"] == name
                assert named == expected if expected else named in answering(prod)
        assert watched == {*DIMENSIONS}

    def test_watch_metrics_that_the_log_is_made_into(self, prod: Stack) -> None:
        filters = prod.of_type("Logs::MetricFilter").values()
        made = {each["MetricTransformations"][0]["MetricName"] for each in filters}
        alarms = prod.of_type("CloudWatch::Alarm").values()
        metrics = [metric for alarm in alarms for metric in alarmed(alarm)]
        watched = {item["MetricName"] for item in metrics if namespace(item) == MADE_OF_LOGS}
        assert made == watched
        assert {each["LogGroupName"]["Ref"] for each in filters} == {"FunctionLogGroup"}

    def test_have_no_more_metrics_than_cloudwatch_takes(self, prod: Stack) -> None:
        for name, alarm in prod.of_type("CloudWatch::Alarm").items():
            assert len(alarmed(alarm)) <= 10, name

    def test_tell_throttles_of_operations_from_those_of_what_anybody_may_call(
        self, prod: Stack
    ) -> None:
        anybody = {"HealthFunction", "FallbackFunction"}
        throttled = {
            name: {
                metric["Dimensions"][0]["Value"]["Ref"]
                for metric in alarmed(alarm)
                if metric["MetricName"] == "Throttles"
            }
            for name, alarm in prod.of_type("CloudWatch::Alarm").items()
        }
        assert throttled.pop("ThrottlesAlarm") == answering(prod).keys() - anybody
        with_errors = {
            name
            for name, alarm in prod.of_type("CloudWatch::Alarm").items()
            if "5xx" in {metric["MetricName"] for metric in alarmed(alarm)}
        }
        assert {name for name, functions in throttled.items() if functions} == with_errors
        assert all(throttled[name] == anybody for name in with_errors)

    @pytest.mark.parametrize(
        ("alarm", "metrics", "fires"),
        [
            # four requests a minute that all fail, in 5 minutes
            ("ServerErrors", {"errors": 20, "accepted": 20}, True),
            # the same where the function does not even start
            ("ServerErrors", {"errors": 20}, True),
            # one in 100,000 of 10,000 a second
            ("ServerErrors", {"errors": 30, "accepted": 3_000_000}, False),
            # one at night
            ("ServerErrors", {"errors": 1, "accepted": 1}, False),
            # a flood that is throttled, beside some traffic
            ("ServerErrors", {"errors": 900, "health": 400, "fallback": 500}, False),
            ("FastBurn", {"errors": 900, "fallback": 900, "all": 1900, "fast": 100}, False),
            ("SlowBurn", {"errors": 900, "fallback": 900, "all": 1900, "fast": 100}, False),
            # a canary that fails altogether, with a tenth of the traffic
            ("ServerErrors", {"errors": 300, "accepted": 3000}, True),
            ("UnhandledErrors", {"defects": 1, "accepted": 20}, True),
            ("UnhandledErrors", {"defects": 30, "accepted": 3_000_000}, False),
            ("DatabaseUnavailable", {"failed": 20, "accepted": 20}, True),
            ("DatabaseUnavailable", {"failed": 30, "accepted": 3_000_000}, False),
            ("FastBurn", {"errors": 15, "accepted": 1000, "all": 1000, "fast": 100}, True),
            ("FastBurn", {"errors": 14, "accepted": 1000, "all": 1000, "fast": 100}, False),
            ("FastBurn", {"errors": 0, "accepted": 1000, "all": 1000, "fast": 85}, True),
            ("FastBurn", {"errors": 0, "accepted": 1000, "all": 1000, "fast": 86}, False),
            ("FastBurn", {"errors": 0, "accepted": 2, "all": 2, "fast": 0}, False),
            # every operation fails or is slow, in a flood of 72,000 responses of health
            ("FastBurn", {"errors": 50, "accepted": 50, "all": 72_050, "fast": 100}, True),
            ("FastBurn", {"errors": 0, "accepted": 720, "all": 72_720, "fast": 99.5}, True),
            ("SlowBurn", {"errors": 7, "accepted": 1000, "all": 1000, "fast": 100}, True),
            ("SlowBurn", {"errors": 5, "accepted": 1000, "all": 1000, "fast": 100}, False),
            ("Latency", {"all": 20, "accepted": 20, "fast": 80}, True),
            ("Latency", {"all": 20, "accepted": 20, "fast": 90}, False),
            ("Latency", {"all": 6000, "accepted": 6000, "fast": 99.5}, False),
            ("Latency", {"all": 6100, "accepted": 100, "fast": 99.5}, True),
            ("Latency", {"all": 6000, "fast": 100}, False),
            ("Throttles", {"throttles_lists": 20}, True),
            ("Throttles", {"throttles_lists": 1, "throttles_toggles": 2, "accepted": 100}, True),
            ("Throttles", {"throttles_creates": 20, "accepted": 600_000}, False),
            ("RefusedTokens", {"refused": 80, "accepted": 20}, True),
            ("RefusedTokens", {"refused": 80, "accepted": 8000}, False),
            ("RefusedTokens", {"refused": 5, "accepted": 0}, False),
            ("Cleaning", {"runs": 3, "failures": 0}, False),
            ("Cleaning", {"runs": 3, "failures": 1}, True),
            ("Cleaning", {"runs": 0, "failures": 0}, True),
        ],
    )
    def test_fire_on_shares(
        self, prod: Stack, alarm: str, metrics: dict[str, float], fires: bool
    ) -> None:
        properties = prod.resources[f"{alarm}Alarm"]["Properties"]
        given = {item["Id"] for item in properties["Metrics"] if "MetricStat" in item}
        assert metrics.keys() <= given
        values: dict[str, float | None] = dict.fromkeys(given) | metrics
        expressions = [item for item in properties["Metrics"] if "Expression" in item]
        [shown] = [item for item in expressions if "ReturnData" not in item]
        for item in [*(each for each in expressions if each is not shown), shown]:
            values[item["Id"]] = evaluate(item["Expression"], values)
        value = values[shown["Id"]]
        assert value is not None
        threshold = float(properties["Threshold"])
        below = properties["ComparisonOperator"] == "LessThanThreshold"
        assert (value < threshold if below else value > threshold) is fires

    def test_take_silence_for_good_news_where_none_is_due(self, prod: Stack) -> None:
        alarms = stack(Stage="prod", Probed="true").of_type("CloudWatch::Alarm")
        loud = {n for n, alarm in alarms.items() if alarm["TreatMissingData"] == "breaching"}
        assert loud == {"NoTrafficAlarm", "CleaningAlarm"}
        assert "NoTrafficAlarm" not in prod.of_type("CloudWatch::Alarm")

    def test_tell_whom_it_concerns(self) -> None:
        topic = "arn:aws:sns:us-east-1:123456789012:alarms"
        for alarm in stack(Stage="prod", AlarmTopicArn=topic).of_type("CloudWatch::Alarm").values():
            assert alarm["AlarmActions"] == alarm["OKActions"] == [topic]

    def test_need_no_topic(self, prod: Stack) -> None:
        for alarm in prod.of_type("CloudWatch::Alarm").values():
            assert "AlarmActions" not in alarm

    def test_watch_metrics_that_the_code_writes(self, prod: Stack) -> None:
        code = "".join(path.read_text() for path in (ROOT / "shared").rglob("*.py"))
        body = prod.of_type("CloudWatch::Dashboard")["Dashboard"]["DashboardBody"]["Fn::Sub"]
        shown = re.findall(r'\["Tasks/\$\{AWS::StackName\}", "(\w+)", "service", "tasks"\]', body)
        watched = [
            metric["MetricName"]
            for alarm in prod.of_type("CloudWatch::Alarm").values()
            for metric in alarmed(alarm)
            if namespace(metric) == OURS
        ]
        assert shown
        assert watched
        assert not [name for name in [*shown, *watched] if f'"{name}"' not in code]


def fill(value: Any, instead: float) -> Any:
    """What has no value is something instead, also in a list."""
    if isinstance(value, list):
        return [fill(each, instead) for each in value]
    return instead if value is None else value


def evaluate(expression: str, metrics: dict[str, float | None]) -> float:
    """What CloudWatch's metric math makes of one value of each metric; None is no value."""
    python = expression.replace("IF(", "when(").replace(" OR ", " or ").replace("MAX(", "max(")
    functions: dict[str, Any] = {
        "when": lambda condition, one, other: one if condition else other,
        "FILL": fill,
        "METRICS": lambda part: [value for name, value in metrics.items() if part in name],
        "SUM": sum,
        "max": max,
    }
    try:
        return float(eval(python, {"__builtins__": {}}, functions | metrics))
    except ZeroDivisionError:
        return math.nan  # no data, which is no alarm


class TestBudget:
    def test_is_made_for_an_address(self) -> None:
        assert not stack().of_type("Budgets::Budget")
        [made] = (
            stack(BudgetAddress="a@b.example", BudgetLimit="50").of_type("Budgets::Budget").values()
        )
        assert made["Budget"]["BudgetLimit"] == {"Amount": "50", "Unit": "USD"}
        for notified in made["NotificationsWithSubscribers"]:
            assert notified["Subscribers"] == [
                {"SubscriptionType": "EMAIL", "Address": "a@b.example"}
            ]


class TestDeployment:
    def test_shifts_production_by_a_canary_that_alarms_end(self, prod: Stack) -> None:
        alarms = prod.of_type("CloudWatch::Alarm").values()
        names = {alarm["AlarmName"]["Fn::Sub"] for alarm in alarms}
        expected = {f"${{AWS::StackName}}-{name}" for name in END_A_CANARY}
        groups = prod.of_type("CodeDeploy::DeploymentGroup").values()
        assert len(groups) == len(answering(prod))
        assert expected <= names
        for group in groups:
            assert group["DeploymentConfigName"]["Fn::Sub"][1]["ConfigName"].startswith("Canary")
            assert group["AlarmConfiguration"]["Enabled"]
            rolled_back = {
                item["Name"]["Fn::Sub"] for item in group["AlarmConfiguration"]["Alarms"]
            }
            assert rolled_back == expected
            assert "DEPLOYMENT_STOP_ON_ALARM" in group["AutoRollbackConfiguration"]["Events"]

    @pytest.mark.parametrize("stage", ["dev", "staging"])
    def test_is_at_once_elsewhere(self, stage: str) -> None:
        assert not stack(Stage=stage).of_type("CodeDeploy::DeploymentGroup")

    def test_is_at_once_in_production_where_that_is_asked_for(self) -> None:
        assert not stack(Stage="prod", Traffic="all").of_type("CodeDeploy::DeploymentGroup")

    def test_of_production_has_a_canary_again_the_next_time(self) -> None:
        # A stack keeps the value of a parameter that a deployment does not name.
        config = tomllib.loads((ROOT / "samconfig.toml").read_text())
        assert "Traffic=canary" in config["prod"]["deploy"]["parameters"]["parameter_overrides"]

    def test_leaves_no_version_behind_whose_snapshot_costs(self, any_stage: Stack) -> None:
        made = [
            resource
            for resource in any_stage.resources.values()
            if resource["Type"] == "AWS::Lambda::Version"
        ]
        assert {version["DeletionPolicy"] for version in made} == {"Delete"}

    def test_of_development_is_cheap(self, dev: Stack) -> None:
        assert not dev.of_type("CloudWatch::Alarm")
        assert not dev.of_type("CloudWatch::Dashboard")


class TestDashboard:
    def test_is_json_about_resources_that_exist(self, prod: Stack) -> None:
        body = prod.of_type("CloudWatch::Dashboard")["Dashboard"]["DashboardBody"]["Fn::Sub"]
        assert json.loads(body)["widgets"]
        named = {name.partition(".")[0] for name in re.findall(r"\$\{([\w.]+)\}", body)}
        assert named <= prod.resources.keys()

    def test_shows_every_alarm_and_log(self, prod: Stack) -> None:
        body = prod.of_type("CloudWatch::Dashboard")["Dashboard"]["DashboardBody"]["Fn::Sub"]
        assert not [name for name in prod.of_type("CloudWatch::Alarm") if name not in body]
        logs = prod.of_type("Logs::LogGroup").keys() - {"AccessLogGroup"}
        assert not [name for name in logs if name not in body]


class TestConfiguration:
    @pytest.fixture
    def configuration(self) -> dict[str, Any]:
        return tomllib.loads((ROOT / "samconfig.toml").read_text())

    def test_has_every_stage(self, configuration: dict[str, Any]) -> None:
        assert configuration.keys() - {"version", "default"} == {"local", *STAGES}

    @pytest.mark.parametrize("stage", STAGES)
    def test_gives_a_stage_parameters_that_exist(
        self, configuration: dict[str, Any], stage: str
    ) -> None:
        given = overrides(configuration, stage)
        assert given["Stage"] == stage
        assert given.keys() <= stack().template["Parameters"].keys()
        assert not given.keys() & GIVEN.keys()

    @pytest.mark.parametrize("stage", ["staging", "prod"])
    def test_reserves_no_more_than_was_measured_and_an_account_has(
        self, configuration: dict[str, Any], stage: str
    ) -> None:
        reserving = stack(
            ReservedConcurrency=overrides(configuration, stage)["ReservedConcurrency"]
        )
        advice = f"lower ReservedConcurrency of {stage}, in samconfig.toml"
        assert 0 < reserved(answering(reserving)) <= MEASURED * NEON_POOL, advice
        everything = reserved(reserving.of_type("Lambda::Function"))
        assert everything <= ACCOUNT - UNRESERVED, advice


def overrides(configuration: dict[str, Any], stage: str) -> dict[str, str]:
    given = configuration[stage]["deploy"]["parameters"]["parameter_overrides"]
    return dict(item.split("=", 1) for item in given)
