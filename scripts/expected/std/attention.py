import torch
import torch.nn.functional as F

from ..cases import Source, computed, write_cases


def attention(q, k, v, visible=None):
    score = q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5
    if visible is not None:
        score = score.masked_fill(~visible, -torch.inf)
    return torch.softmax(score, -1) @ v


def causal_attention(q, k, v):
    return attention(q, k, v, torch.ones(len(q), len(k), dtype=torch.bool).tril())


def pytorch_multi_head(heads, causal):
    """torch.nn.MultiheadAttention, its packed projection put together from ours."""

    def run(p, x, context=None):
        context = x if context is None else context
        names = ("query", "keys", "values")
        hidden = torch.ones(len(x), len(context), dtype=torch.bool).triu(1) if causal else None
        y, _ = F.multi_head_attention_forward(
            x[:, None], context[:, None], context[:, None], x.shape[1], heads,
            torch.cat([p[n]["weight"] for n in names]), torch.cat([p[n]["bias"] for n in names]),
            None, None, False, 0.0, p["output"]["weight"], p["output"]["bias"], attn_mask=hidden, need_weights=False)
        return y[:, 0]

    return run


def formula_multi_head(heads):
    """The formula, for heads whose sizes do not add up to the width."""

    def run(p, x, context):
        def split(name, t):
            return F.linear(t, p[name]["weight"], p[name]["bias"]).unflatten(1, (heads, -1)).transpose(0, 1)

        mixed = attention(split("query", x), split("keys", context), split("values", context))
        return F.linear(mixed.transpose(0, 1).flatten(1), p["output"]["weight"], p["output"]["bias"])

    return run


def write():
    s = Source(26)

    def projections(d, inner):
        p = {name: {"weight": s.normal(inner, d), "bias": s.normal(inner)} for name in ("query", "keys", "values")}
        return {**p, "output": {"weight": s.normal(d, inner), "bias": s.normal(d)}}

    write_cases("src/std/attention.fec", "std/attention", [
        computed("attention", attention, (s.normal(2, 3), s.normal(4, 3), s.normal(4, 2))),
        computed("causal_attention", causal_attention, (s.normal(3, 2), s.normal(3, 2), s.normal(3, 2))),
    ])
    # A struct's dimensions heads and size are known only together from its tensors, so these programs fix them.
    write_cases("test/programs/std/attention.fec", "std/attention-use", [
        computed("two_heads", pytorch_multi_head(2, False), (projections(4, 4), s.normal(2, 4), s.normal(3, 4))),
        computed("two_heads_causal", pytorch_multi_head(2, True), (projections(4, 4), s.normal(3, 4))),
        computed("two_wide_heads", formula_multi_head(2), (projections(2, 6), s.normal(2, 2), s.normal(3, 2))),
    ])
