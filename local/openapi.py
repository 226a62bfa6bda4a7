"""The OpenAPI document of the whole API, made from the functions' own routes."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema

from local.gateway import read_routes
from shared import problems
from shared.problems import Problem, ProblemDetails

VERSION = "1.0.0"
TITLE = "Task API"
