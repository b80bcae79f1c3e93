"""Turns pydantic's list of errors into one line fit for a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel, ValidationError

_WANTED = {
    "int_type": "needs a whole number",
    "float_type": "needs a number",
    "bool_type": "needs true or false",
    "string_type": "needs a text",
    "tuple_type": "needs a list",
    "too_short": "needs at least one entry",
    "string_too_short": "needs a text",
    "finite_number": "needs a finite number",
    "model_type": "needs a table",
    "model_attributes_type": "needs a table",
}

_SHOWN = 80
"""Characters of a value in a message, at most."""
_CONSEQUENCES = ("default_factory_not_called", "too_short")


def field_paths(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """Every table and field of a model as a dotted path, tables before their fields."""
    for name, info in model.model_fields.items():
        yield prefix + name
        if isinstance(info.annotation, type) and issubclass(info.annotation, BaseModel):
            yield from field_paths(info.annotation, f"{prefix}{name}.")


def unknown_field(path: str, model: type[BaseModel]) -> str:
    """The line for a path that names no field, with the nearest one that exists."""
    paths = list(field_paths(model))
    table, _, name = path.rpartition(".")
    siblings = [p for p in paths if p.rpartition(".")[0] == table]
    close = get_close_matches(path, siblings, n=1) or get_close_matches(path, paths, n=1)
    if not close:  # the right name in the wrong table
        close = [p for p in paths if p.rpartition(".")[2] == name][:1]
    hint = f'did you mean "{close[0]}"?' if close else f"fields there: {', '.join(siblings or model.model_fields)}"
    return f'unknown field "{path}": {hint}'


def first_problem(error: ValidationError, model: type[BaseModel]) -> str:
    """Field path, value and what would do, for the first problem; the number of further ones behind it.

    A misspelt name makes two problems, an unknown field and a missing one: the unknown one, with its hint, is told.
    Consequences of other problems (a default that could not be derived, a list without its bad entries) do not count.
    """
    told = [problem for problem in error.errors(include_url=False) if problem["type"] not in _CONSEQUENCES]
    told = told or error.errors(include_url=False)
    problems = sorted(told, key=lambda problem: problem["type"] != "extra_forbidden")
    problem = problems[0]
    path = ".".join(str(part) for part in problem["loc"])
    line = _line(path, problem["type"], problem["input"], problem["msg"], problem.get("ctx", {}), model)
    return line if len(problems) == 1 else f"{line} (and {len(problems) - 1} more)"


def nearest(given: str, known: Iterable[str]) -> str:
    """` - did you mean "..."?` for the most similar known name, or nothing."""
    close = get_close_matches(given, list(known), n=1)
    return f' - did you mean "{close[0]}"?' if close else ""


def _line(path: str, kind: str, value: Any, message: str, context: dict[str, Any], model: type[BaseModel]) -> str:
    if kind == "extra_forbidden":
        return unknown_field(path, model)
    if kind == "missing":
        return f"{path} is missing: add {f'a [{path}] table' if _is_table(path, model) else 'it'}"
    if kind == "value_error":
        reason = str(context["error"])
        if isinstance(value, dict | BaseModel):  # a rule between fields names them itself
            return f"{path}.{reason}" if path else reason
        return f"{path} = {shown(value)}: {reason}"
    return f"{path} = {shown(value)}: {_wanted(kind, value, message, context)}"


def _wanted(kind: str, value: Any, message: str, context: dict[str, Any]) -> str:
    if kind == "greater_than":
        return f"needs a number above {context['gt']:.12g}"
    if kind == "greater_than_equal":
        return f"needs a number from {context['ge']:.12g} up"
    if kind == "less_than_equal":
        return f"needs a number up to {context['le']:.12g}"
    if kind == "literal_error":
        expected = str(context["expected"])
        return f"needs {expected}".replace("'", '"') + nearest(str(value), expected.split("'")[1::2])
    if kind == "float_type" and isinstance(value, int) and not isinstance(value, bool):
        return "is too large, needs a smaller number"
    return _WANTED.get(kind, message[:1].lower() + message[1:])


def _is_table(path: str, model: type[BaseModel]) -> bool:
    return any(other.startswith(f"{path}.") for other in field_paths(model))


def shown(value: Any) -> str:
    """A value as a message tells it: as TOML has it, and cut where it is long."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, dict):
        return "{...}"
    if isinstance(value, int) and value.bit_length() > _SHOWN:
        return f"a number of {value.bit_length()} bits"  # Python does not print those of many thousand
    text = str(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
