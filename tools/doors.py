"""Makes the pictures on two doors of the front page: public/ascent.jpg, four classes, each by `kiln ascend` with its defaults,
and public/evidence.jpg, by `kiln saliency`.

Usage: doors.py KILN
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

CLASSES = ["daisy", "tiger", "mushroom", "flamingo"]
SIDE, GAP = 224, 4


def main():
    sheet = Image.new("RGB", (2 * SIDE + GAP, 2 * SIDE + GAP), "white")
    with tempfile.TemporaryDirectory() as folder:
        for index, name in enumerate(CLASSES):
            path = Path(folder) / f"{index}.png"
            subprocess.run([sys.argv[1], "ascend", "--class", name, "--out", path], check=True)
            sheet.paste(Image.open(path).convert("RGB"), (index % 2 * (SIDE + GAP), index // 2 * (SIDE + GAP)))
        path = Path(folder) / "evidence.png"
        subprocess.run([sys.argv[1], "saliency", "public/samples/coffee.jpg", "--out", path], check=True)
        Image.open(path).convert("RGB").save("public/evidence.jpg", quality=85, optimize=True)
    sheet.save("public/ascent.jpg", quality=85, optimize=True)


if __name__ == "__main__":
    main()
