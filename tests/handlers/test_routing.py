"""Declarations: what they make, and what is refused when the application starts."""

from __future__ import annotations

from typing import Any

import pytest
from chalice.deploy.validate import validate_routes

from chalicelib.handlers.api import RESOURCES
from chalicelib.handlers.http import Backbone
from chalicelib.handlers.routing import METHODS, Resource, operations
from chalicelib.handlers.schema import Nothing
from tests.handlers.toy import NoteIn, NoteOut, toy_app
from tests.handlers.toy import api as notes


def served(app: Backbone) -> dict[str, Any]:
    return dict(app.routes)


def test_what_is_kept_for_the_document() -> None:
    rows = {(row.method, row.path): row for row in operations([notes])}
    create = rows["POST", "/api/v1/note"]
    assert (create.status, create.summary, create.tag) == (201, "Create a note", "Notes")
    assert (create.body, create.answer) == (NoteIn, NoteOut)
    assert create.aliases == ("/api/v1/notes/note",)
    patch = rows["PATCH", "/api/v1/note/{pk}"].body
    assert patch is not None and patch.__name__ == "NoteInPatch"
    assert "required" not in patch.model_json_schema()
    assert rows["POST", "/api/v1/note/{pk}/close"].body is Nothing
    assert rows["DELETE", "/api/v1/note/{pk}"].status == 204
    names = [row.name for row in rows.values()]
    assert len(set(names)) == len(names) and "get_note_pk_sum" in names


@pytest.mark.parametrize("app", [toy_app(), Backbone("real", configure_logs=False)])
def test_routes_can_be_deployed(app: Backbone) -> None:
    if app.app_name == "real":
        app.mount(RESOURCES)
    assert app.routes
    validate_routes(app.routes)
    names = set()
    for path, methods in served(app).items():
        assert not path.endswith("/")
        assert set(methods) == set(METHODS)
        names.add(methods["GET"].view_name)
    assert len(names) == len(app.routes)


def test_the_real_application_mounts_the_table_of_contents() -> None:
    import app as composed

    paths = {row.path for row in operations(RESOURCES)}
    assert paths <= set(composed.app.routes)


@pytest.mark.parametrize(
    ("path", "options", "handler"),
    [
        ("/x/", {}, lambda: None),
        ("x", {}, lambda: None),
        ("/{pk}", {}, lambda: None),
        ("", {}, lambda other: None),
        ("", {"collection": True}, lambda: None),
        ("", {"idempotency": "header"}, lambda: None),
    ],
)
def test_a_declaration_that_cannot_work(path: str, options: dict[str, Any], handler: Any) -> None:
    with pytest.raises(ValueError, match="GET"):
        Resource("/thing", tag="Things").declare("GET", path, **options)(handler)


def test_a_public_route_has_no_context() -> None:
    with pytest.raises(ValueError, match="ctx"):
        Resource("/thing", tag="Things", public=True).get()(lambda ctx: None)


def test_one_variable_name_a_level_and_no_route_twice() -> None:
    one, other = Resource("/thing", tag="Things"), Resource("/thing", tag="Things")
    one.get("/{pk}")(lambda pk: None)
    other.get("/{sub}/more")(lambda sub: None)
    with pytest.raises(ValueError, match="already"):
        Backbone("x", configure_logs=False).mount([one, other])
    with pytest.raises(ValueError, match="twice"):
        Backbone("y", configure_logs=False).mount([one, one])
