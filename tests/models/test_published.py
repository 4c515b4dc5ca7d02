"""Shapes of published networks: their weights and products are those of the publications."""

from math import prod

import pytest

from codesign.blocks import Depthwise, MatVec
from codesign.models.published import PUBLISHED


def _weighted(name):
    return [n.block for n in PUBLISHED[name]().nodes if isinstance(n.block, MatVec | Depthwise)]


# torchvision's counts without batch norm and biases: ResNet-50 25,557,032 - 53,120 - 1,000, and the
# 4,231,976 - 21,888 - 1,000 of MobileNet-v1 (1.0, 224); CNV as in FINN's model zoo.
@pytest.mark.parametrize(
    ("name", "weights", "million_products"),
    [
        ("resnet-50-w1a2", 25_502_912, 4089),
        ("mobilenet-v1-w4a4", 4_209_088, 569),
        ("cnv-w1a1", 1_542_848, 59.5),
    ],
)
def test_weights_and_products_are_those_published(name, weights, million_products):
    blocks = _weighted(name)
    assert sum(prod(b.weight.shape) for b in blocks) == weights
    products = sum(prod(b.weight.shape) * b.vectors for b in blocks)
    assert products / 1e6 == pytest.approx(million_products, rel=2e-3)


def test_widths_are_those_of_the_name():
    first, *inner, last = _weighted("resnet-50-w2a4")
    assert (first.wtype.bits, last.wtype.bits) == (8, 8)
    assert {b.wtype.bits for b in inner} == {2}
    assert {b.itype.bits for b in inner} == {4}
