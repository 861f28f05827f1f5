"""Logs the little run of the tests with W&B's own client."""

import wandb

run = wandb.init(
    project="harbor",
    id="abc123",
    name="nm",
    group="g",
    job_type="train",
    tags=["a", "b"],
    notes="n",
    config={"lr": 0.1, "opt": {"name": "adam"}},
)
run.define_metric("val/*", step_metric="epoch", summary="min")
run.log({"gap": 1.0, "train/acc": 0.5}, step=0)
print("hello")
run.log({"gap": float("nan"), "x": float("inf")}, step=1)
run.log({"val/l": 3.0, "epoch": 1.0}, step=1)
run.log({"val/l": 2.0, "epoch": 2.0}, step=2)
run.log({"val/l": 4.0, "epoch": 3.0, "gap": 0.25}, step=3)
run.log({"note": "hello"}, step=5)
edges = [2**-0.5, 1, 2**0.5, 2, 2**1.5, 4]
run.log({"weights": wandb.Histogram(np_histogram=([1, 0, 1, 0, 1], edges))}, step=6)
run.log({"page": wandb.Html("<b>x</b>", inject=False)}, step=7)
run.alert("T", "text", level=wandb.AlertLevel.WARN)
run.config.update({"new": 1})
run.summary["best"] = 5
run.finish()
