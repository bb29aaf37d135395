"""A typed client of the Backbone partner API: ``Client(base_url, api_key)``."""

from backbone_client import lending_records, records
from backbone_client.client import Client
from backbone_client.problems import (
    Conflict,
    FieldError,
    Invalid,
    NoAnswer,
    NotAuthenticated,
    NotFound,
    NotUnderstood,
    Problem,
    Unavailable,
)
from backbone_client.resource import Page
from backbone_client.session import Answer
from backbone_client.wire import Record

__version__ = "0.1.0"
__all__ = [
    "Answer",
    "Client",
    "Conflict",
    "FieldError",
    "Invalid",
    "NoAnswer",
    "NotAuthenticated",
    "NotFound",
    "NotUnderstood",
    "Page",
    "Problem",
    "Record",
    "Unavailable",
    "lending_records",
    "records",
]
