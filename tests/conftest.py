"""Fixtures that several test files share."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from codesign.cost import model


def _data_folder(*names: str) -> Path:
    """CODESIGN_DATA/names[0], ...; the test skips when it is not there."""
    root = os.environ.get("CODESIGN_DATA")
    if not root:
        pytest.skip("CODESIGN_DATA is not set")
    path = Path(root).joinpath(*names)
    if not path.exists():
        pytest.skip(f"CODESIGN_DATA holds no {'/'.join(names)}")
    return path


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """Folder of the official data sets (README, "Data"); skips when CODESIGN_DATA is not set."""
    return _data_folder()


@pytest.fixture(scope="session")
def models_dir() -> Path:
    """Folder of the foreign ONNX files, CODESIGN_DATA/models; skips when it is not there."""
    return _data_folder("models")


@pytest.fixture
def coefficients(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder in the place of the package's coefficients: no family has been fitted."""
    cached = model.load_model, model.kind_model
    monkeypatch.setattr(model, "COEFFICIENTS", tmp_path)
    for one in cached:
        one.cache_clear()
    yield tmp_path
    for one in cached:
        one.cache_clear()
