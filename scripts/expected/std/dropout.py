from ..cases import Source, computed, u32, write_cases
from .philox import split, uniform


def factor(rate, key):
    return 0.0 if uniform(key) < rate else 1 / (1 - rate)


def write():
    s = Source(31)
    k = (5, 9)
    other = next((seed, 0) for seed in range(100) if uniform((seed, 0)) < 0.4)

    def dropout(x, _rate, _key):
        return x * x.new_tensor([factor(0.4, split(k, i)) for i in range(len(x))])

    def drop_path(key):
        return lambda x, _rate, _key: x * factor(0.4, key)

    # The rate has no gradient worth the name; only the results are given.
    write_cases("src/std/dropout.fec", "std/dropout", [
        computed("dropout", dropout, (s.normal(8), 0.4, u32(k)), source="numpy", gradients=False),
        computed("drop_path", drop_path(k), (s.normal(2, 2, 2), 0.4, u32(k)), source="numpy", gradients=False),
        computed("drop_path", drop_path(other), (s.normal(2, 2, 2), 0.4, u32(other)), source="numpy", gradients=False,
                 note="a key that drops"),
    ])
