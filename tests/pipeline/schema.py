"""schema.py - as much of JSON Schema draft 7 as pipeline files need.

Written from the specification (draft-handrews-json-schema-validation-01), so that
what `afferent schema` prints is judged by something that did not print it. A
keyword that is not known here is an error, never a pass.
"""

import re

TYPES = {"object": dict, "array": list, "string": str, "boolean": bool}
NOTES = {"$schema", "title", "description", "default"}


def type_ok(value, name):
    if name == "integer":
        return isinstance(value, int) and not isinstance(value, bool)
    if name == "number":
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    return isinstance(value, TYPES[name])


def problems(schema, value, place="file"):
    """What is wrong with the value: a list of sentences."""
    found = []
    for keyword, wanted in schema.items():
        if keyword not in NOTES:
            found += RULES[keyword](schema, wanted, value, place)
    return found


def rule_type(_, wanted, value, place):
    return [] if type_ok(value, wanted) else [f"{place}: expected {wanted}"]


def rule_enum(_, wanted, value, place):
    return [] if value in wanted else [f"{place}: none of the choices"]


def rule_const(_, wanted, value, place):
    return [] if value == wanted else [f"{place}: not {wanted}"]


def rule_pattern(_, wanted, value, place):
    return [] if not isinstance(value, str) or re.search(wanted, value) else [f"{place}: does not match {wanted}"]


def bound(compare):
    def rule(_, wanted, value, place):
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        return [f"{place}: out of range"] if is_number and not compare(value, wanted) else []
    return rule


def sized(kind, compare):
    def rule(_, wanted, value, place):
        return [f"{place}: too few or many"] if isinstance(value, kind) and not compare(len(value), wanted) else []
    return rule


def rule_any_of(_, wanted, value, place):
    ways = [problems(s, value, place) for s in wanted]
    return [] if any(not w for w in ways) else [f"{place}: no form fits ({'; '.join(w[0] for w in ways)})"]


def rule_all_of(_, wanted, value, place):
    return [p for s in wanted for p in problems(s, value, place)]


def rule_if(schema, wanted, value, place):
    return problems(schema["then"], value, place) if not problems(wanted, value, place) else []


def rule_required(_, wanted, value, place):
    return [f"{place}: {k} is missing" for k in wanted if isinstance(value, dict) and k not in value]


def rule_properties(_, wanted, value, place):
    if not isinstance(value, dict):
        return []
    return [p for k, s in wanted.items() if k in value for p in problems(s, value[k], f"{place}.{k}")]


def rule_additional(schema, wanted, value, place):
    if not isinstance(value, dict):
        return []
    extra = [k for k in value if k not in schema.get("properties", {})]
    if wanted is False:
        return [f"{place}: unknown key {k}" for k in extra]
    return [p for k in extra for p in problems(wanted, value[k], f"{place}.{k}")]


def rule_names(_, wanted, value, place):
    return [p for k in value for p in problems(wanted, k, f"{place} key")] if isinstance(value, dict) else []


def rule_items(_, wanted, value, place):
    return [p for i, v in enumerate(value) for p in problems(wanted, v, f"{place}[{i}]")] \
        if isinstance(value, list) else []


RULES = {
    "type": rule_type, "enum": rule_enum, "const": rule_const, "pattern": rule_pattern,
    "minimum": bound(lambda a, b: a >= b), "maximum": bound(lambda a, b: a <= b),
    "minItems": sized(list, lambda a, b: a >= b), "maxItems": sized(list, lambda a, b: a <= b),
    "minProperties": sized(dict, lambda a, b: a >= b), "maxProperties": sized(dict, lambda a, b: a <= b),
    "anyOf": rule_any_of, "allOf": rule_all_of, "if": rule_if, "then": lambda *_: [],
    "required": rule_required, "properties": rule_properties, "additionalProperties": rule_additional,
    "propertyNames": rule_names, "items": rule_items,
}
