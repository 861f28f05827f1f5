"""How fast a tracker's server answers what its own page asks, for `cargo xtask bench --peers`.

    python reader.py cresset|mlflow|tensorboard VALUES RUNS

VALUES is a file of little-endian f64, one series; RUNS is how many runs the table has. The working directory is empty and
the tracker's own; Cresset's has the long run in `.cresset` and the others in `others`, and $CRESSET is its program. The data
is written with the tracker's own code, its server is started on 127.0.0.1, and the requests that its page sends for a chart
of the series and for the list of runs are timed, as sent and unpacked: the first answer, and the median of five more. The
last line on stdout is one JSON object of figures.

What each answers with differs. A chart: MLflow thins the series to 320 points, TensorBoard to a random sample of 1,000,
neither with the extremes between them; Cresset gives minimum, maximum, mean, first and last of 1,000 buckets. A table: the
runs of the others have twenty numbers each, of which TensorBoard lists the names only; Cresset's have fifty numbers and a
config of fifty fields, and all are asked for.
"""

import array
import gzip
import json
import os
import random
import socket
import statistics
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

os.environ.update(MLFLOW_DISABLE_TELEMETRY="true", DO_NOT_TRACK="1", GIT_PYTHON_REFRESH="quiet")
KEY = "train/loss"
NUMBERS = [f"metric/{i:02}" for i in range(20)]


def ask(url, body=None, form=None):
    """The answer, unpacked, and its size as sent."""
    data = json.dumps(body).encode() if body is not None else None
    kind = "application/json"
    if form is not None:
        data, kind = urllib.parse.urlencode(form).encode(), "application/x-www-form-urlencoded"
    request = urllib.request.Request(url, data, {"Accept-Encoding": "gzip", "Content-Type": kind})
    with urllib.request.urlopen(request, timeout=300) as answer:
        raw = answer.read()
        packed = answer.headers.get("Content-Encoding") == "gzip"
    return (gzip.decompress(raw) if packed else raw), len(raw)


def timed(name, request, count):
    times = []
    for _ in range(6):
        began = time.perf_counter()
        plain, sent = request()
        times.append((time.perf_counter() - began) * 1000)
    return {
        f"{name}_first_ms": times[0],
        f"{name}_ms": statistics.median(times[1:]),
        f"{name}_sent_kib": sent / 1024,
        f"{name}_count": count(plain),
    }


class Cresset:
    folder = ".cresset"

    def write(self, values, runs):
        """The long run is there; what it takes up is its log and the index. Then come the others."""
        self.last, self.runs = len(values), runs
        subprocess.run([os.environ["CRESSET"], "index", "rebuild", "--dir", self.folder], check=True, stdout=sys.stderr)
        size = sum(os.path.getsize(os.path.join(at, name)) for at, _, names in os.walk(self.folder) for name in names)
        os.rename("others/sweep", f"{self.folder}/sweep")
        return size

    def command(self, port):
        return [os.environ["CRESSET"], "ui", self.folder, "--port", str(port), "--no-open"]

    def wait(self, base):
        self.api = base + "/api/v1/projects"
        keys = lambda: json.loads(ask(f"{self.api}/long/keys")[0])
        wait_for(lambda: [key["count"] for key in keys() if key["key"] == KEY] == [self.last])
        total = lambda: json.loads(ask(f"{self.api}/sweep/runs?limit=1")[0])["total"]
        wait_for(lambda: total() == self.runs)
        self.run = json.loads(ask(f"{self.api}/long/runs")[0])["runs"][0]["id"]

    def measure(self, base):
        def buckets(plain):
            header = json.loads(plain[8 : 8 + int.from_bytes(plain[4:8], "little")])
            return header["charts"][0]["series"][0]["length"]

        query = urllib.parse.urlencode({"runs": self.run, "key": KEY, "buckets": 1000})
        figures = timed("chart", lambda: ask(f"{self.api}/long/series?{query}"), buckets)
        query = f"{self.api}/sweep/runs?limit={self.runs}&columns=*"
        return figures | timed("table", lambda: ask(query), lambda b: len(json.loads(b)["runs"]))


