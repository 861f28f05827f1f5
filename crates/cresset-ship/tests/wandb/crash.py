"""A run of W&B's own client that an error ends."""

import wandb

run = wandb.init(project="harbor", id="abc123")
run.log({"loss": 1.0}, step=0)
raise RuntimeError("out of memory")
