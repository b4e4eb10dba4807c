import torch
import torch.nn.functional as F

from ..cases import case, computed, write_cases, u32
from .philox import normal, philox, split, uniform


def write():
    x = torch.tensor([-3.0, -0.5, 0.0, 0.25, 1.0, 2.5])
    far = torch.tensor([-800.0, -30.0, 0.0, 30.0, 800.0])
    activations = [
        computed("gelus", F.gelu, (x,)),
        computed("relus", F.relu, (x,), note="the slope at 0 is 0"),
        computed("silus", F.silu, (x,)),
        computed("softpluses", lambda t: F.softplus(t, threshold=1e9), (x,)),
        case("softpluses", (far,), (torch.logaddexp(far, torch.zeros(5)),), source="pytorch", note="nothing overflows"),
    ]

    # The test vectors of Random123's kat_vectors for philox4x32-10.
    ones = 0xFFFFFFFF
    pi = (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344)
    published = [
        ((0, 0), (0, 0, 0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
        ((ones, ones), (ones, ones, ones, ones), (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
        ((0xA4093822, 0x299F31D0), pi, (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1)),
    ]
    blocks = []
    for k, counter, words in published:
        assert philox(k, counter) == words
        blocks.append(case("block", (u32(k), u32(counter)), tuple(u32(w) for w in words), source="Random123 kat_vectors"))

    streams = []
    for k in [(0, 0), (7, 0), (0xA4093822, 0x299F31D0)]:
        keys = [split(k, i) for i in range(5)]
        streams += [
            case("bits_of", (u32(k),), (u32(philox(k, (0, 0, 0, 0))[0]),)),
            case("uniforms", (u32(k),), (torch.tensor([uniform(key) for key in keys]),)),
            case("normals", (u32(k),), (torch.tensor([normal(key) for key in keys]),)),
        ]
    streams.append(case("split_keys", (u32((7, 0)),), (u32([split((7, 0), i) for i in range(4)]),)))
    streams.append(case("seeded", (42,), (u32((42, 0)),)))
    write_cases("test/programs/std/prelude.fec", "std/prelude", activations + blocks + streams)
