"""Rules of a record's fields, checked as it is made, in words that a recipe's reader understands."""

from __future__ import annotations

from codesign.strict import nearest

# (key, what was found, whether the rule holds, what it must be)
Rule = tuple[str, object, bool, str]


def choice(key: str, found: str, legal: tuple[str, ...]) -> Rule:
    """`found` must be one of `legal`."""
    hint = "" if found in legal else f" ({nearest(found, list(legal)).removeprefix('; ')})"
    return key, found, found in legal, f"one of {', '.join(legal)}{hint}"


def require(*rules: Rule) -> None:
    """Raise ValueError, which the strict reader turns into BadInput, for the first broken rule."""
    for key, found, holds, rule in rules:
        if not holds:
            raise ValueError(f"{key} must be {rule}, found {found!r}")
