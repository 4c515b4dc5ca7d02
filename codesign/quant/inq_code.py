"""INQ's variable-length code: one bit for zero, b bits for a power of two with its sign.

"0" is the value 0; "1", a sign bit and b - 2 bits of exponent over n2 are the others (Zhou et al.,
ICLR 2017, section 2.1).
"""

from __future__ import annotations

import numpy as np

from codesign.errors import BadInput


def code_bits(weights: np.ndarray, bits: int) -> int:
    """Length of the code of all `weights` at `bits` bits (b >= 2), without writing it."""
    zeros = int((weights == 0).sum())
    return zeros + (weights.size - zeros) * bits


def encode(weights: np.ndarray, least: int, bits: int) -> bytes:
    """Code of `weights`, each 0 or +-2^e with n2 = `least` <= e < n2 + 2^(b-2), zeros to the byte.

    Raises BadInput for any other value.
    """
    flat = np.asarray(weights, dtype=np.float64).ravel()
    mantissa, exponent = np.frexp(np.abs(flat))
    index = np.where(flat == 0, 0, exponent - 1 - least)
    wrong = (flat != 0) & ((mantissa != 0.5) | (index < 0) | (index >= 2 ** (bits - 2)))
    if wrong.any():
        raise BadInput(
            f"INQ's code of {bits} bits holds 0 and powers of two from 2^{least} to "
            f"2^{least + 2 ** (bits - 2) - 1}, found {flat[wrong][0]}; quantise the weights first",
            found=float(flat[wrong][0]),
        )
    shifts = np.arange(bits - 3, -1, -1)
    columns = [flat != 0, flat < 0, *((index[:, None] >> shifts) & 1).T]
    words = np.stack(columns, axis=1).astype(np.uint8)
    used = np.ones_like(words, dtype=bool)
    used[flat == 0, 1:] = False
    return np.packbits(words[used]).tobytes()


def decode(code: bytes, count: int, least: int, bits: int) -> np.ndarray:
    """The `count` weights of a code as float64; raises BadInput where it ends too early."""
    stream = np.unpackbits(np.frombuffer(code, dtype=np.uint8)).tolist()
    weights, at = np.zeros(count), 0
    for number in range(count):
        word = stream[at : at + bits]
        if not word or (word[0] and len(word) < bits):
            raise BadInput(f"the code ends at weight {number} of {count}", found=number)
        if word[0]:
            index = int("".join(map(str, word[2:])) or "0", 2)
            weights[number] = (-1) ** word[1] * 2.0 ** (least + index)
        at += bits if word[0] else 1
    return weights
