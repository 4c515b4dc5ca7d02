"""TOML files read strictly into frozen structs; a mistake is named with its file, key and cure.

A struct states its own rules in `__post_init__` as ValueError("KEY must be RULE, found VALUE").
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterator
from math import isfinite
from pathlib import Path
from typing import TypeVar

import msgspec

from codesign.errors import BadInput

T = TypeVar("T")


def nearest(wrong: str, known: list[str]) -> str:
    """`; did you mean ...?` for the closest of `known`, or `; known: ...` when none is close."""
    close = difflib.get_close_matches(wrong, known, n=3, cutoff=0.5)
    if close:
        return f"; did you mean {', '.join(close)}?"
    return f"; known: {', '.join(known)}" if known else ""


def load_toml(path: Path, kind: type[T]) -> T:
    """Read the TOML file `path` as a `kind` (a msgspec struct with forbid_unknown_fields).

    Raises BadInput that names the file, the key, what was found and what must hold.
    """
    try:
        raw = tomllib.loads(Path(path).read_text(encoding="utf-8"))
        for key, found in _endless(raw):
            raise BadInput(f"{path}: {key} must be finite, found {found}", path=str(path), key=key)
        return msgspec.convert(raw, kind)
    except OSError as error:
        raise BadInput(f"{path}: cannot be read ({error.strerror})", path=str(path)) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"{path}: is not a TOML file ({error})", path=str(path)) from error
    except msgspec.ValidationError as error:
        raise _mistake(path, raw, kind, str(error)) from error


def _endless(value: object, key: str = "") -> Iterator[tuple[str, float]]:
    """(key, value) of every number that is infinite or none at all: TOML has words for them."""
    if isinstance(value, float) and not isfinite(value):
        yield key, value
    members = value.items() if isinstance(value, dict) else ()
    members = enumerate(value) if isinstance(value, list) else members
    for name, member in members:
        yield from _endless(member, f"{key}.{name}" if key else str(name))


def _mistake(path: Path, raw: dict, kind: type, text: str) -> BadInput:
    """Put msgspec's sentence (`what - at `$.a.b``) into the words of a user."""
    what, _, place = text.partition(" - at `$")
    parts = [p for p in re.split(r"[.\[\]]", place.rstrip("`")) if p and p != "..."]
    named = re.search(r"(unknown|required) field `(.+?)`", what)
    if named is None:
        return _wrong_value(path, raw, parts, what)
    name = named.group(2)
    key = ".".join([*parts, name])
    if named.group(1) == "required":
        return BadInput(
            f"{path}: key {key!r} is missing and must be given", path=str(path), key=key
        )
    hint = nearest(name, _field_names(kind, parts))
    return BadInput(f"{path}: key {key!r} is not known{hint}", path=str(path), key=key)


def _wrong_value(path: Path, raw: dict, parts: list[str], what: str) -> BadInput:
    """A wrong type (msgspec's words) or a broken rule of the struct (`KEY must be ..., found ...`)."""
    name, is_rule, _ = what.partition(" must be ")
    if is_rule:
        key = ".".join([*parts, name])
        return BadInput(f"{path}: {'.'.join([*parts, what])}", path=str(path), key=key)
    key, found = ".".join(parts), _lookup(raw, parts)
    shown = "" if isinstance(found, dict) else f", found {found!r}"
    return BadInput(f"{path}: key {key!r}: {what}{shown}", path=str(path), key=key, found=found)


def _lookup(raw: object, parts: list[str]) -> object:
    """The value that `parts` lead to, as far as they lead."""
    for part in parts:
        if isinstance(raw, dict) and part in raw:
            raw = raw[part]
        elif isinstance(raw, list) and part.isdigit():
            raw = raw[int(part)]
    return raw


def _field_names(kind: object, parts: list[str]) -> list[str]:
    """Keys that the struct found along `parts` has; empty where the way leaves plain structs."""
    for part in parts:
        kind = {f.encode_name: f.type for f in _fields(kind)}.get(part)
    return [f.encode_name for f in _fields(kind)]


def _fields(kind: object) -> tuple[msgspec.structs.FieldInfo, ...]:
    is_struct = isinstance(kind, type) and issubclass(kind, msgspec.Struct)
    return msgspec.structs.fields(kind) if is_struct else ()
