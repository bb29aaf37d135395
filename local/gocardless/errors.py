"""GoCardless's error bodies (its API reference, "Errors"): every one carries a list ``errors``."""

from __future__ import annotations

from typing import Any

DOCUMENTATION = "https://developer.gocardless.com/api-reference#"

Json = dict[str, Any]


class ApiError(Exception):
    """An answer that is an error; a request that ends so has changed nothing."""

    def __init__(self, status: int, kind: str, message: str, errors: list[Json]) -> None:
        super().__init__(message)
        self.status = status
        self.kind = kind
        self.message = message
        self.errors = errors

    def body(self, request_id: str) -> Json:
        """The JSON that leaves."""
        reason = self.errors[0].get("reason", self.kind) if self.errors else self.kind
        return {
            "error": {
                "message": self.message,
                "code": self.status,
                "type": self.kind,
                "request_id": request_id,
                "documentation_url": DOCUMENTATION + str(reason),
                "errors": self.errors,
            }
        }


def _reasoned(status: int, kind: str, reason: str, message: str, links: Json | None) -> ApiError:
    error: Json = {"reason": reason, "message": message}
    if links:
        error["links"] = links
    return ApiError(status, kind, message, [error])


def invalid_state(reason: str, message: str) -> ApiError:
    """422: the resource's state forbids it."""
    return _reasoned(422, "invalid_state", reason, message, None)


def invalid(errors: list[Json]) -> ApiError:
    """422: values that are wrong, each with its ``field`` and ``message``."""
    return ApiError(422, "validation_failed", "Validation failed", errors)


def usage(status: int, reason: str, message: str) -> ApiError:
    """The API was used wrongly: 400, 401, 403, 404, 429."""
    return _reasoned(status, "invalid_api_usage", reason, message, None)


def unauthorised() -> ApiError:
    """401 for a missing or unknown token."""
    return usage(401, "unauthorized", "Unauthorized")


def not_found() -> ApiError:
    """404, the same for what never existed and for what is somebody else's."""
    return usage(404, "resource_not_found", "Resource not found")


def bad_document(message: str) -> ApiError:
    """400: no JSON, or not in the envelope that the endpoint takes."""
    return usage(400, "invalid_document_structure", message)


def too_many() -> ApiError:
    """429."""
    return usage(429, "rate_limit_exceeded", "Rate limit exceeded")


def broken() -> ApiError:
    """500, GoCardless's own."""
    return _reasoned(500, "gocardless", "internal_error", "Uh-oh!", None)


def key_conflict(identity: str) -> ApiError:
    """409: the idempotency key has made something already."""
    message = "A resource has already been created with this idempotency key"
    links = {"conflicting_resource_id": identity}
    return _reasoned(409, "invalid_state", "idempotent_creation_conflict", message, links)


def account_exists(identity: str) -> ApiError:
    """409 without ``field`` or ``request_pointer``: the customer has this account already."""
    message = "Bank account already exists"
    links = {"customer_bank_account": identity}
    return _reasoned(409, "validation_failed", "bank_account_exists", message, links)
