"""A short text that tells one row's job from another."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterator

import msgspec


def job_id(job: object) -> str:
    """Twelve digits that change with any value of `job` which is not its field's default.

    So a field that a later version adds leaves the jobs before it as they were.
    """
    text = msgspec.json.encode(essence(job), order="deterministic")
    return hashlib.sha256(text).hexdigest()[:12]


def essence(value: object) -> object:
    """`value` as plain lists and mappings, without the fields that have their default."""
    if isinstance(value, msgspec.Struct) or dataclasses.is_dataclass(value):
        return {name: essence(own) for name, own in _changed(value)}
    if isinstance(value, dict):
        return {key: essence(own) for key, own in value.items()}
    if isinstance(value, list | tuple):
        return [essence(own) for own in value]
    return value


def _changed(value: object) -> Iterator[tuple[str, object]]:
    is_struct = isinstance(value, msgspec.Struct)
    fields = msgspec.structs.fields(value) if is_struct else dataclasses.fields(value)
    for field in fields:
        own = getattr(value, field.name)
        if own != _default(field):
            yield field.name, own


def _default(field: object) -> object:
    made = (msgspec.NODEFAULT, dataclasses.MISSING)
    return field.default_factory() if field.default_factory not in made else field.default
