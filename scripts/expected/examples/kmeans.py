import torch

from ..cases import Source, computed, write_cases


def distance2(x, y):
    return ((x - y) ** 2).sum()


def lloyd(x, c):
    distances = ((x[:, None] - c[None]) ** 2).sum(2).tolist()
    a = torch.tensor([row.index(min(row)) for row in distances])
    return torch.stack([x[a == j].mean(0) if (a == j).any() else c[j] for j in range(len(c))])


def kmeans(steps):
    def run(x, c):
        for _ in range(steps):
            c = lloyd(x, c)
        return c

    return run


def write():
    s = Source(2)
    x = torch.cat([s.normal(4, 2), s.normal(3, 2) + torch.tensor([3.0, 1.0])]).round(decimals=2)
    c = s.normal(3, 2)
    far = torch.tensor([[0.0, 0.0], [50.0, 50.0], [2.0, 1.0]])
    line = torch.tensor([[0.0], [1.0], [2.0]])
    write_cases("examples/kmeans.fec", "kmeans", [
        computed("distance2", distance2, (x[0], c[0])),
        computed("lloyd", lloyd, (x, c)),
        computed("lloyd", lloyd, (x, far), note="center 1 has no points and stays"),
        computed("lloyd", lloyd, (line, line[::2].contiguous()), note="the point between both centers goes to the first"),
        computed("kmeans", kmeans(1), (x, c), dims={"steps": 1}),
        computed("kmeans", kmeans(4), (x, c), dims={"steps": 4}),
        computed("kmeans", kmeans(40), (x, far), dims={"steps": 40}, note="more steps than a compiler would unroll"),
    ])
