import math

from ..cases import case, write_cases


def warmup(t, length, start, peak):
    return start + t * (peak - start) / length if t < length else peak


def cosine(t, length, peak, low):
    return low + (peak - low) * (1 + math.cos(math.pi * t / length)) / 2 if t < length else low


def warmup_cosine(t, warmup_length, length, start, peak, low):
    return warmup(t, warmup_length, start, peak) if t < warmup_length else cosine(t, length, peak, low)


def write():
    cases = [case("warmup", (t, 5.0, 1e-6, 1e-3), (warmup(t, 5, 1e-6, 1e-3),)) for t in (0.0, 2.5, 5.0, 9.0)]
    for t in (0.0, 77.0, 150.0, 300.0, 310.0):
        cases.append(case("cosine", (t, 300.0, 1e-3, 1e-6), (cosine(t, 300, 1e-3, 1e-6),)))
    for t in (0.0, 4.0, 5.0, 100.0, 299.0, 305.0):
        args = (5.0, 300.0, 1e-6, 1e-3, 1e-6)
        cases.append(case("warmup_cosine", (t, *args), (warmup_cosine(t, *args),)))
    write_cases("src/std/schedule.fec", "std/schedule", cases)
