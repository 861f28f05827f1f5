"""Writes event files in the form of TensorFlow 2, by TensorBoard's own messages, and prints what it wrote."""

import io
import json
import sys
import wave

import numpy as np
from tensorboard.compat.proto import event_pb2, summary_pb2, tensor_pb2, types_pb2
from tensorboard.plugins.audio import metadata as audio
from tensorboard.plugins.histogram import metadata as histograms
from tensorboard.plugins.image import metadata as images
from tensorboard.plugins.mesh import metadata as mesh
from tensorboard.plugins.scalar import metadata as scalars
from tensorboard.plugins.text import metadata as texts
from tensorboard.summary.writer.event_file_writer import EventFileWriter
from tensorboard.util import tensor_util

writer = EventFileWriter(sys.argv[1])
make = tensor_util.make_tensor_proto


def add(tag, step, tensor, metadata=None):
    """A tag's metadata comes with its first value only."""
    value = summary_pb2.Summary.Value(tag=tag, tensor=tensor, metadata=metadata)
    summary = summary_pb2.Summary(value=[value])
    writer.add_event(event_pb2.Event(wall_time=1700000000 + step, step=step, summary=summary))


scalar = scalars.create_summary_metadata("", "")
losses = [0.1, float(np.float64(1) / 3), 0.0]
for step, loss in enumerate(losses):
    add("loss", step, make(np.float64(loss)), scalar if step == 0 else None)
content = tensor_pb2.TensorProto(dtype=types_pb2.DT_INT64, tensor_content=np.int64(-7).tobytes())
add("from content", 0, content, scalar)
add("half", 0, make(np.float16(0.333)), scalar)
buckets = np.array([[-1.0, 0.0, 2.0], [0.0, 1.0, 0.0], [1.0, 3.0, 4.0]])
add("weights", 0, make(buckets), histograms.create_summary_metadata("", ""))
png = b"\x89PNG\r\n\x1a\n"
add("pictures", 0, make([b"4", b"3", png, png + b"2"]), images.create_summary_metadata("", ""))
add("said", 0, make(np.array(["one", "two"], dtype=object)), texts.create_summary_metadata("", ""))
sound = io.BytesIO()
with wave.open(sound, "wb") as file:
    file.setnchannels(2)
    file.setsampwidth(2)
    file.setframerate(8000)
    file.writeframes(bytes(3200))
wav = audio.Encoding.Value("WAV")
add("sound", 0, make([[sound.getvalue(), b""]]), audio.create_summary_metadata("", "", wav))
points = summary_pb2.SummaryMetadata()
points.plugin_data.plugin_name = mesh.PLUGIN_NAME
add("cloud", 0, make(np.zeros((1, 2, 3))), points)
writer.close()
print(
    json.dumps(
        {"loss": losses, "from content": [-7.0], "half": [float(np.float16(0.333))]}
    )
)
