"""Matrices and kernels as sums of few outer products, on NumPy."""

from __future__ import annotations

import numpy as np

SWEEPS = 200
CONVERGED = 1e-9


def svd_factors(matrix: np.ndarray, rank: int) -> tuple[np.ndarray, np.ndarray]:
    """U (O, R) and V (R, I) with the least squared error of U V against `matrix` (O, I).

    Ranks beyond the smaller side are filled with zeros.
    """
    u, s, v = np.linalg.svd(matrix, full_matrices=False)
    root, kept = np.sqrt(s[:rank]), min(rank, len(s))
    left, right = np.zeros((len(matrix), rank)), np.zeros((rank, matrix.shape[1]))
    left[:, :kept], right[:kept] = u[:, :kept] * root, v[:kept] * root[:, None]
    return left, right


def cp_factors(tensor: np.ndarray, rank: int, seed: int = 0) -> list[np.ndarray]:
    """A (O, R), B (I, R), C (k, R) with sum_r A[o, r] B[i, r] C[k, r] near `tensor` (O, I, k).

    Alternating least squares (Kolda and Bader, SIAM Review 2009, section 3.4) from random factors,
    until a sweep lowers the relative error by less than 1e-9; the columns share their norms evenly.
    """
    rng = np.random.default_rng(seed)
    factors = [rng.standard_normal((size, rank)) for size in tensor.shape]
    size, error = max(float(np.linalg.norm(tensor)), 1e-30), np.inf
    for _ in range(SWEEPS):
        for axis in range(3):
            factors[axis] = _solved(tensor, factors, axis)
        before, error = error, float(np.linalg.norm(tensor - cp_sum(factors))) / size
        if before - error < CONVERGED:
            break
    return _balanced(factors)


def cp_sum(factors: list[np.ndarray]) -> np.ndarray:
    """The tensor (O, I, k) of its factors."""
    return np.einsum("or,ir,kr->oik", *factors)


def _solved(tensor: np.ndarray, factors: list[np.ndarray], axis: int) -> np.ndarray:
    """The factor of `axis` with the least squared error beside the other two."""
    first, second = (factors[other] for other in range(3) if other != axis)
    products = (first[:, None] * second[None]).reshape(-1, first.shape[1])
    rows = np.moveaxis(tensor, axis, 0).reshape(tensor.shape[axis], -1)
    return np.linalg.lstsq(products, rows.T, rcond=None)[0].T


def _balanced(factors: list[np.ndarray]) -> list[np.ndarray]:
    norms = np.maximum([np.linalg.norm(factor, axis=0) for factor in factors], 1e-30)
    common = np.cbrt(norms.prod(0))
    return [factor / norm * common for factor, norm in zip(factors, norms, strict=True)]
