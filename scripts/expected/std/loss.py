import numpy as np
import torch
import torch.nn.functional as F

from ..cases import Source, case, computed, write_cases


def cross_entropy(logits, target):
    return F.cross_entropy(logits[None], target[None])


def write():
    s = Source(27)
    x = s.normal(4)
    label = torch.tensor(2)
    soft = torch.tensor([0.1, 0.2, 0.3, 0.4])
    cases = [
        case("one_hot", (label,), (F.one_hot(label, 4) * 1.0,), source="pytorch", dims={"c": 4}),
        case("smoothed", (soft, 0.1), (0.9 * soft + 0.1 / 4,)),
        computed("cross_entropy", cross_entropy, (x, soft)),
        computed("cross_entropy", cross_entropy, (1000 * x, soft), note="nothing overflows"),
        computed("nll", F.cross_entropy, (x, label)),
        case("smoothed_nll", (x, label, 0.1), (F.cross_entropy(x, label, label_smoothing=0.1),), source="pytorch"),
        computed("binary_cross_entropy", F.binary_cross_entropy_with_logits, (1.25, 0.0)),
        computed("binary_cross_entropy", F.binary_cross_entropy_with_logits, (-800.0, 1.0), gradients=False),
        computed("mse", F.mse_loss, (x, s.normal(4))),
    ]
    for logits in [x, torch.tensor([1.0, 3.0, 3.0, 2.0]), torch.tensor([0.0, 1.0, 4.0, 4.0])]:
        order = np.argsort(-logits.numpy(), kind="stable").tolist()
        cases.append(case("is_correct", (logits, label), (np.bool_(order[0] == 2),)))
        cases.append(case("is_among", (logits, label, 2), (np.bool_(2 in order[:2]),)))
    write_cases("src/std/loss.fec", "std/loss", cases)
