import torch

from ..cases import Source, computed, write_cases


def write():
    x = Source(21).normal(5)
    far = torch.tensor([1000.0, 990.0, -1000.0, 1000.0])
    cases = []
    for values, note in [(x, None), (far, "nothing overflows")]:
        cases += [
            computed("log_sum_exp", lambda t: torch.logsumexp(t, 0), (values,), note=note),
            computed("softmax", lambda t: torch.softmax(t, 0), (values,), note=note),
            computed("log_softmax", lambda t: torch.log_softmax(t, 0), (values,), note=note),
        ]
    write_cases("src/std/softmax.fec", "std/softmax", cases)
