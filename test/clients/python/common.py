# SPDX-License-Identifier: AGPL-3.0-only
"""What the Python clients have in common. script.go of the clients' runner says what the models answer."""

import base64
import inspect
import struct
import sys
import traceback
import zlib

MODEL = "test-model"  # behind it is OpenAI's chat format
CLAUDE = "claude-test"  # behind it is Anthropic's
TEXT = "Hello from the backend 🎈"
ARGUMENTS = {"city": "Köln", "unit": "celsius"}
PARIS = {"city": "Paris", "unit": "celsius"}
WEATHER = {
    "type": "object", "required": ["city", "unit"], "additionalProperties": False,
    "properties": {"city": {"type": "string"}, "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]}},
}
EVENT = {
    "type": "object", "required": ["name", "participants"], "additionalProperties": False,
    "properties": {"name": {"type": "string"}, "participants": {"type": "array", "items": {"type": "string"}}},
}
FAIR = {"name": "Science fair", "participants": ["Alice", "Bob"]}
SEEN = "I see 2x1 pixels of #0a141e"
THOUGHT = "Two steps at a time."  # of the model behind CLAUDE, where thinking is asked for
checks = []


def check(f):
    """A check; one with an argument "model" is done with the models of both backends."""
    models = (MODEL, CLAUDE) if "model" in inspect.signature(f).parameters else (None,)
    for model in models:
        checks.append((f.__name__ + (f" {model}" if model else ""), f, [model] if model else []))
    return f


def same(got, want):
    assert got == want, f"got {got!r}, want {want!r}"


def raised(kind, call):
    """The exception of exactly that class that call raises."""
    try:
        got = call()
    except kind as e:
        same(type(e), kind)
        return e
    raise AssertionError(f"no {kind.__name__}, but {got!r}")


def png():
    """A picture, two pixels wide."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    pixels = b"\0" + bytes([10, 20, 30]) * 2
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 2, 1, 8, 2, 0, 0, 0)) + chunk(b"IDAT", zlib.compress(pixels)) + chunk(b"IEND", b"")


def png64():
    return base64.b64encode(png()).decode()


def main(name, version):
    print("name", name, version)
    failed = 0
    for name, f, arguments in checks:
        try:
            f(*arguments)
            print("ok", name)
        except Exception as e:
            failed += 1
            frames = traceback.extract_tb(e.__traceback__)
            where = [x.lineno for x in frames if "check_" in x.filename][-1]
            print(f"FAIL {name}: {type(e).__name__}: {e} (line {where})".replace("\n", " "))
    sys.exit(1 if failed else 0)
