import torch

from ..cases import Source, computed, write_cases


def softmax(x):
    return torch.softmax(x, -1)


def attention(q, k, v):
    return torch.softmax(q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5, -1) @ v


def write():
    s = Source(3)
    write_cases("examples/attention.fec", "attention", [
        computed("softmax", softmax, (s.normal(5),)),
        computed("softmax", softmax, (torch.tensor([1000.0, 999.5, -1000.0, 1000.0]),), note="nothing overflows"),
        computed("attention", attention, (s.normal(3, 4), s.normal(5, 4), s.normal(5, 2))),
        computed("attention", attention, (20 * s.normal(2, 3), 20 * s.normal(4, 3), s.normal(4, 1)), note="large scores"),
        computed("attention_batch", attention, (s.normal(2, 2, 2, 2), s.normal(2, 2, 3, 2), s.normal(2, 2, 3, 1))),
    ])
