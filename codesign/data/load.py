"""`load_dataset`: by name, from a file or folder of the user, or from a function of the user."""

from __future__ import annotations

import os
from pathlib import Path

from codesign.data import arrays, cifar10, digits, idx, imagenet
from codesign.data.dataset import Dataset, Source
from codesign.errors import BadInput
from codesign.strict import nearest

# name -> (reader of a folder, folders it may lie in below the data folder)
FORMATS = {
    "mnist": (idx.read_mnist, ("mnist", "MNIST/raw")),
    "fashion-mnist": (idx.read_fashion_mnist, ("fashion-mnist", "FashionMNIST/raw")),
    "cifar-10": (cifar10.read_cifar10, ("cifar-10-batches-bin", "cifar-10-batches-py")),
    "imagenet": (imagenet.read_imagenet, ("imagenet",)),
}


def dataset_names() -> list[str]:
    """Names that `load_dataset` knows; "digits" needs no files."""
    return ["digits", *FORMATS]


def load_dataset(
    name: str,
    data_dir: str | Path | None = None,
    validation_fraction: float = 0.1,
    seed: int = 0,
    limit: int | None = None,
) -> Dataset:
    """Read a data set; the validation part is a seeded, stratified part of the training images.

    `name` is one of `dataset_names()`, the path of an .npz file or of a folder (see `arrays`), or
    "module:function". Official files are looked for below `data_dir`, or CODESIGN_DATA. `limit`
    keeps at most that many samples of each part; of the test part the first ones.

    Raises BadInput for an unknown name, missing files and files that are not what they must be.
    """
    data = _source(name, data_dir).split(validation_fraction, seed)
    if limit is None:
        return data
    if limit < 1:
        raise BadInput(f"data limit must be at least 1, found {limit}", key="limit", found=limit)
    return data.limited(limit, seed)


def _source(name: str, data_dir: str | Path | None) -> Source:
    if name == "digits":
        return digits.read_digits()
    if name in FORMATS:
        read, places = FORMATS[name]
        return read(_folder(name, data_dir, places))
    if ":" in name and not Path(name).exists():
        return arrays.call(name)
    if "/" in name or name.endswith(".npz") or Path(name).is_dir():
        return arrays.read(Path(name))
    raise BadInput(
        f"data set {name!r} is not known{nearest(name, dataset_names())} "
        '(or give an .npz file, a folder, or "module:function")',
        data=name,
        known=dataset_names(),
    )


def _folder(name: str, data_dir: str | Path | None, places: tuple[str, ...]) -> Path:
    """The folder below the data folder (or that folder itself) that holds the files of `name`."""
    root = data_dir or os.environ.get("CODESIGN_DATA")
    if not root:
        raise BadInput(
            f"data set {name} needs its files: give --data DIR or set CODESIGN_DATA to the folder "
            f"that holds {places[0]}/ (digits needs none)",
            data=name,
        )
    root = Path(root)
    below = [root / place for place in places if (root / place).is_dir()]
    if below:
        return below[0]
    if any(root.resolve().as_posix().endswith(f"/{place}") for place in places) and root.is_dir():
        return root
    raise BadInput(
        f"{root}: must hold {' or '.join(f'{place}/' for place in places)} for data set {name}, "
        f"found {'no such folder in it' if root.is_dir() else 'no such folder'}",
        data=name,
        path=str(root),
    )
