"""Prints, as JSON, what MLflow's own client says of an experiment: `read.py ADDRESS EXPERIMENT`."""

import base64
import json
import math
import sys

import mlflow

address, name = sys.argv[1:]
mlflow.set_tracking_uri(address)
client = mlflow.MlflowClient()


def number(value):
    return value if math.isfinite(value) else str(value)


def files(run, folder=None):
    for entry in client.list_artifacts(run, folder):
        if entry.is_dir:
            yield from files(run, entry.path)
        else:
            yield entry.path


def content(run, path):
    with open(mlflow.artifacts.download_artifacts(run_id=run, artifact_path=path), "rb") as file:
        data = file.read()
    try:
        return data.decode()
    except UnicodeDecodeError:
        return "base64:" + base64.b64encode(data).decode()


def read(run):
    info = run.info
    return {
        "id": info.run_id,
        "name": info.run_name,
        "status": info.status,
        "start_time": info.start_time,
        "end_time": info.end_time,
        "tags": run.data.tags,
        "params": run.data.params,
        "metrics": {
            key: sorted(
                ([m.step, m.timestamp, number(m.value)] for m in client.get_metric_history(info.run_id, key)),
                key=str,
            )
            for key in run.data.metrics
        },
        # What is kept in a bucket needs a client of its own.
        "artifacts": {path: content(info.run_id, path) for path in files(info.run_id)}
        if info.artifact_uri.startswith("mlflow-artifacts:")
        else None,
    }


experiment = client.get_experiment_by_name(name)
runs = client.search_runs([experiment.experiment_id]) if experiment else []
json.dump([read(run) for run in runs], sys.stdout)
