"""The REST API at `/api/v1`: the commands' use cases and views over HTTP, for programs."""

from erpsync.web.api.app import create_api

__all__ = ["create_api"]
