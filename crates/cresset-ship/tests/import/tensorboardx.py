"""Writes event files by tensorboardX and prints what it wrote."""

import json
import sys

import numpy as np
from tensorboardX import SummaryWriter

writer = SummaryWriter(sys.argv[1])
losses = [1.0 / (1 + step) for step in range(100)]
for step, loss in enumerate(losses):
    writer.add_scalar("train/loss", loss, step, walltime=1700000000.5 + step)
writer.add_scalar("odd", float("nan"), 1)
values = np.random.default_rng(1).normal(size=10000)
writer.add_histogram("weights", values, 3)
writer.add_image("img", np.zeros((3, 5, 7)), 4)
writer.add_text("said", "hello **x**", 5)
writer.add_hparams({"lr": 0.1, "bs": 32, "opt": "adam", "nest": True}, {"acc": 0.9}, name="trial")
writer.close()
print(
    json.dumps(
        {
            # An old value has single precision.
            "loss": [float(np.float32(loss)) for loss in losses],
            "min": values.min(),
            "max": values.max(),
            "sum": values.sum(),
            "sum_sq": (values**2).sum(),
            "p90": float(np.quantile(values, 0.9)),
        }
    )
)
