"""The stack: what is deployed, who may do what, what is watched."""

import json
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.deploy.stack import GIVEN, SAM, Stack, stack, transformed

pytestmark = pytest.mark.artifact

STAGES = ("dev", "staging", "prod")
FUNCTIONS = {
    "GET /api/{user_id}/tasks": "functions.list_tasks.handler",
    "POST /api/{user_id}/tasks": "functions.create_task.handler",
    "GET /api/{user_id}/tasks/{id}": "functions.get_task.handler",
    "PUT /api/{user_id}/tasks/{id}": "functions.update_task.handler",
    "DELETE /api/{user_id}/tasks/{id}": "functions.delete_task.handler",
    "PATCH /api/{user_id}/tasks/{id}/complete": "functions.toggle_task.handler",
    "GET /health": "functions.health.handler",
} | {
    f"{method} {path}": "functions.fallback.handler"
    for path in ("/", "/{proxy+}")
    for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
}
OURS = "Tasks/${AWS::StackName}"  # stages in one region keep apart
DIMENSIONS = {
    # https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-metrics.html
    **dict.fromkeys([("AWS/ApiGateway", "5xx"), ("AWS/ApiGateway", "Latency")], ("ApiId", "Api")),
    # what shared/observability.py writes
    **dict.fromkeys(
        [(OURS, "UnhandledError"), (OURS, "DatabaseUnavailable")], ("service", "tasks")
    ),
}
NEON_POOL = 93  # 0.9 of the 104 connections of its smallest compute


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
    @pytest.mark.parametrize("stage", STAGES)
    def test_lints_after_its_transformation(self, stage: str, tmp_path: Path) -> None:
        template = tmp_path / "template.json"
        template.write_text(transformed(json.dumps(GIVEN | {"Stage": stage})))
        # SAM has used some of the parameters, and the mapping, by now.
        assert lint("--ignore-checks", "W2001", "W7001", "--", str(template)) == (0, "")

    def test_lints_as_it_is(self) -> None:
        assert lint("--", str(ROOT / "template.yaml")) == (0, "")

    def test_says_where_the_api_is(self, any_stage: Stack) -> None:
        url = any_stage.template["Outputs"]["Url"]["Value"]["Fn::Sub"]
        assert url == "https://${Api}.execute-api.${AWS::Region}.${AWS::URLSuffix}"

    def test_refuses_to_deploy_without_an_issuer(self) -> None:
        rule = stack().template["Rules"]["TokensHaveAnIssuer"]
        assert "RuleCondition" not in rule
        given = {"Fn::Not": [{"Fn::Equals": [{"Ref": "BetterAuthUrl"}, ""]}]}
        assert [item["Assert"] for item in rule["Assertions"]] == [given]

    def test_refuses_production_without_a_frontend_of_its_own(self) -> None:
        rule = stack().template["Rules"]["ProductionHasFrontends"]
        assert rule["RuleCondition"] == {"Fn::Equals": [{"Ref": "Stage"}, "prod"]}
        default = stack().template["Parameters"]["AllowedOrigins"]["Default"]
        same = {"Fn::Equals": [{"Ref": "AllowedOrigins"}, default]}
        assert rule["Assertions"][0]["Assert"] == {"Fn::Not": [same]}


