"""The user's own arrays: .npz, folder and function give the same data set."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from codesign.data import Dataset, load_dataset


def arrays(test: bool = True) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(3)
    made = {
        "x_train": rng.integers(0, 256, (60, 2, 5, 4), dtype=np.uint8),
        "y_train": np.arange(60) % 3,
    }
    if test:
        made |= {"x_test": made["x_train"][:6] // 2, "y_test": np.arange(6) % 3}
    return made


def whole(data: Dataset) -> np.ndarray:
    return np.sort(np.concatenate([data.train.x, data.validation.x]).reshape(-1, 40), axis=0)


def test_npz_keeps_the_users_test_part(tmp_path: Path) -> None:
    np.savez(tmp_path / "mine.npz", **arrays())
    data = load_dataset(str(tmp_path / "mine.npz"))
    assert data.name == "mine" and data.classes == ("0", "1", "2")
    assert np.array_equal(data.test.x, arrays()["x_test"])
    assert np.array_equal(whole(data), np.sort(arrays()["x_train"].reshape(-1, 40), axis=0))


def test_without_a_test_part_a_fifth_is_set_aside(tmp_path: Path) -> None:
    np.savez(tmp_path / "mine.npz", **arrays(test=False))
    data = load_dataset(str(tmp_path / "mine.npz"))
    assert np.bincount(data.test.y).tolist() == [4, 4, 4]
    assert len(data.train) + len(data.validation) == 48


def test_a_folder_of_npy_or_of_several_npz_is_the_same(tmp_path: Path) -> None:
    made = arrays()
    npy, npz = tmp_path / "npy", tmp_path / "npz"
    npy.mkdir(), npz.mkdir()
    for key, value in made.items():
        np.save(npy / f"{key}.npy", value)
    np.savez(npz / "a.npz", x_train=made["x_train"][:20], y_train=made["y_train"][:20])
    np.savez(npz / "b.npz", **(made | {k: made[k][20:] for k in ("x_train", "y_train")}))
    one, two = load_dataset(str(npy)), load_dataset(str(npz))
    assert np.array_equal(one.train.x, two.train.x) and np.array_equal(one.test.y, two.test.y)


def test_a_function_in_the_current_folder_gives_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "my_own_data.py").write_text(
        "import numpy as np\n"
        "def load():\n"
        "    x = np.arange(80).reshape(20, 4) % 4\n"
        "    return dict(x_train=x, y_train=np.arange(20) % 2, input_max=3, classes=['a', 'b'])\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    data = load_dataset("my_own_data:load")
    assert data.input_shape == (4, 1, 1) and data.classes == ("a", "b") and data.input_max == 3


def test_greyscale_without_a_channel_gets_one(tmp_path: Path) -> None:
    np.savez(tmp_path / "g.npz", x_train=np.zeros((10, 7, 6), int), y_train=np.arange(10) % 2)
    assert load_dataset(str(tmp_path / "g.npz")).input_shape == (1, 7, 6)
