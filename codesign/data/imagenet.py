"""ImageNet as it lies on disk: a folder for each class, below train/ and val/."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from codesign.data.dataset import Source, Split
from codesign.data.image_files import ImageFiles
from codesign.errors import BadInput

SUFFIXES = frozenset((".jpeg", ".jpg", ".png"))
# Of the training part, as torchvision's recipes use them.
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def read_imagenet(folder: Path) -> Source:
    """Pictures train/<class>/<name>.JPEG and val/<class>/<name>.JPEG (ILSVRC 2012, or any like it).

    They stay in their files. Raises BadInput where a folder or its pictures are missing, and where
    the two parts have other classes.
    """
    classes = _classes(folder / "train")
    train, test = (_split(folder / part, classes) for part in ("train", "val"))
    return Source("imagenet", train, test, classes, 255, MEAN, STD)


def _classes(folder: Path) -> tuple[str, ...]:
    if not folder.is_dir():
        raise BadInput(
            f"{folder}: no such folder; it must hold a folder of pictures for each class",
            path=str(folder),
        )
    found = tuple(sorted(entry.name for entry in folder.iterdir() if entry.is_dir()))
    if len(found) < 2:
        raise BadInput(
            f"{folder}: must hold a folder for each class, at least two; found {len(found)}",
            path=str(folder),
        )
    return found


def _split(folder: Path, classes: tuple[str, ...]) -> Split:
    if _classes(folder) != classes:
        raise BadInput(
            f"{folder}: must have the classes of train/ ({len(classes)}), found "
            f"{len(_classes(folder))} or other names; sort its pictures into folders by class",
            path=str(folder),
        )
    members = [_pictures(folder / name) for name in classes]
    paths = np.array([path for own in members for path in own], dtype=object)
    return Split(ImageFiles(paths), np.repeat(np.arange(len(classes)), [len(m) for m in members]))


def _pictures(folder: Path) -> list[Path]:
    found = sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)
    if not found:
        raise BadInput(
            f"{folder}: holds no pictures ({', '.join(sorted(SUFFIXES))})", path=str(folder)
        )
    return found
