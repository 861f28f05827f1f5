"""One measurement of one experiment tracker, for `cargo xtask bench --peers`.

    python worker.py PACKAGE PART

The working directory is empty and the tracker's own. The last line on stdout is one JSON object of figures, whose names
are those of benches/src/bin/record/parts.rs, where the same work is done with Cresset. What a tracker hands to
processes of its own counts neither for its processor time nor for its memory: both are lower bounds.

`killed` logs a thousand steps a second until it is killed, telling on stdout of each that was logged; `kept` then counts the
steps that the tracker's own files have.
"""

import glob
import json
import os
import random
import sqlite3
import struct
import subprocess
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
    AIM_UI_TELEMETRY_ENABLED="0",
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

    def kept(self):
        # A record is a length, its checksum, the event and its checksum; the first says the version.
        events = 0
        for path in glob.glob("events/events*"):
            data, at = open(path, "rb").read(), 0
            while at + 8 <= len(data):
                at += 16 + struct.unpack_from("<Q", data, at)[0]
                events += at <= len(data)
        return max(0, events - 1) // len(KEYS)


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

    def kept(self):
        return sqlite3.connect("bench.db").execute("select count(distinct step) from metrics").fetchone()[0]


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

    def kept(self):
        from wandb.proto import wandb_internal_pb2
        steps = set()
        for path in glob.glob("wandb/*run-*/*.wandb"):
            for raw in self.records(open(path, "rb").read()):
                record = wandb_internal_pb2.Record()
                record.ParseFromString(raw)
                if record.WhichOneof("record_type") == "history":
                    steps.add(record.history.step.num)
        return len(steps)

    @staticmethod
    def records(data):
        """Of LevelDB's log format, behind wandb's 7 bytes; a torn one at the end is none."""
        at, parts = 7, b""
        while at + 7 <= len(data):
            left = 32768 - at % 32768
            if left < 7:
                at += left
                continue
            size, kind = struct.unpack_from("<HB", data, at + 4)
            if kind == 0 or at + 7 + size > len(data):
                return
            parts += data[at + 7:at + 7 + size]
            at += 7 + size
            if kind in (1, 4):  # full, last
                yield parts
                parts = b""


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

    def kept(self):
        steps = f"select step from metrics group by step having count(distinct key) = {len(KEYS)}"
        return sqlite3.connect("mlflow.db").execute(f"select count(*) from ({steps})").fetchone()[0]


class Aim:
    """RocksDB in this process."""

    def __init__(self):
        import aim
        self.module = aim

    def start(self):
        self.run = self.module.Run(repo=os.getcwd(), experiment="bench")

    def log(self, step, values):
        self.run.track(values, step=step)

    def histogram(self, step, array):
        self.run.track(self.module.Distribution(array), name="weights", step=step)

    def image(self, step, array):
        self.run.track(self.module.Image(array), name="picture", step=step)

    def finish(self):
        self.run.close()

    def kept(self):
        # A run is in no listing until it is indexed.
        aim = os.path.join(os.path.dirname(sys.executable), "aim")
        subprocess.run([aim, "storage", "--repo", os.getcwd(), "reindex", "-y"], check=True)
        repo, counts = self.module.Repo(os.getcwd()), {}
        for run in repo.list_all_runs():
            for metric in repo.get_run(run).metrics():
                if metric.name in KEYS:
                    counts[metric.name] = len(metric.values.sparse_list()[0])
        return min(counts.values()) if len(counts) == len(KEYS) else 0


class Neptune:
    """neptune-scale, offline: a thread writes operations to SQLite. Bins and PNG are the caller's work."""

    def __init__(self):
        import neptune_scale.types
        self.module = neptune_scale

    def start(self):
        self.run = self.module.Run(
            project="workspace/bench", mode="offline", log_directory=os.getcwd(), run_id=f"run-{os.getpid()}"
        )

    def log(self, step, values):
        self.run.log_metrics(values, step=step)

    def histogram(self, step, array):
        import numpy
        counts, edges = numpy.histogram(array, 64)
        histogram = self.module.types.Histogram(bin_edges=edges, counts=counts)
        self.run.log_histograms({"weights": histogram}, step=step)

    def image(self, step, array):
        import io
        from PIL import Image
        png = io.BytesIO()
        Image.fromarray(array).save(png, "PNG")
        picture = self.module.types.File(png.getvalue(), mime_type="image/png")
        self.run.log_files({"picture": picture}, step=step)

    def finish(self):
        self.run.close()

    def kept(self):
        from neptune_api.proto.neptune_pb.ingest.v1.common_pb2 import UpdateRunSnapshot
        steps = set()
        for path in glob.glob("*/run_operations.sqlite3"):
            rows = sqlite3.connect(path).execute("select operation from run_operations where operation_type = 0")
            for (raw,) in rows:
                operation = UpdateRunSnapshot()
                operation.ParseFromString(raw)
                if set(KEYS) <= set(operation.append or {}):
                    steps.add((operation.step.whole, operation.step.micro))
        return len(steps)


class Swanlab:
    """Offline: a thread appends to a log of protobuf records."""

    def __init__(self):
        import swanlab
        self.module = swanlab

    def start(self):
        self.module.init(project="bench", mode="offline", log_dir=os.path.join(os.getcwd(), "swanlog"))

    def log(self, step, values):
        self.module.log(values, step=step)

    def image(self, step, array):
        self.log(step, {"picture": self.module.Image(array)})

    def finish(self):
        self.module.finish()

    def kept(self):
        from swanlab.proto.swanlab.record.v1.record_pb2 import Record
        from swanlab.sdk.internal.core_python.store import DataStoreReader
        seen = {}
        for path in glob.glob("swanlog/run-*/*.swanlab"):
            reader = DataStoreReader()
            try:
                reader.open(path)
            except AssertionError:  # not even its header was written
                continue
            for raw in reader:
                record = Record()
                record.ParseFromString(raw)
                if record.HasField("scalar") and record.scalar.key in KEYS:
                    seen[record.scalar.step] = seen.get(record.scalar.step, 0) + 1
        return sum(n == len(KEYS) for n in seen.values())


TRACKERS = {
    "tensorboardX": TensorboardX, "trackio": Trackio, "wandb": Wandb, "mlflow": Mlflow,
    "aim": Aim, "neptune-scale": Neptune, "swanlab": Swanlab,
}


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
    began = time.perf_counter()
    times = times_of(tracker.log, row, STEPS)
    tracker.finish()
    points = len(times) * len(KEYS)
    return {
        "points_per_s": points / (time.perf_counter() - began),
        "call_p50_us": percentile(times, 0.5) * 1e6,
        "call_p99_us": percentile(times, 0.99) * 1e6,
        "memory_mib": (status_kib("VmHWM:") - base) / 1024,
        "points": points,
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


def killed(tracker, row, out):
    tracker.start()
    step, began = 0, time.perf_counter()
    while True:
        tracker.log(step, row(step))
        os.write(out, struct.pack("<QQ", step, int((time.perf_counter() - began) * 1e6)))
        step += 1
        time.sleep(max(0, began + step / 1000 - time.perf_counter()))


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
        "killed": lambda: killed(tracker, row, figures_to),
        "kept": lambda: {"steps": tracker.kept()},
    }[part]()
    os.write(figures_to, (json.dumps(measured) + "\n").encode())


if __name__ == "__main__":
    main()
