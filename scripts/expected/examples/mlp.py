import torch
import torch.nn.functional as F

from ..cases import Source, computed, floats, map_floats, write_cases


def linear(p, x):
    return F.linear(x, p["weight"], p["bias"])


def mlp(p, x):
    return linear(p["fc2"], F.gelu(linear(p["fc1"], x)))


def loss(p, x, y):
    return F.mse_loss(mlp(p, x), y)


def step(p, x, y, lr):
    p = map_floats(p, lambda t: t.detach().clone().requires_grad_())
    value = loss(p, x, y)
    gradients = list(torch.autograd.grad(value, floats(p)))
    return value, map_floats(p, lambda t: t - lr * gradients.pop(0))


def write():
    s = Source(5)
    p = {
        "fc1": {"weight": s.normal(4, 3), "bias": s.normal(4)},
        "fc2": {"weight": s.normal(2, 4), "bias": s.normal(2)},
    }
    x, y = s.normal(5, 3), s.normal(5, 2)
    write_cases("examples/mlp.fec", "mlp", [
        computed("linear", linear, (p["fc1"], x[0])),
        computed("mlp", mlp, (p, x[0])),
        computed("loss", loss, (p, x, y)),
        computed("step", step, (p, x, y, 0.1), gradients=False),
    ])
