"""Networks that nobody here wrote, on real images: class for class as qonnx, at known accuracy."""

import gzip

import numpy as np
import pytest

from codesign.graph.check import check_against_qonnx
from codesign.graph.execute import execute, to_stream
from codesign.graph.load import import_model
from codesign.types import QType
from tests.graph.compared import assert_compared


def mnist(data_dir):
    """Test images (10000, 1, 28, 28) and labels, read here from the IDX files."""
    images, labels = (
        np.frombuffer(gzip.decompress((data_dir / "mnist" / name).read_bytes())[skip:], np.uint8)
        for name, skip in (("t10k-images-idx3-ubyte.gz", 16), ("t10k-labels-idx1-ubyte.gz", 8))
    )
    return images.reshape(-1, 1, 28, 28), labels


def cifar10(data_dir):
    """Test images (10000, 3, 32, 32) and labels."""
    data = (data_dir / "cifar-10-batches-bin" / "test_batch.bin").read_bytes()
    rows = np.frombuffer(data, np.uint8).reshape(-1, 3073)
    return rows[:, 1:].reshape(-1, 3, 32, 32), rows[:, 0]


@pytest.mark.parametrize(
    "name, of_first_1000, of_all", [("TFC_1W1A", 0.913, 0.9296), ("TFC_2W2A", 0.966, 0.9660)]
)
def test_tfc_on_raw_pixels(models_dir, data_dir, name, of_first_1000, of_all):
    path = models_dir / f"{name}.onnx"
    graph = import_model(path, QType(8, False), 1 / 255)
    pixels, labels = mnist(data_dir)
    classes = execute(graph, to_stream(graph.input, pixels))[:, 0]
    assert (classes == labels)[:1000].mean() == of_first_1000
    assert (classes == labels).mean() == of_all
    report = check_against_qonnx(path, graph, pixels[:1000].astype(np.float32) / np.float32(255))
    assert report.ok and not report.differences and not report.class_mismatches, report.sentence


def test_cnv_class_for_class(models_dir, data_dir):
    path = models_dir / "cifar10_cnvW1A1.onnx"
    graph = import_model(path)
    assert graph.input.qtype == QType(8)
    pixels, _ = cifar10(data_dir)
    q = np.clip(np.floor((pixels[:20] / 255 * 2 - 1) * 128), -128, 127)
    report = check_against_qonnx(path, graph, q.astype(np.float32))
    assert report.ok and not report.differences and not report.class_mismatches, report.sentence


@pytest.mark.slow
def test_cnv_accuracy(models_dir, data_dir):
    graph = import_model(models_dir / "cifar10_cnvW1A1.onnx")
    pixels, labels = cifar10(data_dir)
    q = np.clip(np.floor((pixels[:1000] / 255 * 2 - 1) * 128), -128, 127).astype(np.int8)
    classes = execute(graph, to_stream(graph.input, q))[:, 0]
    assert (classes == labels[:1000]).mean() == 0.806


@pytest.mark.parametrize(
    "name, qtype, scale",
    [
        ("kwsmlp_w3a3", None, None),
        ("unsw_nb15_mlp_w2a2", None, None),
        ("jettagging_qkeras_6bit", QType(16), 2.0**-12),
        ("radioml_vgg10_w8a8", None, None),
        ("quickdraw_cnn_8bit_qcdq", QType(8, False), 2.0**-8),
    ],
)
def test_other_networks_equal_qonnx(models_dir, name, qtype, scale):
    path = models_dir / f"{name}.onnx"
    graph = import_model(path, qtype, scale)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(4, *graph.input.onnx_shape)) * (20 if name[0] == "k" else 1)
    if graph.input.qtype.step == 2:
        x = np.sign(x)
    elif qtype is not None:
        x = np.clip(np.rint(x / scale), qtype.min, qtype.max) * scale
    assert_compared(path, graph, x.astype(np.float32), exact=False)
