import torch

from ..cases import Source, computed, write_cases
from ..examples.mlp import linear, mlp


def write():
    s = Source(22)
    p = {
        "fc1": {"weight": s.normal(3, 2), "bias": s.normal(3)},
        "fc2": {"weight": s.normal(2, 3), "bias": s.normal(2)},
    }
    write_cases("src/std/nn.fec", "std/nn", [
        computed("linear", linear, (p["fc1"], s.normal(2))),
        computed("mlp", mlp, (p, s.normal(2))),
        computed("embedding", lambda p, i: p["weight"][i], ({"weight": s.normal(4, 3)}, torch.tensor(2))),
    ])
