"""Scalar centroids: weights share the 2^b values of a codebook found by k-means."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from codesign.quant.codebook import Codebook
from codesign.quant.given_width import StraightThrough

FIRST_ROUNDS, ROUNDS, PERIOD_STEPS = 20, 3, 50


def nearest(x: Tensor, centroids: Tensor) -> Tensor:
    """Index of the nearest of the rising `centroids` for every element."""
    return torch.bucketize(x, (centroids[1:] + centroids[:-1]) / 2)


def k_means(x: Tensor, centroids: Tensor, rounds: int) -> Tensor:
    """Lloyd's algorithm from rising `centroids`; one that no element is nearest to stays."""
    for _ in range(rounds):
        codes = nearest(x, centroids)
        count = torch.bincount(codes, minlength=len(centroids))
        total = torch.zeros_like(centroids).index_add_(0, codes, x)
        centroids = torch.where(count > 0, total / count.clamp(min=1), centroids).sort().values
    return centroids


def first_centroids(x: Tensor, count: int) -> Tensor:
    """Equally spaced from the least to the largest, then k-means."""
    ends = torch.linspace(0, 1, count, device=x.device)
    return k_means(x, x.min() + (x.max() - x.min()) * ends, FIRST_ROUNDS)


class CentroidQuantiser(Codebook):
    """W = c_k with |W - c_k| least; every 50 steps k-means finds the 2^b centroids c anew.

    Scalar centroids of a QAT benchmark: latent weights get the whole gradient, straight-through,
    and the codebook of the layer follows them. Between, weights go to the nearest centroid.
    """

    legal = range(1, 9)
    own_sign = True
    one_scale = True

    def add_state(self, bits: int) -> None:
        super().add_state(bits)
        self.register_buffer("centroids", torch.zeros(2**bits))
        self.register_buffer("age_steps", torch.zeros((), dtype=torch.long))

    def set_bits(self, bits: int) -> None:
        super().set_bits(bits)
        self.centroids = torch.zeros(2**bits, device=self.centroids.device)
        self.recalibrate()

    @torch.no_grad()
    def follow(self, x: Tensor) -> None:
        """First centroids, or those of another period."""
        if not self.calibrated:
            self.centroids = first_centroids(x.flatten(), len(self.centroids))
            self.calibrated.fill_(True)
        elif self.training:
            self.age_steps += 1
            if self.age_steps % PERIOD_STEPS == 0:
                self.centroids = k_means(x.flatten(), self.centroids, ROUNDS)

    def quantise(self, x: Tensor) -> Tensor:
        self.follow(x)
        with torch.no_grad():
            y = self.placed(self.centroids)[nearest(x, self.centroids)]
        return StraightThrough.apply(x, y, None)

    def _load_from_state_dict(self, state: dict[str, Any], prefix: str, *rest: Any) -> None:
        """The codebook may have another width."""
        if f"{prefix}centroids" in state:
            self.centroids = torch.empty_like(state[f"{prefix}centroids"])
        super()._load_from_state_dict(state, prefix, *rest)


class SharedFunction(torch.autograd.Function):
    """The placed centroids by code; dc_k is the sum of the gradients of all weights of code k."""

    @staticmethod
    def forward(ctx, centroids: Tensor, placed: Tensor, codes: Tensor) -> Tensor:
        ctx.save_for_backward(codes)
        ctx.count = len(centroids)
        return placed[codes]

    @staticmethod
    def backward(ctx, grad: Tensor) -> tuple[Tensor, None, None]:
        (codes,) = ctx.saved_tensors
        sums = torch.zeros(ctx.count, dtype=grad.dtype, device=grad.device)
        return sums.index_add_(0, codes.flatten(), grad.flatten()), None, None


class SharedQuantiser(Codebook):
    """W = c_k with k found by k-means once; the centroids are trained, dc_k = sum of dW over code k.

    "Deep Compression" (Han, Mao and Dally, ICLR 2016): begin with trained weights, whose codes stay.
    The latent weights get no gradient.
    """

    legal = range(1, 9)
    own_sign = True
    one_scale = True

    def add_state(self, bits: int) -> None:
        super().add_state(bits)
        self.centroids = nn.Parameter(torch.zeros(2**bits))
        self.register_buffer("codes", torch.zeros(1, dtype=torch.long))

    def set_bits(self, bits: int) -> None:
        super().set_bits(bits)
        self.centroids = nn.Parameter(torch.zeros(2**bits, device=self.centroids.device))
        self.recalibrate()

    def own_parameters(self) -> tuple[nn.Parameter, ...]:
        """None: centroids have either sign and are trained with the network."""
        return ()

    @torch.no_grad()
    def calibrate_once(self, x: Tensor) -> None:
        """Centroids and codes of the first weights that are trained, or of those seen before."""
        if not self.calibrated:
            found = first_centroids(x.flatten(), len(self.centroids))
            self.centroids.copy_(found)
            self.codes = nearest(x, found)
            self.calibrated.fill_(self.training)

    def quantise(self, x: Tensor) -> Tensor:
        self.calibrate_once(x)
        return SharedFunction.apply(self.centroids, self.placed(self.centroids), self.codes)

    def _load_from_state_dict(self, state: dict[str, Any], prefix: str, *rest: Any) -> None:
        """Codes get the shape of the weights when they are found."""
        if f"{prefix}codes" in state:
            self.codes = torch.empty_like(state[f"{prefix}codes"])
        super()._load_from_state_dict(state, prefix, *rest)
