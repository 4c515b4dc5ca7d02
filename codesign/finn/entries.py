"""The entries of a FINN folding file, with their defaults, and their attributes one by one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from codesign.errors import BadInput

DEFAULTS = "Defaults"
# Beyond it no FIFO of any board goes.
MOST_DEPTH = 2**31 - 1
Attributes = Mapping[str, Any]


def read_entries(path: Path) -> dict[str, Attributes]:
    """Entries by name, with the defaults that hold for them filled in; raises BadInput."""
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadInput(f"{path}: cannot be read ({error.strerror})", path=str(path)) from error
    except (ValueError, RecursionError) as error:
        raise BadInput(f"{path}: is not a JSON file ({error})", path=str(path)) from error
    if not isinstance(raw, dict) or not all(isinstance(v, dict) for v in raw.values()):
        raise BadInput(
            f"{path}: must map names of layers to their attributes, as FINN writes it",
            path=str(path),
        )
    defaults = raw.pop(DEFAULTS, {})
    return {name: {**_defaults(path, defaults, name), **own} for name, own in raw.items()}


def _defaults(path: Path, defaults: Attributes, entry: str) -> dict[str, Any]:
    """Attributes given as [value, kinds of layer or "all"], several such pairs one behind the other."""
    found = {}
    for key, rule in defaults.items():
        if not _is_rule(rule):
            raise BadInput(
                f"{path}: Defaults.{key} must be [value, layers], layers a list of names or "
                f'"all", not {rule!r}',
                path=str(path),
            )
        for value, kinds in zip(rule[::2], rule[1::2], strict=True):
            kinds = [kinds] if isinstance(kinds, str) else kinds
            if any(kind == "all" or entry.startswith(kind) for kind in kinds):
                found[key] = value
    return found


def _is_rule(rule: object) -> bool:
    if not isinstance(rule, list) or not rule or len(rule) % 2:
        return False
    return all(
        isinstance(kinds, str)
        or (isinstance(kinds, list) and all(isinstance(kind, str) for kind in kinds))
        for kinds in rule[1::2]
    )


def count_of(entry: str, key: str, attributes: Attributes) -> int | None:
    """The whole number of at least 1 under `key`; None where it is not given."""
    value = attributes.get(key)
    if value is None or (type(value) is int and value >= 1):
        return value
    raise BadInput(
        f"{entry}: {key} must be a whole number of at least 1, not {value!r}", found=value
    )


def word_of(entry: str, key: str, attributes: Attributes) -> str | None:
    """The word under `key`; None where it is not given."""
    value = attributes.get(key)
    if value is None or isinstance(value, str):
        return value
    raise BadInput(f"{entry}: {key} must be a word, not {value!r}", found=value)


def flag_of(entry: str, key: str, attributes: Attributes) -> bool:
    """The 0 or 1 (false or true) under `key`, 0 where it is not given."""
    value = attributes.get(key, 0)
    if type(value) in (bool, int) and value in (0, 1):
        return bool(value)
    raise BadInput(f"{entry}: {key} must be 0 or 1, not {value!r}", found=value)


def depths_of(entry: str, key: str, attributes: Attributes, ports: int) -> tuple[int, ...]:
    """Depths by port: a list under `key` + "s", or as FINN had it before one number for all."""
    single, value = attributes.get(key), attributes.get(f"{key}s")
    if value is None and single is not None:
        value = [single] * ports
    if value is None:
        return ()
    if isinstance(value, list) and all(type(v) is int and 0 <= v <= MOST_DEPTH for v in value):
        return tuple(value)
    raise BadInput(
        f"{entry}: {key}s must be a list of whole numbers up to {MOST_DEPTH:,}, not {value!r}",
        found=value,
    )