class TestParameters:
    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("AllowedOrigins", "*"),
            ("AllowedOrigins", "https://*.example.com"),
            ("AllowedOrigins", "https://app.example.com/"),
            ("AllowedOrigins", "https://one.example.com,*"),
            ("BetterAuthUrl", "http://auth.example.com"),
            ("DatabaseSecretArn", "*"),
            ("DatabaseSecretArn", "arn:aws:secretsmanager:us-east-1:123456789012:secret:*"),
            ("JwksUrl", "http://auth.example.com/jwks"),
            ("AlarmTopicArn", "*"),
            ("PermissionsBoundary", "*"),
            ("Release", "v1.0"),
        ],
    )
    def test_refuse(self, name: str, value: str) -> None:
        pattern = stack().template["Parameters"][name]["AllowedPattern"]
        assert not re.fullmatch(pattern, value)

    @pytest.mark.parametrize("name", GIVEN)
    def test_accept(self, name: str) -> None:
        assert re.fullmatch(stack().template["Parameters"][name]["AllowedPattern"], GIVEN[name])

    def test_change_what_is_live_only_with_a_new_release(self) -> None:
        versions = [
            set(stack(**parameters).of_type("Lambda::Version"))
            for parameters in (
                {},
                {"BetterAuthUrl": "https://login.example.com"},
                {"Release": "one"},
                {"Release": "two"},
            )
        ]
        assert versions[0] == versions[1]
        assert not versions[0] & versions[2]
        assert not versions[2] & versions[3]


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
        for function in any_stage.of_type("Lambda::Function").values():
            assert 10 < function["Timeout"] < 30

    def test_share_no_role_and_no_log(self, any_stage: Stack) -> None:
        functions = any_stage.of_type("Lambda::Function").values()
        roles = {function["Role"]["Fn::GetAtt"][0] for function in functions}
        logs = {function["LoggingConfig"]["LogGroup"]["Ref"] for function in functions}
        assert len(functions) == len(roles) == len(logs) == 8

    def test_log_json_and_are_traced(self, any_stage: Stack) -> None:
        for function in any_stage.of_type("Lambda::Function").values():
            assert function["LoggingConfig"]["LogFormat"] == "JSON"
            assert function["LoggingConfig"]["ApplicationLogLevel"] == "INFO"
            assert function["TracingConfig"] == {"Mode": "Active"}

    def test_have_no_secret_in_their_environment(self, any_stage: Stack) -> None:
        for function in any_stage.of_type("Lambda::Function").values():
            variables = function["Environment"]["Variables"]
            assert variables["DATABASE_SECRET_ARN"] == GIVEN["DatabaseSecretArn"]
            assert variables["DATABASE_URL"] == ""
            assert "BETTER_AUTH_SECRET" not in variables
            assert not [value for value in variables.values() if "@" in value]

    def test_start_from_snapshots_where_that_is_worth_its_price(self) -> None:
        for stage, applied in ("dev", "None"), ("staging", "PublishedVersions"):
            for function in stack(Stage=stage).of_type("Lambda::Function").values():
                assert function["SnapStart"] == {"ApplyOn": applied}

    def test_reserve_no_concurrency_of_a_new_account(self, dev: Stack) -> None:
        for function in dev.of_type("Lambda::Function").values():
            assert "ReservedConcurrentExecutions" not in function

    def test_reserve_concurrency_where_it_is_asked_for(self) -> None:
        reserving = stack(ReservedConcurrency="10")
        for function in reserving.of_type("Lambda::Function").values():
            assert function["ReservedConcurrentExecutions"] == "10"


class TestPolicies:
    def test_let_a_function_read_one_secret_and_write_its_log(self, any_stage: Stack) -> None:
        roles = any_stage.of_type("IAM::Role")
        for function in any_stage.of_type("Lambda::Function").values():
            role = roles[function["Role"]["Fn::GetAtt"][0]]
            [policy] = role["Policies"]
            read, write = policy["PolicyDocument"]["Statement"]
            assert read == {
                "Effect": "Allow",
                "Action": "secretsmanager:GetSecretValue",
                "Resource": GIVEN["DatabaseSecretArn"],
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
        assert len(bounded) == 9

    def test_are_unbounded_otherwise(self, prod: Stack) -> None:
        for role in prod.of_type("IAM::Role").values():
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
        }
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

    def test_lets_fewer_writes_through_than_reads(self) -> None:
        limited = stack(RequestsPerSecond="50", WritesPerSecond="10")
        [api] = limited.of_type("ApiGatewayV2::Stage").values()
        assert limits(api["DefaultRouteSettings"]) == {"50"}
        writes = {route for route in FUNCTIONS if "/api/" in route and not route.startswith("GET ")}
        assert api["RouteSettings"].keys() == writes
        assert set.union(*map(limits, api["RouteSettings"].values())) == {"10"}

    def test_lets_fewer_writes_through_by_default(self, prod: Stack) -> None:
        assert prod.parameters["WritesPerSecond"] < prod.parameters["RequestsPerSecond"]


def limits(settings: dict[str, str]) -> set[str]:
    return {settings["ThrottlingRateLimit"], settings["ThrottlingBurstLimit"]}


