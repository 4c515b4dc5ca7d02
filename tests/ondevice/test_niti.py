"""Integer training bit for bit against plain Python integers, and what it learns."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from codesign.data.load import load_dataset
from codesign.errors import BadInput
from codesign.models.registry import MODELS
from codesign.ondevice.convert import integer_network
from codesign.ondevice.layers import Convolution, Dense, Flatten, MaxPool, Relu, Update
from codesign.ondevice.loss import output_error
from codesign.ondevice.network import IntegerNetwork
from codesign.ondevice.product import folded, matmul, unfolded
from codesign.ondevice.rounding import (
    magnitude_bits,
    shift_half_up,
    shift_pseudo_stochastic,
    shift_stochastic,
)
from codesign.quant.config import QuantConfig
from tests.ondevice import naive

MEAN = 117
VALUES = [*range(-700, 701), 2**30 + 12345, -(2**30) - 9]


@pytest.mark.parametrize("shift", range(10))
def test_roundings_are_those_of_plain_integers(shift):
    x = torch.tensor(VALUES)
    assert shift_half_up(x, shift).tolist() == [naive.half_up(v, shift) for v in VALUES]
    expected = [naive.pseudo_stochastic(v, shift) for v in VALUES]
    assert shift_pseudo_stochastic(x, shift).tolist() == expected
    noise = [(7 * i + 3) % 2**shift for i in range(len(VALUES))]
    expected = [naive.stochastic(v, shift, n) for v, n in zip(VALUES, noise, strict=True)]
    assert shift_stochastic(x, shift, torch.tensor(noise)).tolist() == expected


def test_roundings_by_hand():
    assert shift_half_up(torch.tensor([5, 6, -6, -5]), 2).tolist() == [1, 2, -2, -1]
    # 0b1011_0110: q = 0b10, r = 0b01 of the four discarded bits 0b0110 -> no: q = 1, r = 2.
    assert shift_pseudo_stochastic(torch.tensor([0b10110110]), 4).tolist() == [0b1011]
    assert shift_pseudo_stochastic(torch.tensor([0b10111001]), 4).tolist() == [0b1100]
    # Three bits 0b110: q = 0b11, r = 0b0 doubled.
    assert shift_pseudo_stochastic(torch.tensor([-0b1110]), 3).tolist() == [-2]
    assert [magnitude_bits(torch.tensor([v])) for v in (0, 1, -2, 3, 127, 128, -129)] == [
        *(0, 0, 1, 2, 7, 7, 8)
    ]


def test_stochastic_shift_is_right_on_average():
    x = torch.full((16,), 37)
    assert shift_stochastic(x, 4, torch.arange(16)).sum() == 37


@pytest.mark.parametrize("exponent", [-24, -12, -7, -6, -4, 0, 3])
def test_error_of_the_loss(exponent):
    rng = np.random.default_rng(0)
    logits = rng.integers(-127, 128, (40, 5))
    target, noise = rng.integers(0, 5, 40), rng.integers(0, 16, (40, 5))
    found = output_error(*map(torch.tensor, (logits, exponent, target, noise)))
    expected = naive.loss_error(logits.tolist(), exponent, target.tolist(), noise.tolist())
    assert found.tolist() == expected
    # 2^7 (softmax - onehot): z is floored, which moves a probability by a factor of 2 at most;
    # the series of logits below 1 is nearer.
    real = torch.tensor(logits) * 2.0**exponent
    error = real.softmax(1) - torch.nn.functional.one_hot(torch.tensor(target), 5)
    assert (found / 128 - error).abs().max() < (0.4 if exponent > -7 else 0.05)


def test_logits_too_small_to_tell_apart_are_alike():
    logits, target = torch.tensor([[127, -127, 0, 3]]), torch.tensor([2])
    found = [output_error(logits, e, target, torch.zeros(1, 4)) for e in (-24, -40, -200)]
    assert found[0].tolist() == [[32, 32, -96, 32]]
    assert all(torch.equal(one, found[0]) for one in found)


def test_products_are_exact_where_float32_is_not():
    rng = np.random.default_rng(1)
    a, b = (rng.integers(120, 128, (2, 3000)).astype(np.int8) for _ in range(2))
    exact = a.astype(np.int64) @ b.T.astype(np.int64)
    assert matmul(torch.tensor(a), torch.tensor(b).T).numpy().tolist() == exact.tolist()
    assert not np.array_equal(a.astype(np.float32) @ b.T.astype(np.float32), exact)


@pytest.mark.parametrize(("kernel", "stride", "padding"), [(3, 1, 1), (3, 2, 0), (2, 2, 1)])
def test_folding_is_the_transpose_of_unfolding(kernel, stride, padding):
    rng = np.random.default_rng(2)
    x = torch.tensor(rng.integers(-127, 128, (2, 3, 6, 6)), dtype=torch.int8)
    columns = unfolded(x, kernel, stride, padding)
    other = torch.tensor(rng.integers(-999, 999, columns.shape))
    back = folded(other, tuple(x.shape), kernel, stride, padding)
    assert (columns.long() * other).sum() == (x.long() * back).sum()


def small_network(generator):
    layers = [
        ("conv1", Convolution(2, 3, 3, 1, 1, 8)),
        ("act1", Relu()),
        ("pool1", MaxPool(2)),
        ("conv2", Convolution(3, 4, 2, 2, 1, 8)),
        ("act2", Relu()),
        ("flatten", Flatten()),
        ("logits", Dense(16, 3, 8)),
    ]
    network = IntegerNetwork(layers, 255, MEAN)
    for layer in network.weighted:
        layer.xavier(generator)
    return network


def test_a_step_is_that_of_plain_integers():
    """Sums, logits, and every weight after the update, for convolutions, pools and a matrix."""
    generator = torch.Generator().manual_seed(3)
    network = small_network(generator).train()
    x = torch.randint(0, 256, (3, 2, 5, 5), generator=generator, dtype=torch.uint8)
    target = torch.tensor([2, 0, 1])
    conv1, conv2, dense = network.weighted
    one = naive.Conv(conv1.weight.tolist(), 1, 1)
    two = naive.Conv(conv2.weight.tolist(), 2, 1)
    out = naive.Conv(dense.weight.view(3, 4, 2, 2).tolist())
    exponents = [int(layer.exponent) for layer in network.weighted]
    state = generator.get_state()
    logits = network.learn(x, target, Update(5, generator)).values

    given = (x.long() - MEAN).tolist()
    a1, s1 = naive.to_int8(one.forward(given))
    r1 = {k: max(0, v) for k, v in a1.items()}
    pooled, places = {}, {}
    for n in range(3):
        for c in range(3):
            for i in range(2):
                for j in range(2):
                    square = [(n, c, 2 * i + a, 2 * j + b) for a in (0, 1) for b in (0, 1)]
                    places[n, c, i, j] = max(square, key=lambda k: r1[k])
                    pooled[n, c, i, j] = r1[places[n, c, i, j]]
    p1 = naive.nested(pooled, (3, 3, 2, 2))
    a2, s2 = naive.to_int8(two.forward(p1))
    r2 = naive.nested({k: max(0, v) for k, v in a2.items()}, two.shape)
    a3, s3 = naive.to_int8(out.forward(r2))
    assert logits.tolist() == [[a3[n, o, 0, 0] for o in range(3)] for n in range(3)]
    ends = np.cumsum([e + s for e, s in zip(exponents, (s1, s2, s3), strict=True)]) - 8
    assert [int(layer.seen) for layer in network.weighted] == ends.tolist()

    noise = torch.randint(0, 16, (3, 3), generator=generator.set_state(state)).tolist()
    rows = naive.loss_error(logits.tolist(), int(ends[-1]), target.tolist(), noise)
    error = {(n, o, 0, 0): rows[n][o] for n in range(3) for o in range(3)}
    new3 = out.moved(out.gradient(r2, error), 5)
    error, _ = naive.to_int8(out.error_below(r2, error))
    error = {k: v if a2[k] > 0 else 0 for k, v in error.items()}
    new2 = two.moved(two.gradient(p1, error), 5)
    below, _ = naive.to_int8(two.error_below(p1, error))
    error = dict.fromkeys(a1, 0)
    for k, place in places.items():
        error[place] += below.get(k, 0)
    error = {k: v if a1[k] > 0 else 0 for k, v in error.items()}
    new1 = one.moved(one.gradient(given, error), 5)
    assert conv1.weight.tolist() == new1
    assert conv2.weight.tolist() == new2
    assert dense.weight.view(3, 4, 2, 2).tolist() == new3
    assert new1 != one.weight


def test_evaluation_has_room_for_the_largest_outputs_and_no_more():
    """The largest shifts of two layers, 8 and 7 bits, belong to different batches: they do not add up."""
    network = IntegerNetwork([("fc1", Dense(2, 2, 8)), ("fc2", Dense(2, 2, 8))], 255).train()
    one, two = network.weighted
    one.weight.copy_(torch.tensor([[100, 0], [0, 1]]))
    two.weight.copy_(torch.tensor([[1, 0], [0, 100]]))
    for pixels, shifts in (([200, 0], (8, 0)), ([0, 200], (1, 7))):
        given = network.entered(torch.tensor([pixels], dtype=torch.uint8))
        first = one(given)
        second = two(first)
        assert (first.exponent - given.exponent, second.exponent - first.exponent) == shifts
    network.fix_shifts()
    assert [int(layer.shift) for layer in network.weighted] == [8, 0]
    network.forget_shifts()
    network.fix_shifts()
    assert [int(layer.shift) for layer in network.weighted] == [0, 0]


@pytest.mark.parametrize("bits", [2, 4, 7])
def test_narrow_weights_jump_as_far_as_wide_ones_move_on_average(bits):
    """E[jump] 2^(8 - bits) = the gradient of 8 bits, shifted to mu bits."""
    layer = Dense(1000, 8, bits)
    gradient = torch.arange(-4000, 4000).view(8, 1000) * 8
    generator, total = torch.Generator().manual_seed(0), torch.zeros(8, 1000)
    for _ in range(400):
        layer.weight.zero_()
        layer.move(gradient, Update(4, generator))
        total -= layer.weight
    wide = gradient / 2.0 ** (magnitude_bits(gradient) - 4)
    mean, largest = total / 400 * 2 ** (8 - bits), 2 ** (8 - bits)
    inside = wide.abs() < largest * layer.largest
    # 400 draws of a jump: one standard deviation of their mean is below 2^(8 - bits) / 40.
    assert (mean - wide)[inside].abs().max() < 5 * largest / 40 + 0.5
    assert (mean - wide)[inside].abs().mean() < largest / 40 + 0.3
    assert layer.weight.abs().max() <= layer.largest


def nearest_mean(data) -> float:
    """Accuracy of the class whose mean image is nearest: what a network must beat."""
    x, y = (data.train.x.reshape(len(data.train), -1).astype(float), data.train.y)
    means = np.stack([x[y == k].mean(0) for k in range(data.class_count)])
    test = data.test.x.reshape(len(data.test), 1, -1)
    return float((((test - means) ** 2).sum(2).argmin(1) == data.test.y).mean())


@pytest.mark.parametrize("bits", [8, 4])
def test_digits_are_learned_in_integers(bits):
    data = load_dataset("digits")
    generator = torch.Generator().manual_seed(0)
    model = MODELS["tfc"](data.input_shape, 10, sizes=(64, 64))
    config = QuantConfig(weight_bits=bits)
    network = integer_network(model, data.input_shape, config, data.input_max, generator)
    x, y = torch.as_tensor(data.train.x), torch.as_tensor(data.train.y)
    for epoch in range(15):
        network.train().forget_shifts()
        for index in torch.randperm(len(y), generator=generator).split(64):
            network.learn(x[index], y[index], Update(5 - epoch // 5, generator))
        network.fix_shifts()
    found = network.eval().sums(torch.as_tensor(data.test.x)).values.argmax(1).numpy()
    assert (found == data.test.y).mean() > nearest_mean(data) + 0.01
    assert {p.dtype for p in network.buffers()} == {torch.int8, torch.int64}
    assert all(int(w.weight.abs().max()) <= 2 ** (bits - 1) - 1 for w in network.weighted)


@pytest.mark.parametrize(
    ("name", "options", "bits", "words"),
    [
        ("resnet", {"channels": 4}, 8, "more than a chain"),
        (
            "mobile",
            {"width": 0.25},
            8,
            "blocks.0.depthwise is a Conv2d, which must be square, without groups",
        ),
        ("tfc", {"sizes": (8,)}, 1, "2 to 8 bits, not 1"),
    ],
)
def test_networks_that_integers_cannot_train(name, options, bits, words):
    model = MODELS[name]((1, 8, 8), 10, **options)
    with pytest.raises(BadInput, match=words):
        integer_network(model, (1, 8, 8), QuantConfig(weight_bits=bits), 16, torch.Generator())


@pytest.mark.parametrize(
    ("layer", "words"),
    [
        (nn.Conv2d(1, 2, 3, padding=1, padding_mode="circular"), "padded with zeros"),
        (nn.Conv2d(1, 2, 3, padding="same"), "must be square"),
        (nn.Conv2d(1, 2, (3, 1)), "must be square"),
        (nn.MaxPool2d((2, 4)), "must be square, not overlap"),
        (nn.MaxPool2d(2, dilation=2), "must be square, not overlap"),
        (nn.ReLU6(), "ReLU6, which has no integer form"),
    ],
)
def test_layers_without_an_integer_form_are_refused(layer, words):
    model = nn.Sequential(layer, nn.Flatten(), nn.LazyLinear(10))
    model(torch.zeros(1, 1, 8, 8))
    with pytest.raises(BadInput, match=words):
        integer_network(model, (1, 8, 8), QuantConfig(), 16, torch.Generator())


def test_a_pool_of_two_equal_sides_is_square():
    model = nn.Sequential(nn.MaxPool2d((2, 2)), nn.Flatten(), nn.Linear(16, 10))
    network = integer_network(model, (1, 8, 8), QuantConfig(8, 8), 16, torch.Generator())
    assert network.layers[0].size == 2


def test_a_gradient_beyond_32_bits_is_refused():
    with pytest.raises(BadInput, match="make \\[train\\] batch smaller"):
        Dense(2, 2, 8).move(torch.full((2, 2), 2**31), Update(5, torch.Generator()))
