"""Three steps of AdamW of fec_micro on one batch, by PyTorch: test/models/training-steps.json.

The parameters are the portable ones of seed 1, the images the portable batch. A parameter whose gradient is None stays as
it is. `npx oxfmt test/models/training-steps.json` lays the file out.
"""

import json

import torch
import torch.nn.functional as F

from ..cases import ROOT
from . import fec

SIZE = 96
LABELS = [4, 7]
RATES = [0.002, 0.01, 0.005]
WEIGHT_DECAY = 0.05
LABEL_SMOOTHING = 0.1


def write():
    p = {name: t.requires_grad_() for name, t in fec.portable_weights(fec.MICRO).items()}
    images = fec.portable("input", (len(LABELS), 3, SIZE, SIZE), -2, 2)
    labels = torch.tensor(LABELS)
    decayed = [t for t in p.values() if t.dim() >= 2]
    spared = [t for t in p.values() if t.dim() < 2]
    optimizer = torch.optim.AdamW([{"params": decayed, "weight_decay": WEIGHT_DECAY},
                                   {"params": spared, "weight_decay": 0.0}])
    steps = []
    for rate in RATES:
        for group in optimizer.param_groups:
            group["lr"] = rate
        logits = fec.logits(fec.MICRO, p, images)
        loss = F.cross_entropy(logits, labels, label_smoothing=LABEL_SMOOTHING)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        steps.append({"rate": rate, "loss": loss.item(), "hits": int((logits.argmax(1) == labels).sum())})
    parameters = {}
    for name, t in p.items():
        state = optimizer.state.get(t)
        moments = None if not state else {"m": summary(state["exp_avg"]), "v": summary(state["exp_avg_sq"])}
        parameters[name] = {"value": summary(t), "moments": moments}
    expected = {"size": SIZE, "labels": LABELS, "weightDecay": WEIGHT_DECAY, "labelSmoothing": LABEL_SMOOTHING,
                "steps": steps, "parameters": parameters}
    path = ROOT / "test" / "models" / "training-steps.json"
    path.write_text(dump(expected) + "\n")


def summary(t):
    """The sum, the Euclidean norm and the middle number of a tensor."""
    flat = t.detach().flatten()
    return [flat.sum().item(), flat.norm().item(), flat[flat.numel() // 2].item()]


def dump(expected):
    """JSON with a line for each step and each parameter."""
    lines = [f'  "{key}": {json.dumps(value)}' for key, value in expected.items() if key not in ("steps", "parameters")]
    steps = ",\n".join("    " + json.dumps(step) for step in expected["steps"])
    parameters = ",\n".join(f"    {json.dumps(k)}: {json.dumps(v)}" for k, v in expected["parameters"].items())
    lines += [f'  "steps": [\n{steps}\n  ]', f'  "parameters": {{\n{parameters}\n  }}']
    return "{\n" + ",\n".join(lines) + "\n}"