class Mlflow:
    def write(self, values, runs):
        import sqlite3
        from mlflow.entities import Metric, Param
        from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

        store = SqlAlchemyStore("sqlite:///mlflow.db", "artifacts")
        self.chart, self.table = store.create_experiment("chart"), store.create_experiment("table")
        self.run = store.create_run(self.chart, "u", 0, [], "long").info.run_id
        store.log_batch(self.run, [Metric(KEY, values[0], 1, 0)], [], [])
        # One by one these would take an hour: rows like the one that it wrote itself.
        database = sqlite3.connect("mlflow.db")
        columns = [column[1] for column in database.execute("pragma table_info(metrics)")]
        row = dict(zip(columns, database.execute("select * from metrics").fetchone()))

        def rows():
            for step in range(1, len(values)):
                row.update(step=step, value=values[step], timestamp=step)
                yield tuple(row[column] for column in columns)

        marks = ",".join("?" * len(columns))
        database.executemany(f"insert into metrics values ({marks})", rows())
        last = (len(values) - 1, values[-1], len(values))
        database.execute("update latest_metrics set step = ?, value = ?, timestamp = ?", last)
        database.commit()
        database.close()
        size = os.path.getsize("mlflow.db")
        for number in range(runs):
            run = store.create_run(self.table, "u", number, [], f"run {number}").info.run_id
            metrics = [Metric(name, random.random(), 1, 0) for name in NUMBERS]
            store.log_batch(run, metrics, [Param("lr", str(random.random()))], [])
        return size

    def command(self, port):
        return [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port),
                "--backend-store-uri", "sqlite:///mlflow.db", "--workers", "1"]

    def wait(self, base):
        wait_for(lambda: ask(base + "/health"))
        time.sleep(15)  # its job workers are still starting

    def measure(self, base):
        query = urllib.parse.urlencode({"run_ids": self.run, "metric_key": KEY, "max_results": 320})
        path = "/ajax-api/2.0/mlflow/metrics/get-history-bulk-interval?" + query
        figures = timed("chart", lambda: ask(base + path), lambda b: len(json.loads(b)["metrics"]))
        search = {"experiment_ids": [self.table], "max_results": 1000, "order_by": ["attributes.start_time DESC"]}
        path = "/ajax-api/2.0/mlflow/runs/search"
        figures |= timed("table", lambda: ask(base + path, body=search), lambda b: len(json.loads(b)["runs"]))
        return figures


class Tensorboard:
    api = "/experiment/defaultExperimentId/data/plugin/timeseries/"

    def write(self, values, runs):
        from tensorboardX.proto.event_pb2 import Event
        from tensorboardX.proto.summary_pb2 import Summary
        from tensorboardX.record_writer import RecordWriter

        def write(run, points):
            os.makedirs(f"events/{run}")
            writer = RecordWriter(f"events/{run}/events.out.tfevents.1.bench")
            writer.write(Event(wall_time=1, file_version="brain.Event:2").SerializeToString())
            for key, step, value in points:
                summary = Summary(value=[Summary.Value(tag=key, simple_value=value)])
                writer.write(Event(wall_time=step, step=step, summary=summary).SerializeToString())
            writer.close()

        write("long", ((KEY, step, value) for step, value in enumerate(values)))
        self.last, self.runs = len(values) - 1, runs
        size = os.path.getsize("events/long/events.out.tfevents.1.bench")
        for number in range(runs):
            write(f"run{number}", ((name, 0, random.random()) for name in NUMBERS))
        return size

    def command(self, port):
        return [sys.executable, "-m", "tensorboard.main", "--logdir", "events", "--host", "127.0.0.1", "--port", str(port)]

    def series(self, base):
        form = {"requests": json.dumps([{"plugin": "scalars", "tag": KEY}])}
        return ask(base + self.api + "timeSeries", form=form)

    def points(self, plain):
        return json.loads(plain)[0]["runToSeries"]["long"]

    def wait(self, base):
        """It reads all files into memory before it can answer."""
        wait_for(lambda: self.points(self.series(base)[0])[-1]["step"] == self.last)
        known = lambda: json.loads(ask(base + self.api + "tags")[0])["scalars"]["runTagInfo"]
        wait_for(lambda: len(known()) == self.runs + 1)

    def measure(self, base):
        figures = timed("chart", lambda: self.series(base), lambda b: len(self.points(b)))
        count = lambda b: len(json.loads(b)["scalars"]["runTagInfo"])
        return figures | timed("table", lambda: ask(base + self.api + "tags"), count)


def wait_for(ready):
    began = time.monotonic()
    while time.monotonic() - began < 600:
        try:
            if ready():
                return
        except (OSError, KeyError, IndexError, TypeError, ValueError):
            pass
        time.sleep(0.2)
    raise SystemExit("the server is not ready after ten minutes")


def resident_mib(pid):
    """Of a process and what it started."""
    total, left = 0, [pid]
    while left:
        pid = left.pop()
        try:
            for task in os.listdir(f"/proc/{pid}/task"):
                left += map(int, open(f"/proc/{pid}/task/{task}/children").read().split())
            status = open(f"/proc/{pid}/status").read()
            total += sum(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:"))
        except OSError:
            pass
    return total / 1024


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def main():
    tracker, file, runs = sys.argv[1], sys.argv[2], int(sys.argv[3])
    values = array.array("d", open(file, "rb").read())
    if sys.byteorder == "big":
        values.byteswap()
    peer = {"cresset": Cresset, "mlflow": Mlflow, "tensorboard": Tensorboard}[tracker]()
    size = peer.write(values, runs)
    port = free_port()
    with open("server.log", "w") as log:
        began = time.perf_counter()
        server = subprocess.Popen(peer.command(port), stdout=log, stderr=log, start_new_session=True)
        try:
            base = f"http://127.0.0.1:{port}"
            peer.wait(base)
            figures = {"ready_s": time.perf_counter() - began, "bytes_a_point": size / len(values)}
            figures |= peer.measure(base)
            figures["memory_mib"] = resident_mib(server.pid)
        finally:
            # With all that it started: they are a session of their own.
            os.killpg(server.pid, 9)
            server.wait()
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
