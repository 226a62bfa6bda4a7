"""`make sam-local`: the built functions in Lambda's containers, behind `sam local start-api`.

They reach a Postgres and an issuer that run here, at the address of Docker's bridge. What the
environment names, a database or an issuer of tokens, is used instead; containers have to reach it.
"""

import json
import os
import platform
import shutil
import socket
import subprocess
import sys
from contextlib import ExitStack
from ipaddress import ip_network
from urllib.parse import urlsplit

from local.command import HOST, alone, free_port, is_set, say
from local.issuer import Issuer, serving
from local.postgres import DATABASE
from local.services import (
    DATABASES,
    ISSUERS,
    allow_frontends,
    migrate,
    start_database,
    start_issuer,
)
from local.state import ROOT, STATE
from local.welcome import listens, say_when, welcome

SAM = ROOT / ".local/sam/bin/sam"
FOLDER = STATE / "sam-local"
ENVIRONMENT = FOLDER / "environment.json"  # samconfig.toml names it, too
THIS_MACHINE = "host.docker.internal"  # to containers
ARCHITECTURE = {"aarch64": "arm64"}.get(platform.machine(), platform.machine())
IMAGE = f"public.ecr.aws/lambda/python:3.13-{ARCHITECTURE}"
VARIABLES = (
    *(*DATABASES, *ISSUERS, "JWT_ISSUER", "JWT_AUDIENCE", "JWT_MAX_LIFETIME"),
    *("MAX_TASKS_PER_USER", "PSEUDONYM_KEY_SECRET_ARN"),
)
DIE_WITH_PARENT = ("setpriv", "--pdeathsig=TERM")


def docker(*arguments: str) -> str | None:
    """The output of a docker command, where it succeeds."""
    command = [shutil.which("docker") or "docker", *arguments]
    try:
        done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def bridge() -> str:
    """The address of this machine where containers find it. Exits where there is no Docker.

    Docker Desktop runs containers in a machine of its own, and leads them to our loopback.
    """
    config = docker("network", "inspect", "bridge", "--format", "{{json .IPAM.Config}}")
    if config is None:
        sys.exit("Docker does not answer (docker info says why), and sam local runs containers.")
    [network] = json.loads(config)
    address = network.get("Gateway") or str(next(ip_network(network["Subnet"]).hosts()))
    try:
        socket.create_server((address, 0)).close()
    except OSError:
        return HOST
    return str(address)


def set_up_database(held: ExitStack, address: str) -> None:
    """Start Postgres where containers reach it, unless the environment names a database."""
    if is_set(*DATABASES):
        say("Database: the environment's, as it is")
        return
    server = start_database(held, FOLDER / "postgres", address)
    os.environ["DATABASE_URL"] = server.tcp_url(THIS_MACHINE)
    migrate(server.database_url(DATABASE), login=os.environ["DATABASE_URL"])


def set_up_issuer(held: ExitStack, address: str) -> Issuer | None:
    """Start the development issuer where containers reach it, unless there is another."""
    issuer = start_issuer()
    if issuer:
        url = urlsplit(held.enter_context(serving(issuer, address)))
        os.environ["JWKS_URL"] = url._replace(netloc=f"{THIS_MACHINE}:{url.port}").geturl()
    return issuer


def sam(*command: str) -> list[str]:
    """A command of the SAM CLI, for this machine."""
    overrides = [f"Architecture={ARCHITECTURE}", f"AllowedOrigins={allow_frontends()}"]
    return [str(SAM), *command, "--config-env", "local", "--parameter-overrides", *overrides]


def serve(port: int) -> int:
    """Run the gateway until it ends, or is told to; it removes its containers."""
    pull = ["--skip-pull-image"] if docker("image", "inspect", IMAGE) is not None else []
    die_with_parent = DIE_WITH_PARENT if shutil.which(DIE_WITH_PARENT[0]) else ()
    gateway = subprocess.Popen(
        [*die_with_parent, *sam("local", "start-api"), "--port", str(port), *pull],
        cwd=ROOT,
        start_new_session=True,  # Ctrl-C is for us, who tell it once
    )
    try:
        return gateway.wait()
    finally:
        gateway.terminate()
        gateway.wait()


def main() -> None:
    """Run until Ctrl-C."""
    with ExitStack() as held:
        held.enter_context(alone("sam-local"))
        address, port = bridge(), free_port("PORT", 8000)
        subprocess.run(sam("build"), cwd=ROOT, check=True)
        set_up_database(held, address)
        issuer = set_up_issuer(held, address)
        variables = {name: os.environ.get(name, "") for name in VARIABLES}
        FOLDER.mkdir(parents=True, exist_ok=True)
        ENVIRONMENT.touch(mode=0o600)  # the URL of a database may have a password in it
        ENVIRONMENT.write_text(json.dumps({"Parameters": variables}))
        api = f"http://{HOST}:{port}"
        text = welcome(f"API: {api}", api, issuer, os.environ["ALLOWED_ORIGINS"])
        say_when(listens((HOST, port)), text)
        sys.exit(serve(port))
