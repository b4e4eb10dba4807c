import torch
import torch.nn.functional as F

from ..cases import Source, computed, write_cases


def conv2d(s, p):
    return lambda w, bias, x: F.conv2d(x[None], w, bias, stride=s, padding=p)[0]


def adaptive_avg_pool(oh, ow):
    return lambda x: F.adaptive_avg_pool2d(x, (oh, ow))


def group_norm(p, x):
    return F.group_norm(x[None], 1, p["weight"], p["bias"], eps=1e-5)[0]


def with_position(x):
    _, h, w = x.shape
    rows = (torch.arange(h) / (h - 1.0) - 0.5)[:, None].expand(h, w)
    columns = (torch.arange(w) / (w - 1.0) - 0.5)[None].expand(h, w)
    return torch.cat([x, rows[None], columns[None]])


def write():
    s = Source(4)

    def conv_case(o, c, k, h, v, stride, padding):
        args = (s.normal(o, c, k, k), s.normal(o), s.normal(c, h, v))
        return computed("conv2d", conv2d(stride, padding), args, dims={"s": stride, "p": padding})

    def pool_case(h, w, oh, ow, note=None):
        dims = {"oh": oh, "ow": ow}
        return computed("adaptive_avg_pool", adaptive_avg_pool(oh, ow), (s.normal(1, h, w),), dims=dims, note=note)

    write_cases("examples/image.fec", "image", [
        conv_case(2, 1, 3, 4, 3, 1, 1),
        conv_case(1, 2, 3, 6, 5, 2, 1),
        conv_case(2, 2, 2, 4, 5, 2, 0),
        conv_case(2, 3, 1, 2, 3, 1, 0),
        pool_case(4, 6, 2, 2),
        pool_case(7, 7, 2, 2, note="cells overlap"),
        pool_case(5, 4, 3, 3, note="cells overlap"),
        pool_case(2, 3, 4, 4, note="more cells than positions"),
        computed("group_norm", group_norm, ({"weight": s.positive(3), "bias": s.normal(3)}, s.normal(3, 2, 4))),
        computed("with_position", with_position, (s.normal(3, 3, 4),)),
    ])
