import numpy as np
import torch

from ..cases import Source, case, floats, map_floats, write_cases


def write():
    s = Source(29)

    def drawn():
        return {"weight": s.normal(2, 2), "bias": s.normal(2)}

    def zeros():
        return {"weight": torch.zeros(2, 2), "bias": torch.zeros(2)}

    def trajectory(optimizer_of, state_of, steps, call):
        """Cases of consecutive steps: `call(p, g, state, step)` gives the arguments."""
        p = map_floats(drawn(), lambda t: t.requires_grad_())
        optimizer = optimizer_of(p)
        state, made = state_of(None, p), []
        for step in range(steps):
            before, g = map_floats(p, lambda t: t.detach().clone()), drawn()
            for parameter, gradient in zip(floats(p), floats(g)):
                parameter.grad = gradient
            optimizer.step()
            after = state_of(optimizer, p)
            function, args = call(before, g, state, step)
            made.append(case(function, args, (p, after), source="pytorch"))
            state = after
        return made

    def sgd(momentum, weight_decay, nesterov):
        def state_of(optimizer, p):
            if optimizer is None:
                return {"buffer": zeros()}
            if momentum == 0:  # PyTorch then keeps no buffer; ours is the gradient itself, for weight_decay is 0 as well.
                return {"buffer": map_floats(p, lambda t: t.grad)}
            return {"buffer": map_floats(p, lambda t: optimizer.state[t]["momentum_buffer"].clone())}

        settings = {"momentum": momentum, "weight_decay": weight_decay, "nesterov": nesterov}
        return trajectory(
            lambda p: torch.optim.SGD(floats(p), lr=0.1, **settings),
            state_of, 2,
            lambda p, g, state, step: ("sgd_step", (p, g, state, 0.1, momentum, weight_decay, np.bool_(nesterov))))

    def adamw(spare_vectors):
        def optimizer_of(p):
            bias = {"params": [p["bias"]], "weight_decay": 0.0 if spare_vectors else 0.05}
            groups = [{"params": [p["weight"]]}, bias]
            return torch.optim.AdamW(groups, lr=0.01, betas=(0.8, 0.95), eps=1e-6, weight_decay=0.05)

        def state_of(optimizer, p):
            if optimizer is None:
                return {"m": zeros(), "v": zeros()}
            return {
                "m": map_floats(p, lambda t: optimizer.state[t]["exp_avg"].clone()),
                "v": map_floats(p, lambda t: optimizer.state[t]["exp_avg_sq"].clone()),
            }

        return trajectory(
            optimizer_of, state_of, 3,
            lambda p, g, state, step: (
                "adamw_step", (p, g, state, step, 0.01, 0.8, 0.95, 1e-6, 0.05, np.bool_(spare_vectors))))

    def clipped(g, limit):
        tensors = [t.clone().requires_grad_() for t in floats(g)]
        for t, gradient in zip(tensors, floats(g)):
            t.grad = gradient.clone()
        norm = torch.nn.utils.clip_grad_norm_(tensors, limit)
        return {"weight": tensors[0].grad, "bias": tensors[1].grad}, norm

    average, p, g = drawn(), drawn(), drawn()
    norm = torch.cat([t.ravel() for t in floats(g)]).norm()
    write_cases("test/programs/std/optim.fec", "std/optim", [
        *sgd(0.9, 0.01, False),
        *sgd(0.9, 0.01, True),
        *sgd(0.0, 0.0, False)[:1],
        *adamw(False),
        *adamw(True)[:2],
        case("averaged", (average, p, 0.75), ({n: 0.75 * average[n] + 0.25 * p[n] for n in p},)),
        case("norm", (g,), (norm,), source="pytorch"),
        case("clipped", (g, 0.5), clipped(g, 0.5), source="pytorch"),
        case("clipped", (g, 50.0), clipped(g, 50.0), source="pytorch", note="nothing to clip"),
    ])
