"""The table of all keys on the page about the plan language, made from the JSON Schema so that it is never behind."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "plan-language.md"
BEGIN: Final = "<!-- keys: written by python -m shared.plans.schema -->"
END: Final = "<!-- end of keys -->"
_LONGEST: Final = 8
_PLAIN: Final = frozenset({"Words", "ParameterRef", "ConditionTree"})

Schema = Mapping[str, Any]


class PageError(ValueError):
    """The page has no place for the table."""


def with_key_tables(page: str, plan: Schema, case: Schema) -> str:
    """The page with its tables of keys as the schemas say. Raises PageError when its markers are gone."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise PageError(f"the page needs the lines '{BEGIN}' and '{END}'")
    tables = "\n".join([*_tables("plan.yaml", plan), *_tables("cases/*.yaml", case)])
    return f"{before}{BEGIN}\n\n{tables}\n{END}{after}"


def _tables(name: str, schema: Schema) -> Iterator[str]:
    definitions: dict[str, Schema] = schema.get("$defs", {})
    if "properties" in schema:
        yield from _table(f"`{name}`", schema, definitions)
    for title, definition in definitions.items():
        shown = _object(definition)
        if shown is not None and title not in {"Words", "Plan"}:
            yield from _table(f"`{name}`: {_spaced(title)}", shown, definitions)


def _table(title: str, schema: Schema, definitions: Mapping[str, Schema]) -> Iterator[str]:
    yield from (f"**{title}**", "", "| Key | Takes | Meaning |", "|---|---|---|")
    required = set(schema.get("required", ()))
    for key, value in schema["properties"].items():
        needed = " (needed)" if key in required else ""
        meaning = _meaning(value, definitions).replace("|", "\\|")
        yield f"| `{key}`{needed} | {_takes(value, definitions).replace('|', chr(92) + '|')} | {meaning} |"
    yield ""


def _object(definition: Schema) -> Schema | None:
    """The definition's keys, or those of its long form."""
    if definition.get("properties"):
        return definition
    return next((part for part in definition.get("anyOf", ()) if part.get("properties")), None)


def _meaning(value: Schema, definitions: Mapping[str, Schema]) -> str:
    text = value.get("description")
    if text is None:
        targets = [name for name in _references(value) if name not in _PLAIN]
        text = definitions[targets[0]].get("description", "") if len(targets) == 1 else ""
    first = str(text).split("\n\n", maxsplit=1)[0].replace("\n", " ")
    default = value.get("default")
    said = "" if default in (None, [], {}, False, "") or isinstance(default, dict) else f"Default: {_shown(default)}."
    return " ".join(part for part in (first and first.rstrip(".") + ".", said) if part)


def _references(value: Schema) -> Iterator[str]:
    if "$ref" in value:
        yield str(value["$ref"]).rpartition("/")[2]
    for word in ("anyOf", "oneOf", "allOf"):
        for part in value.get(word, ()):
            yield from _references(part)
    for word in ("items", "additionalProperties"):
        if isinstance(value.get(word), dict):
            yield from _references(value[word])
    for part in value.get("patternProperties", {}).values():
        yield from _references(part)


def _shown(default: Any) -> str:
    if isinstance(default, list):
        return ", ".join(str(item) for item in default)
    return str(default).lower() if isinstance(default, bool) else f"`{default}`"


def _takes(value: Schema, definitions: Mapping[str, Schema]) -> str:
    for word in ("anyOf", "oneOf", "allOf"):
        if word in value:
            parts = [_takes(part, definitions) for part in value[word] if part.get("type") != "null"]
            return " or ".join(dict.fromkeys(parts))
    if "$ref" in value:
        name = str(value["$ref"]).rpartition("/")[2]
        target = definitions[name]
        return _takes(target, definitions) if "enum" in target else f"*{_spaced(name)}*"
    if "const" in value:
        return f"`{value['const']}`"
    if "enum" in value:
        members = value["enum"]
        shown = ", ".join(f"`{member}`" for member in members[:_LONGEST])
        return shown + (" …" if len(members) > _LONGEST else "")
    return _plain(value, definitions)


def _plain(value: Schema, definitions: Mapping[str, Schema]) -> str:
    kind = value.get("type")
    if kind == "array":
        return f"list of {_takes(value.get('items', {}), definitions)}"
    if kind == "object":
        inner = value.get("additionalProperties") or next(iter(value.get("patternProperties", {}).values()), None)
        return f"map of {_takes(inner, definitions)}" if isinstance(inner, dict) else "map"
    if "examples" in value:
        return "such as " + ", ".join(f"`{example}`" for example in value["examples"])
    return _WORDS.get(str(kind), "any value")


def _spaced(name: str) -> str:
    words = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name).strip()
    return words.removesuffix(" spec")


_WORDS: Final = {"string": "text", "integer": "whole number", "number": "number", "boolean": "true or false"}
