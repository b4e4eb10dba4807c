"""FEC in plain PyTorch, from the equations of the released models, for one purpose: to say what ours must give.

Parameters are a dictionary by the names that checkpoints have; `images` is [batch, 3, height, width].
"""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F


@dataclass(frozen=True)
class Config:
    channels: tuple  # of each stage
    blocks: tuple
    heads: tuple
    size: tuple  # numbers of a head
    ratio: tuple  # hidden units of a perceptron by its channels
    grid: tuple
    classes: int

    @property
    def stages(self):
        return len(self.channels)


MICRO = Config((8, 12, 16, 24), (1, 2, 1, 1), (2, 2, 3, 2), (4, 4, 4, 6), (2, 2, 2, 2), (4, 4, 2, 2), 10)
SMALL = Config((32, 64, 196, 320), (3, 4, 5, 2), (4, 4, 8, 8), (24,) * 4, (8, 8, 4, 4), (4, 4, 2, 2), 1000)


def shapes(config):
    """Name and shape of every parameter, in the order of checkpoints."""
    found = {}

    def affine(name, *weight):
        found[f"{name}.weight"] = weight
        found[f"{name}.bias"] = weight[:1]

    affine("patch_embed.proj", config.channels[0], 5, 4, 4)
    for s in range(config.stages):
        c, k = config.channels[s], config.heads[s] * config.size[s]
        for b in range(config.blocks[s]):
            name = f"network.{2 * s}.{b}"
            found[f"{name}.layer_scale_1"] = found[f"{name}.layer_scale_2"] = (c,)
            affine(f"{name}.norm1", c)
            found[f"{name}.token_mixer.sim_alpha"] = found[f"{name}.token_mixer.sim_beta"] = (1,)
            affine(f"{name}.token_mixer.f", k, c, 1, 1)
            affine(f"{name}.token_mixer.proj", c, k, 1, 1)
            affine(f"{name}.token_mixer.v", k, c, 1, 1)
            affine(f"{name}.norm2", c)
            affine(f"{name}.mlp.fc1", config.ratio[s] * c, c)
            affine(f"{name}.mlp.fc2", c, config.ratio[s] * c)
        if s + 1 < config.stages:
            name, out = f"network.{2 * s + 1}", config.channels[s + 1]
            affine(f"{name}.norm2", out)
            affine(f"{name}.conv_f", out, c, 1, 1)
            affine(f"{name}.conv_v", out, c, 1, 1)
            affine(f"{name}.conv_skip", out, c, 3, 3)
    affine("norm", config.channels[-1])
    affine("head", config.classes, config.channels[-1])
    return found


def logits(config, p, images):
    x = stem(p, images)
    for s in range(config.stages):
        for b in range(config.blocks[s]):
            x = block(p, f"network.{2 * s}.{b}", x, config.heads[s], config.grid[s])
        if s + 1 < config.stages:
            x = pooling(p, f"network.{2 * s + 1}", x)
    return F.linear(norm(p, "norm", x).mean((2, 3)), p["head.weight"], p["head.bias"])


def stem(p, images):
    b, _, h, w = images.shape
    rows = (torch.arange(h, dtype=images.dtype) / (h - 1) - 0.5).view(1, 1, h, 1).expand(b, 1, h, w)
    columns = (torch.arange(w, dtype=images.dtype) / (w - 1) - 0.5).view(1, 1, 1, w).expand(b, 1, h, w)
    x = torch.cat([images, rows, columns], dim=1)
    return F.conv2d(x, p["patch_embed.proj.weight"], p["patch_embed.proj.bias"], stride=4)


def norm(p, name, x):
    return F.group_norm(x, 1, p[f"{name}.weight"], p[f"{name}.bias"], 1e-5)


def conv(p, name, x, **how):
    return F.conv2d(x, p[f"{name}.weight"], p[f"{name}.bias"], **how)


