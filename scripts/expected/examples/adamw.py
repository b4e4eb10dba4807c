import torch

from ..cases import Source, case, write_cases


def write():
    s = Source(6)
    w = s.normal(3, 2).requires_grad_()
    optimizer = torch.optim.AdamW([w], lr=0.01, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.05)
    moments = {"m": torch.zeros(3, 2), "v": torch.zeros(3, 2)}
    cases = []
    for step in range(3):
        before, w.grad = w.detach().clone(), s.normal(3, 2)
        optimizer.step()
        state = optimizer.state[w]
        after = {"m": state["exp_avg"].clone(), "v": state["exp_avg_sq"].clone()}
        cases.append(case("adamw", (before, w.grad, moments, step, 0.01, 0.05), (w, after), source="pytorch"))
        moments = after
    write_cases("examples/adamw.fec", "adamw", cases)
