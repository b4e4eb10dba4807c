import numpy as np
import torch

from ..cases import case, u32, write_cases
from .philox import normal, philox, split, uniform


def write():
    cases = []
    for k in [(3, 0), (0x12345678, 0x9ABCDEF0)]:
        word = philox(k, (0, 0, 0, 0))[0]
        cases += [
            case("uniform_between", (u32(k), -2.0, 3.0), (-2.0 + 5.0 * uniform(k),)),
            case("bernoulli", (u32(k), 0.5), (np.bool_(uniform(k) < 0.5),)),
            case("whole_below", (u32(k), 10), (np.int32(word * 10 >> 32),)),
            case("uniforms", (u32(k),), (torch.tensor([uniform(split(k, i)) for i in range(4)]),), dims={"n": 4}),
            case("normals", (u32(k),), (torch.tensor([normal(split(k, i)) for i in range(4)]),), dims={"n": 4}),
        ]
    write_cases("src/std/random.fec", "std/random", cases)
