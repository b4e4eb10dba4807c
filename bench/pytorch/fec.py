"""
FEC in plain eager PyTorch, written from the equations: what fecit's models are timed beside.

    python3 bench/pytorch/fec.py test                          the released models' numbers with portable weights
    python3 bench/pytorch/fec.py time --model fec_small --task forward --batch 8 --size 224 --threads 2
    python3 bench/pytorch/fec.py time --model fec_small --task forward --batch 32 --device cuda

Shapes: b images, c channels, a map of h × w, n = h w points, m centers, g = b × heads groups of d channels.
"""

import argparse
import json
import math
import statistics
import time
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F


@dataclass(frozen=True)
class Config:
    """A model: for each of the four stages its channels, blocks, heads, perceptron ratio and side of the grid of centers."""

    channels: tuple
    blocks: tuple
    heads: tuple
    head_size: tuple
    ratios: tuple
    grids: tuple = (4, 4, 2, 2)
    classes: int = 1000


CONFIGS = {
    "fec_micro": Config((8, 12, 16, 24), (1, 2, 1, 1), (2, 2, 3, 2), (4, 4, 4, 6), (2, 2, 2, 2), classes=10),
    "fec_small": Config((32, 64, 196, 320), (3, 4, 5, 2), (4, 4, 8, 8), (24,) * 4, (8, 8, 4, 4)),
    "fec_base": Config((64, 128, 320, 512), (2, 2, 6, 2), (4, 4, 8, 8), (32,) * 4, (8, 8, 4, 4)),
    "fec_large": Config((64, 128, 320, 512), (4, 4, 12, 4), (6, 6, 12, 12), (32,) * 4, (8, 8, 4, 4)),
}


def cosines(centers, points):
    """[g, d, m] and [g, d, n] to [g, m, n]."""
    unit = lambda x: F.normalize(x, dim=1, eps=1e-12)
    return unit(centers).transpose(1, 2) @ unit(points)


def aggregate(values, centers, nearest):
    """The mean of a cluster's values and of its center's own: [g, d, n], [g, d, m] and [g, n] to [g, m, d]."""
    index = nearest[:, None, :].expand_as(values)
    sums = centers.scatter_add(2, index, values)
    sizes = torch.zeros_like(centers[:, 0]).scatter_add(1, nearest, torch.ones_like(values[:, 0]))
    return (sums / (1 + sizes[:, None, :])).transpose(1, 2)


def dispatch_gathered(representatives, similarity, nearest):
    """Each point's representative times its similarity: [g, m, d], [g, m, n] and [g, n] to [g, n, d]."""
    own = representatives.gather(1, nearest[..., None].expand(-1, -1, representatives.shape[2]))
    return own * similarity.gather(1, nearest[:, None, :]).transpose(1, 2)


def dispatch_dense(representatives, similarity, nearest):
    """The same as a sum over all centers with a mask, as FEC's own code has it: the product has g m n d numbers."""
    mask = torch.zeros_like(similarity).scatter(1, nearest[:, None, :], 1.0)
    return (representatives[:, :, None, :] * (similarity * mask)[..., None]).sum(1)


class Mixer(nn.Module):
    def __init__(self, c, heads, size, grid, dispatch):
        super().__init__()
        self.heads, self.grid, self.dispatch = heads, grid, dispatch
        self.sim_alpha = nn.Parameter(torch.ones(1))
        self.sim_beta = nn.Parameter(torch.zeros(1))
        self.f = nn.Conv2d(c, heads * size, 1)
        self.proj = nn.Conv2d(heads * size, c, 1)
        self.v = nn.Conv2d(c, heads * size, 1)

    def forward(self, x):
        b, _, h, w = x.shape
        f, v = (conv(x).reshape(b * self.heads, -1, h, w) for conv in (self.f, self.v))
        center_f, center_v = (F.adaptive_avg_pool2d(maps, self.grid).flatten(2) for maps in (f, v))
        cosine = cosines(center_f, f.flatten(2))
        similarity = torch.sigmoid(self.sim_beta + self.sim_alpha * cosine)
        nearest = similarity.max(dim=1).indices
        representatives = aggregate(v.flatten(2), center_v, nearest)
        out = self.dispatch(representatives, similarity, nearest)
        return self.proj(out.transpose(1, 2).reshape(b, -1, h, w))


class Mlp(nn.Module):
    def __init__(self, c, hidden):
        super().__init__()
        self.fc1 = nn.Linear(c, hidden)
        self.fc2 = nn.Linear(hidden, c)

    def forward(self, x):
        return self.fc2(F.gelu(self.fc1(x.permute(0, 2, 3, 1)))).permute(0, 3, 1, 2)


