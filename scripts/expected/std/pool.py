import torch.nn.functional as F

from ..cases import Source, computed, write_cases


def write():
    s = Source(24)

    def window(function, f, h, w, size, stride, padding, note=None):
        def run(x):
            return f(x[None], size, stride, padding)[0]

        dims = {"size": size, "stride": stride, "padding": padding}
        return computed(function, run, (s.normal(1, h, w),), dims=dims, note=note)

    def outside_left_out(x, size, stride, padding):
        return F.avg_pool2d(x, size, stride, padding, count_include_pad=False)

    def adaptive(function, f, h, w, oh, ow, note=None):
        def run(x):
            return f(x[None], (oh, ow))[0]

        return computed(function, run, (s.normal(1, h, w),), dims={"oh": oh, "ow": ow}, note=note)

    cases = []
    for function, f in [("max_pool", F.max_pool2d), ("avg_pool", F.avg_pool2d), ("avg_pool_inside", outside_left_out)]:
        cases += [
            window(function, f, 4, 6, 2, 2, 0),
            window(function, f, 5, 6, 3, 2, 1, note="overlapping windows with padding"),
            window(function, f, 6, 5, 2, 3, 0, note="the last column and row are left out"),
        ]
    for function, f in [("adaptive_avg_pool", F.adaptive_avg_pool2d), ("adaptive_max_pool", F.adaptive_max_pool2d)]:
        cases += [
            adaptive(function, f, 4, 6, 2, 3),
            adaptive(function, f, 7, 7, 2, 2, note="cells overlap"),
            adaptive(function, f, 5, 2, 3, 4, note="cells overlap; more cells than columns"),
        ]
    cases += [
        computed("global_avg_pool", lambda x: x.mean((1, 2)), (s.normal(2, 2, 3),)),
        computed("global_max_pool", lambda x: x.amax((1, 2)), (s.normal(2, 2, 3),)),
    ]
    write_cases("src/std/pool.fec", "std/pool", cases)
