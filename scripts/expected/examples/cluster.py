import torch

from ..cases import Source, computed, write_cases


def cosine(x, y):
    return (x @ y) / (x.norm().clamp(min=1e-12) * y.norm().clamp(min=1e-12))


def assign(x, c):
    rows = [[cosine(point, center) for center in c] for point in x]
    # The first of equal values: torch.argmax promises no order.
    first = [max(range(len(c)), key=lambda j: (float(row[j]), -j)) for row in rows]
    return torch.stack([torch.stack(row) for row in rows]), torch.tensor(first)


def aggregate(v, c, a):
    return torch.stack([(c[j] + v[a == j].sum(0)) / (1 + int((a == j).sum())) for j in range(len(c))])


def dispatch_soft(r, m, alpha, beta):
    return torch.sigmoid(alpha * m + beta) @ r


def dispatch_hard(r, m, a, alpha, beta):
    own = m.gather(1, a[:, None])
    return torch.sigmoid(alpha * own + beta) * r[a]


def cluster(x, v, cx, cv, alpha, beta):
    m, a = assign(x, cx)
    return dispatch_hard(aggregate(v, cv, a), m, a, alpha, beta)


def cluster_batch(x, v, cx, cv, alpha, beta):
    images = zip(x, v, cx, cv)
    return torch.stack([torch.stack([cluster(*head, alpha, beta) for head in zip(*image)]) for image in images])


def cluster_vjp(x, v, cx, cv, alpha, beta, ct):
    args = [torch.as_tensor(t).detach().clone().requires_grad_() for t in (x, v, cx, cv, alpha, beta)]
    return torch.autograd.grad(cluster_batch(*args), args, ct)


def write():
    s = Source(1)
    x, v = s.normal(5, 3), s.normal(5, 3)
    cx, cv = s.normal(3, 3), s.normal(3, 3)
    square = torch.tensor([[1.0, 1.0], [0.0, 0.0], [-2.0, 0.0], [0.0, -3.0], [2.0, 1.0]])
    corners = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0], [-1.0, -1.0]])
    batch = (s.normal(2, 2, 4, 2), s.normal(2, 2, 4, 2), s.normal(2, 2, 2, 2), s.normal(2, 2, 2, 2))
    write_cases("examples/cluster.fec", "cluster", [
        computed("dot", torch.dot, (x[0], x[1])),
        computed("cosine", cosine, (x[0], x[1])),
        computed("cosine", cosine, (x[0], torch.zeros(3)), gradients=False, note="a zero vector"),
        computed("assign", assign, (x, cx)),
        computed("assign", assign, (square, corners),
                 note="ties go to the first: equal centers 0 and 2, a point between 0 and 1, a zero vector"),
        computed("aggregate", aggregate, (v, cv, torch.tensor([2, 0, 2, 2, 0])), note="cluster 1 is empty"),
        computed("dispatch_soft", dispatch_soft, (cv, s.normal(5, 3), 1.5, -0.25)),
        computed("dispatch_hard", dispatch_hard, (cv, s.normal(5, 3), torch.tensor([2, 0, 1, 1, 0]), 1.5, -0.25)),
        computed("cluster", cluster, (x, v, cx, cv, 1.0, 0.0)),
        computed("cluster", cluster, (x, v, cx, cv, -0.75, 0.5), note="a negative slope changes no assignment"),
        computed("cluster", cluster, (square, square, corners, corners, 1.0, 0.0), gradients=False,
                 note="ties and a zero vector"),
        computed("cluster_batch", cluster_batch, (*batch, 1.25, -0.5), gradients=False),
        computed("cluster_vjp", cluster_vjp, (*batch, 1.25, -0.5, s.normal(2, 2, 4, 2)), gradients=False),
    ])
