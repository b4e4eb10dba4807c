import torch.nn.functional as F

from ..cases import Source, computed, write_cases


def conv2d(stride, padding, dilation, groups):
    def run(p, x):
        return F.conv2d(x[None], p["weight"], p["bias"], stride, padding, dilation, groups)[0]

    return run


def convolve2d(stride, padding, dilation, groups):
    return lambda weight, x: F.conv2d(x[None], weight, None, stride, padding, dilation, groups)[0]


def write():
    s = Source(23)

    def settings(stride, padding, dilation, groups):
        return {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}

    def with_bias(o, i, kh, kw, h, w, *options, note=None):
        args = ({"weight": s.normal(o, i, kh, kw), "bias": s.normal(o)}, s.normal(i * options[3], h, w))
        return computed("conv2d", conv2d(*options), args, dims=settings(*options), note=note)

    write_cases("src/std/conv.fec", "std/conv", [
        with_bias(2, 2, 3, 3, 4, 3, 1, 1, 1, 1),
        with_bias(1, 2, 3, 3, 6, 5, 2, 1, 1, 1, note="stride and padding"),
        with_bias(2, 1, 2, 3, 4, 5, 1, 0, 1, 1, note="a kernel that is not square"),
        with_bias(1, 1, 3, 3, 6, 5, 1, 2, 2, 1, note="dilation"),
        with_bias(1, 1, 3, 2, 7, 6, 3, 1, 2, 1, note="stride and dilation"),
        with_bias(4, 2, 2, 2, 3, 3, 1, 0, 1, 2, note="two groups"),
        computed("convolve2d", convolve2d(1, 1, 1, 3), (s.normal(3, 1, 3, 3), s.normal(3, 2, 3)),
                 dims=settings(1, 1, 1, 3), note="depthwise"),
        computed("convolve2d", convolve2d(2, 0, 1, 2), (s.normal(4, 1, 2, 2), s.normal(2, 3, 4)),
                 dims=settings(2, 0, 1, 2), note="depthwise with two kernels a channel"),
        computed("conv1x1", conv2d(1, 0, 1, 1), ({"weight": s.normal(3, 2, 1, 1), "bias": s.normal(3)}, s.normal(2, 2, 3))),
    ])
    write_cases("test/programs/std/conv.fec", "std/conv-use", [
        computed("reduce", conv2d(2, 1, 1, 1), ({"weight": s.normal(2, 1, 3, 3), "bias": s.normal(2)}, s.normal(1, 4, 4))),
        computed("depthwise", convolve2d(1, 1, 1, 2), (s.normal(2, 1, 3, 3), s.normal(2, 3, 3))),
    ])
