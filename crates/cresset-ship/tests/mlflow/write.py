"""Logs runs by MLflow's own client: `write.py ADDRESS EXPERIMENT KIND`. Prints the ids of those runs, by name, as JSON."""

import json
import math
import os
import sys
import tempfile
import time

import mlflow
from mlflow.entities import Metric

address, name, kind = sys.argv[1:]
mlflow.set_tracking_uri(address)
client = mlflow.MlflowClient()
experiment = mlflow.set_experiment(name).experiment_id
now = int(time.time() * 1000)
ids = {}


def short(count):
    """Many runs, each of a few points."""
    for i in range(count):
        run = client.create_run(experiment, start_time=now + i, run_name=f"short-{i}")
        points = [Metric(key, i + step / 10, now + i + step, step) for key in ("loss", "accuracy") for step in range(3)]
        client.log_batch(run.info.run_id, metrics=points)
        client.set_terminated(run.info.run_id, end_time=now + i + 5)
        ids[f"short-{i}"] = run.info.run_id


def long(count):
    """A run with more points than a page has."""
    with mlflow.start_run(run_name="long") as run:
        for first in range(0, count, 1000):
            points = [Metric("loss", 1 / (step + 1), now + step // 3, step) for step in range(first, min(first + 1000, count))]
            client.log_batch(run.info.run_id, metrics=points)
        ids["long"] = run.info.run_id


def everything():
    import numpy
    import pandas
    from PIL import Image

    with mlflow.start_run(run_name="parent", description="A *first* try.", tags={"team": "vision", "baseline": ""}) as run:
        ids["parent"] = run.info.run_id
        mlflow.log_params({"lr": 3e-4, "optimizer": "adamw", "layers": 18, "amp": True, "betas": [0.9, 0.999], "seed": None})
        for step, value in [(0, 1.0), (1, math.nan), (2, math.inf), (3, -math.inf), (1, 0.25), (5, 1e-300)]:
            mlflow.log_metric("train/loss", value, step=step)
        mlflow.log_metric("before", 7.5, step=-3)
        points = []
        for i in range(5):
            points += [
                Metric("system/cpu_utilization_percentage", 30 + i, now + 1000 * i, i),
                Metric("system/system_memory_usage_megabytes", 8123.456789, now + 1000 * i, i),
                Metric("system/gpu_0_utilization_percentage", 90 + i, now + 1000 * i, i),
                Metric("system/gpu_0_memory_usage_megabytes", 20000.5, now + 1000 * i, i),
                Metric("system/network_receive_megabytes", 2.0 * i, now + 1000 * i, i),
                Metric("system/disk_available_megabytes", 5.0, now + 1000 * i, i),
            ]
        client.log_batch(run.info.run_id, metrics=points)
        data = mlflow.data.from_numpy(numpy.zeros((4, 2)), name="joints", targets=numpy.zeros(4))
        mlflow.log_input(data, context="training")
        for step in (0, 10):
            mlflow.log_image(Image.new("RGB", (30, 20), (step, 200, 0)), key="val/worst", step=step, timestamp=now + step)
        mlflow.log_table(pandas.DataFrame({"class": ["good", "bridge"], "recall": [0.9, 0.7]}), "tables/recall.json")
        mlflow.log_text("fine", "notes/said.txt")
        mlflow.log_text("<p>fine</p>", "report.html")
        mlflow.log_image(Image.new("L", (3, 2)), "plots/curve.png")
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "größe 1+1.bin")
            with open(path, "wb") as file:
                file.write(bytes(range(256)) * 20000)
            mlflow.log_artifact(path, "model/deep")
        with mlflow.start_run(run_name="child", nested=True) as child:
            ids["child"] = child.info.run_id
            mlflow.log_metric("loss", 0.5)
    for status in ("FAILED", "KILLED"):
        run = client.create_run(experiment, run_name=status.lower())
        client.set_terminated(run.info.run_id, status)
        ids[status.lower()] = run.info.run_id
    ids["running"] = client.create_run(experiment, run_name="running").info.run_id
    # One that died without a word, two days ago.
    ids["crashed"] = client.create_run(experiment, run_name="crashed", start_time=now - 2 * 86_400_000).info.run_id
    gone = client.create_run(experiment, run_name="deleted").info.run_id
    client.delete_run(gone)


what, _, count = kind.partition(":")
{"short": short, "long": long, "everything": everything}[what](*([int(count)] if count else []))
json.dump(ids, sys.stdout)
