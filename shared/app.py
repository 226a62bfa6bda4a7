"""From a gateway event to a FastAPI app and back: the app factory and the Lambda adapter."""

import os
from collections.abc import Callable
from typing import Any

from fastapi import FastAPI
from mangum import Mangum

from shared import collector
from shared.auth.middleware import AuthenticationMiddleware
from shared.http import exception_handlers
from shared.http.bodies import JsonRoute
from shared.http.events import GatewayEvent
from shared.lifecycle import initialise
from shared.observability import RequestLogMiddleware

Handler = Callable[[dict[str, Any], Any], dict[str, Any]]


def create_app(*, public: bool = False) -> FastAPI:
    """An app for one operation, with problems for errors; without a token only where `public`."""
    app = FastAPI(
        openapi_url=None,
        telemetry={"tracing": False, "metrics": False, "logs": False},
        redirect_slashes=False,
        generate_unique_id_function=lambda route: route.name,
    )
    app.router.route_class = JsonRoute
    app.state.public = public
    exception_handlers.install(app)
    if not public:
        app.add_middleware(AuthenticationMiddleware)
    return app


def lambda_handler(app: FastAPI, *, asks_database: bool = True) -> Handler:
    """The Lambda function of an app, for events of an API Gateway HTTP API (payload format 2.0)."""
    if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
        initialise(authenticated=not app.state.public, asks_database=asks_database)
    collector.resume()
    return Mangum(RequestLogMiddleware(app), lifespan="off", custom_handlers=[GatewayEvent])