def block(p, name, x, heads, grid):
    mixed = mixer(p, f"{name}.token_mixer", norm(p, f"{name}.norm1", x), heads, grid)
    x = x + p[f"{name}.layer_scale_1"].view(1, -1, 1, 1) * mixed
    y = norm(p, f"{name}.norm2", x).permute(0, 2, 3, 1)
    y = F.gelu(F.linear(y, p[f"{name}.mlp.fc1.weight"], p[f"{name}.mlp.fc1.bias"]))
    y = F.linear(y, p[f"{name}.mlp.fc2.weight"], p[f"{name}.mlp.fc2.bias"]).permute(0, 3, 1, 2)
    return x + p[f"{name}.layer_scale_2"].view(1, -1, 1, 1) * y


def mixer(p, name, x, heads, grid):
    b, _, h, w = x.shape
    # [batch · heads, size, height, width]
    f = conv(p, f"{name}.f", x).reshape(b * heads, -1, h, w)
    v = conv(p, f"{name}.v", x).reshape(b * heads, -1, h, w)
    s = torch.sigmoid(p[f"{name}.sim_beta"] + p[f"{name}.sim_alpha"] * cosine(f, centers(f, grid, grid)))
    best, at = s.max(dim=1)
    g = aggregate(points(v), centers(v, grid, grid), at)
    y = best.unsqueeze(2) * g.gather(1, at.unsqueeze(2).expand(-1, -1, g.shape[2]))
    return conv(p, f"{name}.proj", y.transpose(1, 2).reshape(b, -1, h, w))


def pooling(p, name, x):
    b, _, h, w = x.shape
    f, v = conv(p, f"{name}.conv_f", x), conv(p, f"{name}.conv_v", x)
    at = cosine(f, centers(f, h // 2, w // 2)).max(dim=1)[1]
    g = aggregate(points(v), centers(v, h // 2, w // 2), at)
    g = g.transpose(1, 2).reshape(b, -1, h // 2, w // 2)
    return conv(p, f"{name}.conv_skip", x, stride=2, padding=1) + norm(p, f"{name}.norm2", g)


def points(x):
    return x.flatten(2).transpose(1, 2)


def centers(x, rows, columns):
    return points(F.adaptive_avg_pool2d(x, (rows, columns)))


def cosine(x, center):
    """[batch, centers, points]"""
    return F.normalize(center, dim=2) @ F.normalize(points(x), dim=2).transpose(1, 2)


def aggregate(v, center, at):
    one_hot = F.one_hot(at, center.shape[1]).to(v.dtype)
    return (center + one_hot.transpose(1, 2) @ v) / (1 + one_hot.sum(1).unsqueeze(2))


def hash32(x):
    x = np.asarray(x, dtype=np.uint32)
    x = (x ^ (x >> np.uint32(16))) * np.uint32(0x7FEB352D)
    x = (x ^ (x >> np.uint32(15))) * np.uint32(0x846CA68B)
    return x ^ (x >> np.uint32(16))


def portable(name, shape, lo, hi, seed=1):
    """test/models/portable-weights.ts has the definition."""
    stream = np.uint32(2166136261)
    with np.errstate(over="ignore"):
        for byte in name.encode():
            stream = (stream ^ np.uint32(byte)) * np.uint32(16777619)
        stream = stream ^ hash32(seed)
        k = np.arange(int(np.prod(shape)), dtype=np.uint32)
        u = (hash32(k * np.uint32(0x9E3779B9) + stream) >> np.uint32(8)).astype(np.float64) / 2**24
    return torch.tensor((lo + (hi - lo) * u).astype(np.float32).astype(np.float64).reshape(shape))


def portable_weights(config, seed=1):
    return {name: portable(name, shape, *range_of(name, shape), seed) for name, shape in shapes(config).items()}


def range_of(name, shape):
    if "layer_scale" in name:
        return 0.1, 0.6
    if name.endswith("sim_alpha"):
        return 0.7, 1.8
    if name.endswith("sim_beta"):
        return -0.5, 0.5
    if name.endswith("bias"):
        return -0.1, 0.1
    if "norm" in name:
        return 0.8, 1.2
    bound = (3 / int(np.prod(shape[1:]))) ** 0.5
    return -bound, bound
