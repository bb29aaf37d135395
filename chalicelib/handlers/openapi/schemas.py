"""JSON Schemas of the models, as ``#/components/schemas`` names them.

A body is described as it is read, an answer as it is printed.  What a ``PATCH`` leaves out stays as
it is, so its schema has no defaults; what is shown only once is not required in an answer.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema

from chalicelib.handlers import schema
from chalicelib.handlers.filters import IDS
from chalicelib.handlers.schema import Body, Out, Query

Json = dict[str, Any]
Mode = Literal["validation", "serialization"]

REF = "#/components/schemas/"
_CODE = re.compile(r"``([^`]+)``|:\w+:`~?([^`]+)`")
_DOCUMENTED_BASES = frozenset({Body, Out, Query, BaseModel})


class _Generator(GenerateJsonSchema):
    """pydantic's, without a title for every field."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


class Schemas:
    """Every model that the document refers to, under its short name."""

    def __init__(self, models: Iterable[type[BaseModel]]) -> None:
        asked: list[tuple[type[BaseModel], Mode]] = []
        for model in dict.fromkeys(models):
            schema.ready(model)
            asked.append((model, "serialization" if issubclass(model, Out) else "validation"))
        generator = _Generator(ref_template=REF + "{model}")
        found, made = generator.generate_definitions(
            [(model, mode, model.__pydantic_core_schema__) for model, mode in asked]
        )
        inlined = {key: value for key, value in found.items() if "$ref" not in value}
        if inlined:
            raise TypeError(f"models without a definition: {inlined}")
        definitions = {str(name): value for name, value in made.items()}
        names = _short_names(definitions)
        self.components: Json = {
            names[name]: _renamed(value, names) for name, value in sorted(definitions.items())
        }
        self._names = {
            model: names[str(found[model, mode]["$ref"]).removeprefix(REF)] for model, mode in asked
        }
        for model, name in self._names.items():
            self._finish(model, self.components[name])

    def shown(self) -> Json:
        """The components of bodies and answers; queries are shown as parameters."""
        queries = {name for model, name in self._names.items() if issubclass(model, Query)}
        return {name: value for name, value in self.components.items() if name not in queries}

    def ref(self, model: type[BaseModel]) -> Json:
        """``{"$ref": ...}`` of a model."""
        return {"$ref": REF + self._names[model]}

    def properties(self, model: type[BaseModel]) -> Iterator[tuple[str, Json, bool]]:
        """Name, schema, and whether it is required, of each field of a model."""
        found = self.components[self._names[model]]
        for name, value in found.get("properties", {}).items():
            yield name, value, name in found.get("required", ())

    def _finish(self, model: type[BaseModel], found: Json) -> None:
        if model.__doc__ is None or model in _DOCUMENTED_BASES:
            found.pop("description", None)
        _without_null_defaults(found)
        if issubclass(model, Body):
            _finish_body(model, found)
        if issubclass(model, Out):
            _finish_ids(found)
            required = [name for name in found.get("required", ()) if name not in model.secrets]
            found["required"] = required


def prose(text: str | None) -> str:
    """A docstring as Markdown: literals in single backticks, paragraphs on one line."""
    paragraphs = re.split(r"\n\s*\n", inspect.cleandoc(text or ""))
    joined = "\n\n".join(" ".join(part.split()) for part in paragraphs)
    return _CODE.sub(lambda found: f"`{found[1] or found[2]}`", joined)


def without_null(value: Json) -> Json:
    """The same schema where null cannot be said: in a query."""
    options = [each for each in value.get("anyOf", ()) if each != {"type": "null"}]
    rest = {name: each for name, each in value.items() if name not in ("anyOf", "default")}
    if "default" in value and value["default"] is not None:
        rest["default"] = value["default"]
    if len(options) == 1:
        return {**options[0], **rest}
    return {"anyOf": options, **rest} if options else rest


def _without_null_defaults(found: Json) -> None:
    """``null`` where nothing is sent needs no words."""
    for value in found.get("properties", {}).values():
        if value.get("default", ...) is None:
            del value["default"]


def _finish_ids(found: Json) -> None:
    """An answer's own id, and the ids of other things, are UUIDs."""
    for name, value in found.get("properties", {}).items():
        for option in (value, *value.get("anyOf", ())):
            if name in IDS and option == {"type": "string"}:
                option["format"] = "uuid"


def _finish_body(model: type[Body], found: Json) -> None:
    if model.partial:
        for value in found.get("properties", {}).values():
            value.pop("default", None)
        found["description"] = "What is not sent stays as it is."
    ignored = sorted(schema.read_only_of(model) - set(model.model_fields))
    if ignored and found.get("properties"):
        listed = ", ".join(f"`{name}`" for name in ignored)
        said = f"May be sent back and is ignored: {listed}."
        found["description"] = "\n\n".join(filter(None, [found.get("description"), said]))
        found["x-ignored"] = ignored


def _short_names(definitions: Mapping[str, Any]) -> dict[str, str]:
    """``ProductOut`` -> ``Product``, ``ProductIn`` -> ``ProductRequest``, where that is unique."""
    wanted = {name: _short(name.rsplit("__", 1)[-1].partition("-")[0]) for name in definitions}
    taken: dict[str, list[str]] = {}
    for name, short in wanted.items():
        taken.setdefault(short, []).append(name)
    return {
        name: short if len(taken[short]) == 1 else _qualified(name, short)
        for name, short in wanted.items()
    }


def _short(name: str) -> str:
    for end, instead in (("InPatch", "Patch"), ("In", "Request"), ("Out", "")):
        if name.endswith(end) and name != end:
            return name.removesuffix(end) + instead
    return name


def _qualified(name: str, short: str) -> str:
    """``chalicelib__handlers__loans__TotalsOut`` -> ``LoansTotals``."""
    parts = name.split("__")
    room = "".join(part.title() for part in parts[-2].split("_")) if len(parts) > 1 else ""
    return room + short


def _renamed(value: Any, names: Mapping[str, str]) -> Any:
    """A copy in which every reference has its short name and docstrings are Markdown."""
    if isinstance(value, list):
        return [_renamed(each, names) for each in value]
    if not isinstance(value, dict):
        return value
    copied = {name: _renamed(each, names) for name, each in value.items()}
    if isinstance(value.get("$ref"), str):
        copied["$ref"] = REF + names[value["$ref"].removeprefix(REF)]
    if isinstance(value.get("description"), str):
        copied["description"] = prose(value["description"])
    return copied
