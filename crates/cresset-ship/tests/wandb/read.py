"""Prints the records of a `.wandb` file as JSON lines, decoded with the messages of the installed wandb package.

wandb 0.31 reads such files in its Go part alone, so that blocks and checksums are checked here.
"""

import json
import struct
import sys
import zlib

from google.protobuf.json_format import MessageToDict
from wandb.proto import wandb_internal_pb2

BLOCK = 32 * 1024
FULL, FIRST, MIDDLE, LAST = 1, 2, 3, 4


def payloads(data: bytes):
    magic, number, version = struct.unpack("<4sHB", data[:7])
    assert (magic, number, version) == (b":W&B", 0xBEE1, 0), data[:7]
    at, parts = 7, []
    while at < len(data):
        left = BLOCK - at % BLOCK
        if left < 7:
            assert data[at : at + left].strip(b"\0") == b"", f"padding at {at}"
            at += left
            continue
        checksum, length, kind = struct.unpack("<IHB", data[at : at + 7])
        payload = data[at + 7 : at + 7 + length]
        assert len(payload) == length and length + 7 <= left, f"length at {at}"
        assert zlib.crc32(bytes([kind]) + payload) == checksum, f"checksum at {at}"
        assert (kind in (FULL, FIRST)) == (not parts), f"kind {kind} at {at}"
        parts.append(payload)
        at += 7 + length
        if kind in (FULL, LAST):
            yield b"".join(parts)
            parts = []
    assert not parts, "ends within a record"


def main(path: str) -> None:
    with open(path, "rb") as file:
        data = file.read()
    for payload in payloads(data):
        record = wandb_internal_pb2.Record()
        record.ParseFromString(payload)
        print(json.dumps(MessageToDict(record, preserving_proto_field_name=True)))


main(sys.argv[1])
