"""`name=value` on the command line, read by the shape of what an order or a query takes."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import inspect as shapes

from liftgate.commands.common import USAGE, Trouble
from liftgate.commands.words import hex_bytes
from liftgate.configs.problems import suggestion

CREDENTIALS = {"qr": 1, "card": 2, "plate": 4}
"""Short for kind and token, as in `card=04DE5F1EACC040`."""


def read_fields(words: Sequence[str], shape: type[msgspec.Struct]) -> dict[str, Any]:
    """The args for `shape` out of `name=value` words: bytes in hex, text as it stands, the rest as JSON.

    Raises Trouble for a name that is not there and a value that cannot be read; ranges are the engine's.
    """
    known = {field.encode_name: field.type for field in _fields_of(shape)}
    args: dict[str, Any] = {}
    for word in words:
        name, equals, text = word.partition("=")
        if not equals:
            raise Trouble(f"{word!r} is not name=value", USAGE)
        if name in CREDENTIALS and "token" in known:
            args["kind"] = CREDENTIALS[name]
            args["token"] = hex_bytes(text) if name == "card" else text.encode()
        elif name in known:
            args[name] = _value(name, text, known[name])
        else:
            hint = suggestion(name, known) or f"; it takes {', '.join(known)}"
            raise Trouble(f"there is no {name}{hint}", USAGE)
    return args


def described(name: str, shape: type[Any]) -> list[str]:
    """What to print of an order or a query: its name, what it does, and a line for each field."""
    lines = [f"{name}: {inspect.cleandoc(shape.__doc__ or '')}"]
    for field in _fields_of(shape):
        needed = "" if field.required else f" (default: {_default(field)})"
        lines.append(f"  {field.encode_name:14} {_words(field.type)}{needed}")
    return lines


def _default(field: shapes.Field) -> Any:
    if field.default is not msgspec.NODEFAULT:
        return field.default
    return field.default_factory() if callable(field.default_factory) else None


def _fields_of(shape: type[Any]) -> tuple[shapes.Field, ...]:
    info = shapes.type_info(shape)
    assert isinstance(info, shapes.StructType)
    return info.fields


def _value(name: str, text: str, kind: shapes.Type) -> Any:
    """Text for a field that takes text and no bytes is text, whatever it looks like."""
    takes = kind.types if isinstance(kind, shapes.UnionType) else (kind,)
    if text == "null" and any(isinstance(each, shapes.NoneType) for each in takes):
        return None
    if any(isinstance(each, shapes.BytesType) for each in takes):
        return read_hex(name, text)
    if any(isinstance(each, shapes.StrType | shapes.LiteralType | shapes.EnumType) for each in takes):
        return text
    try:
        value = msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        raise Trouble(f"{name}={text}: {_words(kind)} is written as JSON: {error}", USAGE) from error
    return _with_bytes(name, value, kind)


def _with_bytes(name: str, value: Any, kind: shapes.Type) -> Any:
    """JSON has no bytes: where the shape has some, hex digits stand for them."""
    if isinstance(kind, shapes.UnionType):
        for each in kind.types:
            value = _with_bytes(name, value, each)
        return value
    if isinstance(kind, shapes.BytesType) and isinstance(value, str):
        return read_hex(name, value)
    if isinstance(value, list):
        return [_with_bytes(name, item, _item(kind, place)) for place, item in enumerate(value)]
    if isinstance(value, dict) and isinstance(kind, shapes.DictType):
        return {key: _with_bytes(name, item, kind.value_type) for key, item in value.items()}
    if isinstance(value, dict) and isinstance(kind, shapes.StructType):
        inner = {field.encode_name: field.type for field in kind.fields}
        return {key: _with_bytes(name, item, inner.get(key, kind)) for key, item in value.items()}
    return value


def _item(kind: shapes.Type, place: int) -> shapes.Type:
    if isinstance(kind, shapes.TupleType):
        return kind.item_types[min(place, len(kind.item_types) - 1)]
    return getattr(kind, "item_type", kind)


def read_hex(name: str, text: str) -> bytes:
    """Bytes as people write them, with or without : and -. Raises Trouble."""
    try:
        return bytes.fromhex(text.replace(":", "").replace("-", ""))
    except ValueError as error:
        raise Trouble(f"{name}={text}: bytes are written in hex digits", USAGE) from error


def _words(kind: shapes.Type) -> str:
    """The type for people."""
    if isinstance(kind, shapes.UnionType):
        return " or ".join(_words(each) for each in kind.types)
    if isinstance(kind, shapes.LiteralType):
        return " | ".join(map(str, kind.values))
    if isinstance(kind, shapes.StructType):
        return "{" + ", ".join(field.encode_name for field in kind.fields) + "}"
    if isinstance(kind, shapes.VarTupleType | shapes.ListType):
        return f"[{_words(kind.item_type)}, …]"
    if isinstance(kind, shapes.TupleType):
        return f"[{', '.join(map(_words, kind.item_types))}]"
    if isinstance(kind, shapes.DictType):
        return f"{{{_words(kind.key_type)}: {_words(kind.value_type)}}}"
    names = {"bytes": "hex digits", "str": "text", "int": "number", "bool": "true or false", "none": "null"}
    plain = type(kind).__name__.removesuffix("Type").lower()
    return names.get(plain, plain)
