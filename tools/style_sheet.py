"""Makes public/styles.jpg, the tiles of the style picker, and public/samples/temple-style.jpg.

Usage: style_sheet.py KILN_PROGRAM

Kiln itself paints them: a square of the cat in each of the 26 styles, 13 in a row.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

STYLES, COLUMNS, TILE = 26, 13, 104


def paint(kiln, picture, out, *flags):
    subprocess.run([kiln, "stylize", str(picture), "--out", str(out), *flags], check=True, stdout=subprocess.DEVNULL)
    return Image.open(out).convert("RGB")


def main():
    kiln = sys.argv[1]
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        square = folder / "square.png"
        Image.open("public/samples/cat.jpg").crop((30, 0, 330, 300)).resize((256, 256), Image.Resampling.LANCZOS).save(square)
        sheet = Image.new("RGB", (COLUMNS * TILE, STYLES // COLUMNS * TILE))
        for style in range(STYLES):
            painted = paint(kiln, square, folder / "out.png", "--style", str(style))
            tile = painted.resize((TILE, TILE), Image.Resampling.LANCZOS)
            sheet.paste(tile, (style % COLUMNS * TILE, style // COLUMNS * TILE))
        sheet.save("public/styles.jpg", quality=82, optimize=True)
        door = paint(kiln, "public/samples/temple.jpg", folder / "door.png", "--style", "19", "--size", "640")
        door.resize((512, 342), Image.Resampling.LANCZOS).save("public/samples/temple-style.jpg", quality=84, optimize=True)


if __name__ == "__main__":
    main()
