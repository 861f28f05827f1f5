"""One measurement of one experiment tracker, for `cargo xtask bench --peers`.

    python worker.py PACKAGE PART

The working directory is empty and the tracker's own. The last line on stdout is one JSON object of figures, whose names
are those of benches/src/bin/record/parts.rs, where the same work is done with Cresset. What a tracker hands to
processes of its own counts neither for its processor time nor for its memory: both are lower bounds.
"""

import json
import os
import random
import sys
import time

KEYS = ["train/loss", "train/accuracy", "train/grad_norm", "optim/lr", "perf/tokens_per_s"]
STEPS = 20_000
PATIENCE_S = 10.0  # a loop ends early after so many seconds

# Nothing leaves the machine and nothing is printed.
os.environ.update(
    WANDB_MODE="offline", WANDB_SILENT="true", WANDB_ERROR_REPORTING="false",
    MLFLOW_DISABLE_TELEMETRY="true", DO_NOT_TRACK="1", GIT_PYTHON_REFRESH="quiet",
    HF_HUB_OFFLINE="1", HF_HUB_DISABLE_TELEMETRY="1", TRACKIO_SHOW="0", TRACKIO_DIR=os.getcwd(),
)


class TensorboardX:
    """A step is five calls: it has none for several scalars."""

    def __init__(self):
        import tensorboardX
        self.module = tensorboardX

    def start(self):
        self.writer = self.module.SummaryWriter("events")

    def log(self, step, values):
        for key, value in values.items():
            self.writer.add_scalar(key, value, step)

    def histogram(self, step, array):
        self.writer.add_histogram("weights", array, step)

    def image(self, step, array):
        self.writer.add_image("picture", array, step, dataformats="HWC")

    def finish(self):
        self.writer.close()


class Trackio:
    """A thread writes to SQLite every half second."""

    def __init__(self):
        import trackio
        self.module = trackio

    def start(self):
        self.module.init(project="bench")

    def log(self, step, values):
        self.module.log(values, step=step)

    def histogram(self, step, array):
        self.log(step, {"weights": self.module.Histogram(array)})

    def image(self, step, array):
        self.log(step, {"picture": self.module.Image(array)})

    def finish(self):
        self.module.finish()


class Wandb:
    """Offline: a process of its own appends to a transaction log."""

    def __init__(self):
        import wandb
        self.module = wandb

    def start(self):
        self.run = self.module.init(project="bench", dir=os.getcwd())

    def log(self, step, values):
        self.run.log(values, step=step)

    def histogram(self, step, array):
        self.log(step, {"weights": self.module.Histogram(array)})

    def image(self, step, array):
        self.log(step, {"picture": self.module.Image(array)})

    def finish(self):
        self.run.finish()


class Mlflow:
    """SQLite in this process, synchronous: the value is stored when the call returns."""

    def __init__(self):
        import mlflow
        self.module = mlflow

    def start(self):
        self.module.set_tracking_uri("sqlite:///mlflow.db")
        if self.module.get_experiment_by_name("bench") is None:
            self.module.create_experiment("bench", artifact_location=f"file://{os.getcwd()}/artifacts")
        self.module.set_experiment("bench")
        self.module.start_run()

    def log(self, step, values):
        self.module.log_metrics(values, step=step)

    def image(self, step, array):
        self.module.log_image(array, key="picture", step=step)

    def finish(self):
        self.module.flush_artifact_async_logging()
        self.module.end_run()


TRACKERS = {"tensorboardX": TensorboardX, "trackio": Trackio, "wandb": Wandb, "mlflow": Mlflow}


def status_kib(field):
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith(field))


def times_of(call, make, n):
    """Seconds of each call; what it is given is made before its clock starts."""
    times, deadline = [], time.monotonic() + PATIENCE_S
    for step in range(n):
        given = make(step)
        began = time.perf_counter()
        call(step, given)
        times.append(time.perf_counter() - began)
        if time.monotonic() > deadline:
            break
    return times


def percentile(times, q):
    times = sorted(times)
    return times[min(len(times) - 1, int(q * len(times)))]


def scalars(tracker, row):
    with open("/proc/self/clear_refs", "w") as refs:
        refs.write("5")  # the high-water mark begins anew
    base = status_kib("VmRSS:")
    tracker.start()
    times = times_of(tracker.log, row, STEPS)
    tracker.finish()
    return {
        "call_p50_us": percentile(times, 0.5) * 1e6,
        "call_p99_us": percentile(times, 0.99) * 1e6,
        "memory_mib": (status_kib("VmHWM:") - base) / 1024,
        "points": len(times) * len(KEYS),
    }


def images(tracker):
    import numpy
    noise = numpy.random.default_rng(7)
    tracker.start()
    times = times_of(tracker.image, lambda _: noise.integers(0, 256, (64, 64, 3), dtype="uint8"), 500)
    tracker.finish()
    return {"image_p50_us": percentile(times, 0.5) * 1e6, "image_p99_us": percentile(times, 0.99) * 1e6}


def histograms(tracker):
    import numpy
    if not hasattr(tracker, "histogram"):
        return {}
    array = numpy.random.default_rng(7).standard_normal(1_000_000, dtype="float32")
    tracker.start()
    times = times_of(tracker.histogram, lambda _: array, 200)
    tracker.finish()
    return {"histogram_ms": percentile(times, 0.5) * 1e3}


def short(tracker, row):
    began = time.perf_counter()
    tracker.start()
    tracker.log(0, row(0))
    started = time.perf_counter() - began
    for step in range(1, 20):
        tracker.log(step, row(step))
    began = time.perf_counter()
    tracker.finish()
    return {"start_ms": started * 1e3, "finish_ms": (time.perf_counter() - began) * 1e3}


def main():
    package, part = sys.argv[1:]
    figures_to = os.dup(1)
    os.dup2(2, 1)  # whatever the tracker prints is no figure
    rng = random.Random(7)
    pool = [rng.random() for _ in range(4096)]

    def row(step):
        return {key: pool[(step * 5 + i) % len(pool)] + step * 1e-3 for i, key in enumerate(KEYS)}

    tracker = TRACKERS[package]()
    measured = {
        "scalars": lambda: scalars(tracker, row),
        "images": lambda: images(tracker),
        "histograms": lambda: histograms(tracker),
        "short": lambda: short(tracker, row),
    }[part]()
    os.write(figures_to, (json.dumps(measured) + "\n").encode())


if __name__ == "__main__":
    main()
