import torch
import torch.nn.functional as F

from ..cases import Source, computed, write_cases
from ..examples.image import with_position


def write():
    s = Source(28)

    def resized(function, mode, h, w, oh, ow):
        settings = {} if mode == "nearest" else {"align_corners": False}

        def run(x):
            return F.interpolate(x[None], (oh, ow), mode=mode, **settings)[0]

        return computed(function, run, (s.normal(1, h, w),), dims={"oh": oh, "ow": ow})

    def standardized(x, average, deviation):
        return (x - average[:, None, None]) / deviation[:, None, None]

    write_cases("src/std/image.fec", "std/image", [
        computed("with_position", with_position, (s.normal(2, 2, 3),)),
        computed("standardized", standardized, (s.normal(2, 2, 2), s.normal(2), s.positive(2))),
        computed("to_points", lambda x: x.flatten(1).T, (s.normal(2, 2, 3),)),
        computed("from_points", lambda x: x.T.reshape(2, 3, 2), (s.normal(6, 2),), dims={"h": 3, "w": 2}),
        computed("flip_horizontal", lambda x: torch.flip(x, (2,)), (s.normal(2, 2, 3),)),
        resized("resize_nearest", "nearest", 3, 4, 5, 3),
        resized("resize_bilinear", "bilinear", 2, 3, 5, 4),
        resized("resize_bilinear", "bilinear", 5, 4, 2, 3),
    ])
