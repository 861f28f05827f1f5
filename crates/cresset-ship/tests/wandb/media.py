"""Logs values that have files with W&B's own client, as the tests do with ours."""

import numpy
import wandb

run = wandb.init(project="harbor", id="abc123")
found = {"position": {"minX": 1, "minY": 1, "maxX": 3, "maxY": 2}, "domain": "pixel", "class_id": 0, "scores": {"score": 0.5}, "box_caption": "void"}
image = wandb.Image(
    numpy.full((4, 5, 3), 7, dtype=numpy.uint8),
    caption="c",
    boxes={"predictions": {"box_data": [found], "class_labels": {0: "void"}}},
    masks={"truth": {"mask_data": numpy.ones((4, 5), dtype=numpy.uint8), "class_labels": {0: "back", 1: "void"}}},
)
run.log({"val/worst": image}, step=1)
run.log({"t": wandb.Table(columns=["a", "b"], data=[[1, "x"]])}, step=2)
run.log({"points": wandb.Object3D(numpy.array([[0.0, 1.0, 2.0]]))}, step=4)
run.finish()
