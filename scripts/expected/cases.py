"""Cases and their encoding; test/programs/README.md describes the format."""

import json
from pathlib import Path

import numpy as np
import torch

ROOT = Path(__file__).resolve().parents[2]

torch.set_default_dtype(torch.float64)


class Source:
    """Small numbers of two decimals, always the same for one seed."""

    def __init__(self, seed):
        self.generator = np.random.RandomState(seed)

    def normal(self, *shape):
        return torch.tensor(np.round(self.generator.standard_normal(shape), 2))

    def positive(self, *shape):
        return torch.tensor(np.round(self.generator.uniform(0.5, 1.5, shape), 2))


def u32(values):
    return np.asarray(values, dtype=np.uint32)


def encode(value):
    """A Python value by the file format: dict as struct, tuple as tuple, list as list, all else as a tensor."""
    if isinstance(value, dict):
        return {"struct": {name: encode(field) for name, field in value.items()}}
    if isinstance(value, tuple):
        return {"tuple": [encode(item) for item in value]}
    if isinstance(value, list):
        return {"list": [encode(item) for item in value]}
    if isinstance(value, torch.Tensor):
        value = value.detach().numpy()
    array = np.asarray(value)
    name = {"f": "f32", "i": "i32", "u": "u32", "b": "bool"}[array.dtype.kind]
    return {"type": name, "shape": list(array.shape), "data": [plain(x) for x in array.ravel().tolist()]}


def plain(x):
    assert not isinstance(x, float) or np.isfinite(x)
    return int(x) if isinstance(x, float) and x == int(x) and abs(x) < 1e15 else x


def map_floats(value, f):
    """The value with `f` of each of its floating tensors; numbers become tensors."""
    if isinstance(value, dict):
        return {name: map_floats(field, f) for name, field in value.items()}
    if isinstance(value, (tuple, list)):
        return type(value)(map_floats(item, f) for item in value)
    if isinstance(value, float) or (isinstance(value, torch.Tensor) and value.is_floating_point()):
        return f(torch.as_tensor(value))
    return value


def floats(value):
    found = []
    map_floats(value, found.append)
    return found


def is_floating(value):
    if isinstance(value, dict):
        return all(is_floating(field) for field in value.values())
    if isinstance(value, (tuple, list)):
        return all(is_floating(item) for item in value)
    return isinstance(value, float) or (isinstance(value, torch.Tensor) and value.is_floating_point())


def case(function, args, results, dims=None, source="numpy", note=None):
    """One call with what it gives; `results` is a tuple, one item for each result."""
    made = {"function": function}
    if note is not None:
        made["note"] = note
    if dims is not None:
        made["dims"] = dims
    made["args"] = [encode(a) for a in args]
    made["results"] = [encode(r) for r in results]
    made["source"] = source
    return made


def computed(function, f, args, dims=None, source="pytorch", note=None, gradients=True):
    """A case whose results are `f(*args)`, and, where all results are floating, its vjp by PyTorch's autograd."""
    tracked = [map_floats(a, lambda t: t.detach().clone().requires_grad_()) for a in args]
    results = f(*tracked)
    if not isinstance(results, tuple):
        results = (results,)
    made = case(function, args, results, dims, source, note)
    leaves = floats(tracked)
    if gradients and leaves and is_floating(results):
        cotangents = map_floats(results, cotangent)
        found = torch.autograd.grad(floats(results), leaves, floats(cotangents), allow_unused=True)
        queue = [torch.zeros_like(leaf) if g is None else g for leaf, g in zip(leaves, found)]
        gradient = [map_floats(a, lambda _: queue.pop(0)) for a in tracked]
        made["cotangents"] = [encode(c) for c in cotangents]
        made["gradients"] = [encode(g) for g in gradient if floats(g)]
    return made


def cotangent(result):
    """Numbers of one decimal between -1 and 1 without a pattern that a wrong transposition would keep."""
    count = torch.arange(result.numel())
    return (((7 * count + 3) * (count + 2)) % 21 - 10).reshape(result.shape) / 10.0


def dump(value, indent=""):
    """JSON with every tensor on one line."""
    inner = indent + "  "
    if isinstance(value, dict) and any(isinstance(v, (dict, list)) for v in value.values()) and "data" not in value:
        body = ",\n".join(f"{inner}{json.dumps(k)}: {dump(v, inner)}" for k, v in value.items())
        return "{\n" + body + "\n" + indent + "}"
    if isinstance(value, list) and any(isinstance(v, dict) for v in value):
        return "[\n" + ",\n".join(inner + dump(v, inner) for v in value) + "\n" + indent + "]"
    return json.dumps(value, ensure_ascii=False)


def write_cases(program, target, cases):
    """Writes test/programs/TARGET.json for a program named from the project's root."""
    path = ROOT / "test" / "programs" / f"{target}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(dump({"file": program, "cases": cases}) + "\n")
