"""The user's own Python objects, named "package.module:name" in a recipe or on the command line."""

from __future__ import annotations

import importlib
import os
import sys

from codesign.errors import BadInput


def import_object(spec: str, what: str) -> object:
    """Import what `spec` ("package.module:name") names, also from the current folder.

    `what` is the key or option it was given for. Raises BadInput when it cannot be imported.
    """
    module_name, _, name = spec.partition(":")
    if not all(module_name.split(".")) or not name:
        raise BadInput(f'{what}: must be "package.module:name", found {spec!r}', found=spec)
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    try:
        found: object = importlib.import_module(module_name)
        for part in name.split("."):
            found = getattr(found, part)
    except Exception as error:  # the user's module may fail in any way
        raise BadInput(
            f"{what}: {spec} cannot be imported ({type(error).__name__}: {error}); the module must "
            "be installed or lie in the current folder",
            found=spec,
        ) from error
    return found