class TestLogs:
    def test_go_away_by_themselves(self) -> None:
        for stage, days in ("dev", 3), ("prod", "90"):
            groups = stack(Stage=stage, LogRetentionDays="90").of_type("Logs::LogGroup").values()
            assert len(groups) == 9
            assert {group["RetentionInDays"] for group in groups} == {days}


class TestAlarms:
    def test_can_fire(self, prod: Stack) -> None:
        functions = prod.of_type("Lambda::Function")
        watched = set()
        for alarm in prod.of_type("CloudWatch::Alarm").values():
            for metric in alarmed(alarm):
                key = namespace(metric), metric["MetricName"]
                [dimension] = metric["Dimensions"]
                value = dimension["Value"]
                watched.add(key)
                if key == ("AWS/Lambda", "Throttles"):
                    assert dimension["Name"] == "FunctionName"
                    assert value["Ref"] in functions
                else:
                    named = value["Ref"] if isinstance(value, dict) else value
                    assert (dimension["Name"], named) == DIMENSIONS[key]
        assert watched == {*DIMENSIONS, ("AWS/Lambda", "Throttles")}

    def test_watch_the_throttles_of_every_function(self, prod: Stack) -> None:
        metrics = alarmed(prod.resources["ThrottlesAlarm"]["Properties"])
        watched = {metric["Dimensions"][0]["Value"]["Ref"] for metric in metrics}
        assert watched == prod.of_type("Lambda::Function").keys()

    def test_take_silence_for_good_news(self, prod: Stack) -> None:
        for alarm in prod.of_type("CloudWatch::Alarm").values():
            assert alarm["TreatMissingData"] == "notBreaching"

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
        assert len(shown) == 5
        assert len(watched) == 2
        assert not [name for name in [*shown, *watched] if f'"{name}"' not in code]


class TestDeployment:
    def test_shifts_production_by_a_canary_that_any_alarm_rolls_back(self, prod: Stack) -> None:
        names = [alarm["AlarmName"] for alarm in prod.of_type("CloudWatch::Alarm").values()]
        groups = prod.of_type("CodeDeploy::DeploymentGroup").values()
        assert len(groups) == 8
        for group in groups:
            assert group["DeploymentConfigName"]["Fn::Sub"][1]["ConfigName"].startswith("Canary")
            assert group["AlarmConfiguration"]["Enabled"]
            rolled_back = [alarm["Name"] for alarm in group["AlarmConfiguration"]["Alarms"]]
            assert sorted(map(str, rolled_back)) == sorted(map(str, names))
            assert "DEPLOYMENT_STOP_ON_ALARM" in group["AutoRollbackConfiguration"]["Events"]

    def test_is_at_once_elsewhere(self) -> None:
        for stage in "dev", "staging":
            assert not stack(Stage=stage).of_type("CodeDeploy::DeploymentGroup")

    def test_is_at_once_in_production_where_that_is_asked_for(self) -> None:
        assert not stack(Stage="prod", Traffic="all").of_type("CodeDeploy::DeploymentGroup")

    def test_of_production_has_a_canary_again_the_next_time(self) -> None:
        # A stack keeps the value of a parameter that a deployment does not name.
        config = tomllib.loads((ROOT / "samconfig.toml").read_text())
        assert "Traffic=canary" in config["prod"]["deploy"]["parameters"]["parameter_overrides"]

    def test_leaves_no_version_behind_whose_snapshot_costs(self, any_stage: Stack) -> None:
        versions = [
            resource
            for resource in any_stage.resources.values()
            if resource["Type"] == "AWS::Lambda::Version"
        ]
        assert len(versions) == 8
        assert {version["DeletionPolicy"] for version in versions} == {"Delete"}

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

    def test_keeps_all_functions_together_within_the_pool(
        self, configuration: dict[str, Any]
    ) -> None:
        for stage in "staging", "prod":
            reserved = int(overrides(configuration, stage)["ReservedConcurrency"])
            assert 0 < 8 * reserved <= NEON_POOL


def overrides(configuration: dict[str, Any], stage: str) -> dict[str, str]:
    given = configuration[stage]["deploy"]["parameters"]["parameter_overrides"]
    return dict(item.split("=", 1) for item in given)
