"""Philox 4×32-10 and what the prelude makes of it, in whole numbers of Python."""

import math


def philox(key, counter):
    k0, k1 = key
    c0, c1, c2, c3 = counter
    for _ in range(10):
        even, odd = 0xD2511F53 * c0, 0xCD9E8D57 * c2
        c0, c1, c2, c3 = (odd >> 32) ^ c1 ^ k0, odd & 0xFFFFFFFF, (even >> 32) ^ c3 ^ k1, even & 0xFFFFFFFF
        k0, k1 = (k0 + 0x9E3779B9) & 0xFFFFFFFF, (k1 + 0xBB67AE85) & 0xFFFFFFFF
    return c0, c1, c2, c3


def split(key, i):
    return philox(key, (i, 0, 0, 2))[:2]


def uniform(key):
    return (philox(key, (0, 0, 0, 0))[0] >> 8) / 2**24


def normal(key):
    first, second, _, _ = philox(key, (0, 0, 0, 1))
    radius = math.sqrt(-2 * math.log(((first >> 8) + 1) / 2**24))
    return radius * math.cos(2 * math.pi * ((second >> 8) / 2**24))
