"""Golden files of packages/training: an event file as TensorBoard's own writer makes it, and CRC-32C checksums.

Run from the repository root: python tools/reference/tensorboard_golden.py
Needs tensorboard; its version is in the file.
"""

import base64
import glob
import importlib.metadata
import json
import tempfile
from pathlib import Path

from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import crc32c, masked_crc32c
from tensorboard.summary.writer.record_writer import RecordWriter

OUT = Path("packages/training/test/goldens/tensorboard.json")
STEPS = [
    (0, {"loss": 8.25}),
    (1, {"pretrain/loss": 7.1, "pretrain/gradientNorm": 0.333}),
    (127, {"größe": -1e-30, "nan": float("nan"), "infinity": float("inf")}),
    (128, {}),
    (5_000_000_000, {"x" * 200: 3.4e38}),
]

events = [Event(wall_time=1700000000.5, file_version="brain.Event:2")]
for at, (step, figures) in enumerate(STEPS):
    values = [Summary.Value(tag=tag, simple_value=value) for tag, value in figures.items()]
    events.append(Event(wall_time=1700000001.0 + at, step=step, summary=Summary(value=values)))
with tempfile.TemporaryDirectory() as folder:
    path = Path(folder) / "events"
    with open(path, "wb") as file:
        writer = RecordWriter(file)
        for event in events:
            writer.write(event.SerializeToString())
    content = path.read_bytes()

TEXTS = ["", "a", "123456789", "The quick brown fox jumps over the lazy dog", "\0" * 32, "é" * 1000]
golden = {
    "made_by": f"tensorboard {importlib.metadata.version('tensorboard')}",
    "file": base64.b64encode(content).decode(),
    "checksums": [[text, crc32c(text.encode()), masked_crc32c(text.encode())] for text in TEXTS],
}
OUT.write_text(json.dumps(golden, indent=1) + "\n")
