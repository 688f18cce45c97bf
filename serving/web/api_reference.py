"""Turns an OpenAPI description into the content of the reference page. Pure."""

import json
from typing import Any
from urllib.parse import urlencode


def reference(schema: dict[str, Any]) -> dict[str, Any]:
    """Return title, description, and for each tag its operations with parameters, fields and an example."""
    components = schema["components"]["schemas"]
    operations = [
        _operation(path, method, operation, components)
        for path, methods in schema["paths"].items()
        for method, operation in methods.items()
    ]
    groups = [
        {**tag, "operations": [operation for operation in operations if operation["tag"] == tag["name"]]}
        for tag in schema["tags"]
    ]
    lead, *points = schema["info"]["description"].split("\n\n")
    rules = [rule for part in points for rule in _rules(part)]
    return {"title": schema["info"]["title"], "lead": lead, "rules": rules, "groups": groups}


def _rules(text: str) -> list[str]:
    """Return the entries of a list in Markdown, whose further lines are indented."""
    rules: list[str] = []
    for line in text.splitlines():
        if line.startswith("* ") or not rules:
            rules.append(line.removeprefix("* ").strip())
        else:
            rules[-1] += f" {line.strip()}"
    return rules


def _operation(
    path: str, method: str, operation: dict[str, Any], components: dict[str, Any]
) -> dict[str, Any]:
    parameters = [_parameter(parameter) for parameter in operation.get("parameters", [])]
    example = path
    for parameter in parameters:
        example = example.replace("{" + parameter["name"] + "}", str(parameter["example"]))
    query = {p["name"]: p["example"] for p in parameters if p["in"] == "query" and p["example"] is not None}
    success = next(
        operation["responses"][status] for status in sorted(operation["responses"]) if status >= "200"
    )
    request_body = _json(operation.get("requestBody", {}))
    return {
        "id": operation["operationId"],
        "tag": operation["tags"][0],
        "method": method.upper(),
        "path": path,
        "summary": operation["summary"],
        "description": operation.get("description", ""),
        "parameters": parameters,
        "request_fields": _fields(request_body.get("schema", {}), components),
        "response_fields": _fields(_json(success).get("schema", {}), components),
        "errors": {
            status: r["description"] for status, r in operation["responses"].items() if status >= "400"
        },
        "example": example + (f"?{urlencode(query)}" if query else ""),
        "headers": [
            f"{p['name']}: {p['example']}" for p in parameters if p["in"] == "header" and p["example"]
        ],
        "body": json.dumps(request_body["example"]) if "example" in request_body else None,
    }


def _json(content: dict[str, Any]) -> dict[str, Any]:
    json_content: dict[str, Any] = content.get("content", {}).get("application/json", {})
    return json_content


def _parameter(parameter: dict[str, Any]) -> dict[str, Any]:
    schema = parameter["schema"]
    examples = schema.get("examples") or parameter.get("examples") or [None]
    return {
        "name": parameter["name"],
        "in": parameter["in"],
        "required": parameter.get("required", False),
        "type": _type(schema),
        "default": schema.get("default"),
        "description": parameter.get("description") or schema.get("description", ""),
        "example": examples[0],
    }


def _type(schema: dict[str, Any]) -> str:
    if "enum" in schema:
        return " | ".join(str(value) for value in schema["enum"])
    if "anyOf" in schema:
        return " | ".join(_type(option) for option in schema["anyOf"] if option.get("type") != "null")
    if "$ref" in schema:
        return str(schema["$ref"].rsplit("/", 1)[1])
    if schema.get("type") == "array":
        return f"list of {_type(schema['items'])}"
    return str(schema.get("format") or schema.get("type", "any"))


def _fields(schema: dict[str, Any], components: dict[str, Any]) -> list[dict[str, Any]]:
    fields_schema = _entry_schema(schema)
    if "$ref" in fields_schema:
        fields_schema = components[fields_schema["$ref"].rsplit("/", 1)[1]]
    return [
        {
            "name": name,
            "type": _type(field),
            "description": field.get("description", ""),
            "fields": _fields(field, components),
        }
        for name, field in fields_schema.get("properties", {}).items()
    ]


def _entry_schema(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of the entries if it is a list, and without null if the value may be null."""
    if schema.get("type") == "array":
        return _entry_schema(schema["items"])
    options = [option for option in schema.get("anyOf", ()) if option.get("type") != "null"]
    return _entry_schema(options[0]) if len(options) == 1 else schema
