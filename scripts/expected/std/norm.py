import torch
import torch.nn.functional as F

from ..cases import Source, case, computed, write_cases


def write():
    s = Source(25)

    def affine(n):
        return {"weight": s.positive(n), "bias": s.normal(n)}

    def group_norm(groups):
        return lambda p, x: F.group_norm(x[None], groups, p["weight"], p["bias"], 1e-5)[0]

    def layer_norm(p, x):
        return F.layer_norm(x, (x.shape[-1],), p["weight"], p["bias"], 1e-5)

    def channel_norm(p, x):
        return layer_norm(p, x.permute(1, 2, 0)).permute(2, 0, 1)

    def batch_norm_training(p, r, x, momentum):
        moved = {name: t.detach().clone() for name, t in r.items()}
        # PyTorch moves the statistics in place.
        mean, variance = moved["running_mean"], moved["running_var"]
        return F.batch_norm(x, mean, variance, p["weight"], p["bias"], True, momentum, 1e-5), moved

    def batch_norm(p, r, x):
        mean, variance = r["running_mean"].detach(), r["running_var"].detach()
        return F.batch_norm(x[None], mean, variance, p["weight"], p["bias"], False, 0.0, 1e-5)[0]

    cases = [
        computed("layer_norm", layer_norm, (affine(5), s.normal(5))),
        computed("channel_norm", channel_norm, (affine(3), s.normal(3, 2, 2))),
    ]
    for groups, note in [(1, None), (2, None), (4, "instance norm")]:
        args = (affine(4), s.normal(4, 2, 2))
        cases.append(computed("group_norm", group_norm(groups), args, dims={"groups": groups}, note=note))

    # Two steps of training, then inference with the statistics that they left.
    p = affine(2)
    running = {"running_mean": torch.zeros(2), "running_var": torch.ones(2)}
    for _ in range(2):
        x = s.normal(3, 2, 1, 2)
        y, moved = batch_norm_training(p, running, x, 0.1)
        cases.append(case("batch_norm_training", (p, running, x, 0.1), (y, moved), source="pytorch"))
        running = moved
    cases.append(computed("batch_norm", batch_norm, (p, running, s.normal(2, 2, 2)), gradients=False))
    write_cases("src/std/norm.fec", "std/norm", cases)

    # The gradient through the batch's own statistics, the returned ones left out.
    def normalised(p, x):
        return F.batch_norm(x, None, None, p["weight"], p["bias"], True, 0.1, 1e-5)

    cases = [computed("normalised", normalised, (p, s.normal(3, 2, 1, 2)))]
    write_cases("test/programs/std/norm.fec", "std/norm-use", cases)