class Block(nn.Module):
    """x + κ γ₁ mixer(norm₁ x), then the same with the perceptron; κ drops a branch of some images in training."""

    def __init__(self, c, heads, size, ratio, grid, dispatch, drop):
        super().__init__()
        self.drop = drop
        self.layer_scale_1 = nn.Parameter(1e-5 * torch.ones(c))
        self.layer_scale_2 = nn.Parameter(1e-5 * torch.ones(c))
        self.norm1 = nn.GroupNorm(1, c)
        self.token_mixer = Mixer(c, heads, size, grid, dispatch)
        self.norm2 = nn.GroupNorm(1, c)
        self.mlp = Mlp(c, ratio * c)

    def forward(self, x):
        x = x + self.kept(self.layer_scale_1[:, None, None] * self.token_mixer(self.norm1(x)))
        return x + self.kept(self.layer_scale_2[:, None, None] * self.mlp(self.norm2(x)))

    def kept(self, branch):
        if not self.training or self.drop == 0:
            return branch
        keep = 1 - self.drop
        return branch * branch.new_empty(branch.shape[0], 1, 1, 1).bernoulli_(keep).div_(keep)


class Pooling(nn.Module):
    """Clusters around a grid of half the sides; the representatives are the points of the next stage."""

    def __init__(self, c, e):
        super().__init__()
        self.norm2 = nn.GroupNorm(1, e)
        self.conv_f = nn.Conv2d(c, e, 1)
        self.conv_v = nn.Conv2d(c, e, 1)
        self.conv_skip = nn.Conv2d(c, e, 3, stride=2, padding=1)

    def forward(self, x):
        f, v = self.conv_f(x), self.conv_v(x)
        b, e, h, w = f.shape
        grid = (h // 2, w // 2)
        center_f, center_v = (F.adaptive_avg_pool2d(maps, grid).flatten(2) for maps in (f, v))
        nearest = cosines(center_f, f.flatten(2)).max(dim=1).indices
        representatives = aggregate(v.flatten(2), center_v, nearest)
        return self.conv_skip(x) + self.norm2(representatives.transpose(1, 2).reshape(b, e, *grid))


class Stem(nn.Module):
    """Colors and coordinates of patches of 4 × 4 pixels."""

    def __init__(self, c):
        super().__init__()
        self.proj = nn.Conv2d(5, c, 4, stride=4)

    def forward(self, x):
        b, _, h, w = x.shape
        axis = lambda n: torch.arange(n, dtype=x.dtype, device=x.device) / (n - 1) - 0.5
        rows, columns = axis(h)[:, None].expand(h, w), axis(w)[None, :].expand(h, w)
        return self.proj(torch.cat([x, torch.stack([rows, columns]).expand(b, 2, h, w)], dim=1))


class Fec(nn.Module):
    def __init__(self, config, dispatch=dispatch_gathered, drop_path=0.0):
        super().__init__()
        self.patch_embed = Stem(config.channels[0])
        total = sum(config.blocks)
        parts, number = [], 0
        for s, c in enumerate(config.channels):
            if s > 0:
                parts.append(Pooling(config.channels[s - 1], c))
            blocks = []
            for _ in range(config.blocks[s]):
                shape = (c, config.heads[s], config.head_size[s], config.ratios[s], config.grids[s])
                blocks.append(Block(*shape, dispatch, drop_path * number / (total - 1)))
                number += 1
            parts.append(nn.Sequential(*blocks))
        self.network = nn.ModuleList(parts)
        self.norm = nn.GroupNorm(1, config.channels[-1])
        self.head = nn.Linear(config.channels[-1], config.classes)

    def forward(self, x):
        x = self.patch_embed(x)
        for part in self.network:
            x = part(x)
        return self.head(self.norm(x).mean((2, 3)))


# Portable weights: numbers that depend on a tensor's name, a seed and the position only, as in test/models/portable-weights.ts.


def hashed(x):
    x = np.asarray(x, dtype=np.uint32)
    x = (x ^ (x >> 16)) * np.uint32(0x7FEB352D)
    x = (x ^ (x >> 15)) * np.uint32(0x846CA68B)
    return x ^ (x >> 16)


def portable(name, shape, low, high, seed=1):
    stream = 0x811C9DC5
    for byte in name.encode():
        stream = ((stream ^ byte) * 0x01000193) & 0xFFFFFFFF
    positions = np.arange(math.prod(shape), dtype=np.uint32) * np.uint32(0x9E3779B9)
    uniform = (hashed(positions + (np.uint32(stream) ^ hashed([seed]))) >> 8) / 2**24
    numbers = (low + (high - low) * uniform).astype(np.float32)
    return torch.from_numpy(numbers.reshape(shape))


def portable_weight(name, shape):
    ranges = {"sim_alpha": (0.7, 1.8), "sim_beta": (-0.5, 0.5), "bias": (-0.1, 0.1)}
    last = name.split(".")[-1]
    if last.startswith("layer_scale"):
        low, high = 0.1, 0.6
    elif last in ranges:
        low, high = ranges[last]
    elif name.split(".")[-2].startswith("norm"):
        low, high = 0.8, 1.2
    else:
        high = math.sqrt(3 / math.prod(shape[1:]))
        low = -high
    return portable(name, tuple(shape), low, high)


def portable_model(name, **options):
    model = Fec(CONFIGS[name], **options)
    model.load_state_dict({key: portable_weight(key, value.shape) for key, value in model.state_dict().items()})
    return model


# The logits 0 … 4, the class, the sum and the norm of the released models with these weights, in double precision.
EXPECTED = {
    "fec_micro": (96, (-0.3857825387, 0.2525478198, 0.4104870354, 0.4587538915, 1.0334899747), 7, 2.3812747613, 2.0225717452),
    "fec_small": (224, (0.3431409880, 0.5322116807, 1.3538594995, 0.1577118297, 0.4890517489), 967, -4.8124119928, 15.9364819447),
    "fec_base": (224, (-0.8547529093, 0.0330194948, -0.1128047163, 0.4627208551, -0.2639315637), 350, 3.0984207414, 16.3543449841),
    "fec_large": (224, (-1.0205194609, -0.0396835350, -0.0555308444, 0.5750230436, -0.7641671870), 39, 1.7921111354, 18.4914646414),
}


def test():
    for name, (size, first, best, total, norm) in EXPECTED.items():
        image = portable("input", (1, 3, size, size), -2, 2).double()
        for dispatch in (dispatch_gathered, dispatch_dense):
            with torch.no_grad():
                logits = portable_model(name, dispatch=dispatch).double().eval()(image)[0]
            found = torch.cat([logits[:5], logits.sum()[None], logits.norm()[None]])
            error = (found - torch.tensor([*first, total, norm], dtype=torch.float64)).abs().max().item()
            ok = error < 1e-8 and logits.argmax().item() == best
            print(f"{name}, {dispatch.__name__}: {'agrees' if ok else 'DIFFERS'}, largest error {error:.1e}")
            if not ok:
                raise SystemExit(1)


def forward_call(model, images):
    model.eval()

    def call():
        with torch.no_grad():
            model(images)

    return call


def training_call(model, images, labels):
    """Cross entropy with smoothed labels and AdamW; tensors of one axis don't decay."""
    model.train()
    matrices = [p for p in model.parameters() if p.ndim > 1]
    vectors = [p for p in model.parameters() if p.ndim <= 1]
    groups = [{"params": matrices, "weight_decay": 0.05}, {"params": vectors, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=1e-3)

    def call():
        optimizer.zero_grad(set_to_none=True)
        F.cross_entropy(model(images), labels, label_smoothing=0.1).backward()
        optimizer.step()

    return call


def peak_bytes(call, device):
    """The most bytes of tensors that a call has at a time beyond those before it: on the processor from the profiler's record of the allocator."""
    if device == "cuda":
        before = torch.cuda.memory_allocated()
        torch.cuda.reset_peak_memory_stats()
        call()
        return torch.cuda.max_memory_allocated() - before
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU], profile_memory=True) as profile:
        call()
    events = [event for event in profile.profiler.kineto_results.events() if event.name() == "[memory]"]
    live = peak = 0
    for event in sorted(events, key=lambda event: event.start_us() if hasattr(event, "start_us") else event.start_ns()):
        live += event.nbytes()
        peak = max(peak, live)
    return peak


