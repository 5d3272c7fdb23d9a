"""Puts together the paintings of Debian's gcompris-qt-data, which holds them as jigsaw pieces.

Usage: paintings.py paintings.rcc

Reads Qt's resource format, then lays each board's pieces where the board says they belong. Writes
public/paintings/<name>.jpg; names, titles and painters are in src/protocol/paintings.rs.
"""

import io
import re
import struct
import sys
import zlib
from pathlib import Path

from PIL import Image

# Pixels that the jigsaw's outline darkens or leaves out, at each edge.
MARGIN = 4
BOARDS = {
    "great-wave": 7,
    "auvers": 22,
    "composition-8": 19,
    "poppies": 11,
    "harvesters": 17,
    "galette": 1,
    "summertime": 21,
    "spring": 2,
}


def files(resource):
    """Paths and bytes in a Qt resource file (version 1 to 3, zlib or plain)."""
    magic, version, tree, data, names = struct.unpack(">4s4I", resource[:20])
    if magic != b"qres":
        sys.exit("this is not a Qt resource file")
    row = 22 if version >= 2 else 14

    def name(offset):
        length = struct.unpack_from(">H", resource, names + offset)[0]
        start = names + offset + 6
        return resource[start : start + 2 * length].decode("utf-16-be")

    def walk(index, path):
        offset = tree + index * row
        name_at, flags = struct.unpack_from(">IH", resource, offset)
        here = f"{path}/{name(name_at)}" if index else ""
        if flags & 2:
            count, first = struct.unpack_from(">II", resource, offset + 6)
            for child in range(first, first + count):
                yield from walk(child, here)
        else:
            start = data + struct.unpack_from(">I", resource, offset + 10)[0]
            length = struct.unpack_from(">I", resource, start)[0]
            body = resource[start + 4 : start + 4 + length]
            yield here, zlib.decompress(body[4:]) if flags & 1 else body

    return dict(walk(0, ""))


def assemble(board, pieces):
    """One painting: each piece's centre is given as a share of the board's width and height."""
    entries = re.findall(r"\{[^{}]*\}", board[board.index("levels") :])
    fields = [dict(re.findall(r'"(\w+)"\s*:\s*"?([^",\n]+)', entry)) for entry in entries]
    frame = next(f for f in fields if f.get("type") == "SHAPE_BACKGROUND_IMAGE")
    width, height = int(frame["width"]), int(frame["height"])
    painting = Image.new("RGBA", (width, height))
    for field in fields:
        if "x" not in field or not field["pixmapfile"].endswith("webp"):
            continue
        piece = Image.open(io.BytesIO(pieces[Path(field["pixmapfile"]).name])).convert("RGBA")
        x = round(float(field["x"]) * width - piece.width / 2)
        y = round(float(field["y"]) * height - piece.height / 2)
        painting.alpha_composite(piece, (max(x, 0), max(y, 0)))
    return painting


def main():
    contents = files(Path(sys.argv[1]).read_bytes())
    pieces = {Path(path).name: body for path, body in contents.items()}
    out = Path("public/paintings")
    out.mkdir(parents=True, exist_ok=True)
    for name, board in BOARDS.items():
        painting = assemble(pieces[f"board{board}_0.qml"].decode(), pieces)
        left, top, right, bottom = painting.getchannel("A").point(lambda a: 255 * (a > 200)).getbbox()
        painting = painting.crop((left + MARGIN, top + MARGIN, right - MARGIN, bottom - MARGIN))
        ground = Image.new("RGBA", painting.size, (128, 128, 128, 255))
        ground.alpha_composite(painting)
        ground.convert("RGB").save(out / f"{name}.jpg", quality=86, optimize=True)
        print(name, ground.size)


if __name__ == "__main__":
    main()
