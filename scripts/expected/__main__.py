"""Writes the expected results under test: `python3 -m scripts.expected` in the project's root.

Needs NumPy and PyTorch, only here: the JSON files are committed. All arithmetic is in float64.
"""

from importlib import import_module

TOPICS = [
    "models.training",
    *(f"examples.{name}" for name in ("adamw", "attention", "cluster", "image", "kmeans", "mlp")),
    *(f"std.{name}" for name in (
        "attention", "conv", "dropout", "image", "loss", "nn", "norm", "optim", "pool",
        "prelude", "random", "schedule", "softmax")),
]

for topic in TOPICS:
    import_module(f".{topic}", __package__).write()