def timed(call, device):
    start = time.perf_counter()
    call()
    if device == "cuda":
        torch.cuda.synchronize()
    return 1000 * (time.perf_counter() - start)


def measure(options, dispatch):
    torch.set_num_threads(options.threads)
    # Single precision as WebGPU has it: products in fewer bits would be another job.
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
    device = options.device
    model = portable_model(options.model, dispatch=dispatch, drop_path=0.1).to(device)
    images = portable("input", (options.batch, 3, options.size, options.size), -2, 2).to(device)
    labels = (torch.arange(options.batch) % CONFIGS[options.model].classes).to(device)
    is_training = options.task == "training step"
    call = training_call(model, images, labels) if is_training else forward_call(model, images)
    first = timed(call, device)
    timed(call, device)
    milliseconds = [timed(call, device) for _ in range(options.runs)]
    if is_training:
        model.zero_grad(set_to_none=True)
    return {
        "kind": "model",
        "system": f"PyTorch {torch.__version__.split('+')[0]}, {dispatch.__name__.split('_')[1]} dispatch",
        "task": options.task,
        "size": f"{options.size} × {options.size}",
        "batch": options.batch,
        "milliseconds": milliseconds,
        "firstMs": first,
        "kernels": None,
        "blockKernels": None,
        "peakBytes": peak_bytes(call, device),
        "seconds": statistics.median(milliseconds) / 1000,
    }


def main():
    parser = argparse.ArgumentParser(description="FEC in plain eager PyTorch")
    parser.add_argument("command", choices=["test", "time"])
    parser.add_argument("--model", choices=list(CONFIGS), default="fec_small")
    parser.add_argument("--task", choices=["forward", "training step"], default="forward")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--dispatch", choices=["gathered", "dense", "both"], default="both")
    parser.add_argument("--out", help="a file for the lines of JSON, instead of the output")
    options = parser.parse_args()
    if options.command == "test":
        return test()
    forms = {"gathered": dispatch_gathered, "dense": dispatch_dense}
    chosen = forms.values() if options.dispatch == "both" else [forms[options.dispatch]]
    lines = "".join(json.dumps(measure(options, dispatch)) + "\n" for dispatch in chosen)
    if options.out is None:
        print(lines, end="")
    else:
        with open(options.out, "w") as file:
            file.write(lines)


if __name__ == "__main__":
    main()
