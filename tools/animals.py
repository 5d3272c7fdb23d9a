"""Writes photographs and cut-outs of animals and vehicles, which detectors look for, from two Debian packages.

Usage: animals.py explore_farm_animals.rcc STAMPS

The first is in gcompris-qt-data, STAMPS is the folder of tuxpaint-stamps-default. Writes public/samples/<name>.jpg and
public/cutouts/<name>.webp; what they are and on which terms: the README.md of each folder. The names of the cut-outs are in
src/labs/truth/scene.rs.
"""

import io
import sys
from pathlib import Path

from paintings import files
from PIL import Image

FARM = "/gcompris/src/activities/explore_farm_animals/resource/animals"
SAMPLES = {"cows": "cow.webp", "horses": "horse.webp"}
CUTOUTS = {
    "fireman": "people/fireman240a.png",
    "car": "vehicles/auto/sedan.png",
    "bus": "vehicles/masstransit/green_korean_bus.png",
    "dog": "animals/mammals/dogs/dog.png",
    "sheep": "animals/mammals/bovines/sheep.png",
    "ram": "animals/mammals/bovines/ram.png",
    "horse": "animals/mammals/equines/horse.png",
    "cow": "animals/mammals/bovines/cow.png",
    "bull": "animals/mammals/bovines/bull.png",
}
# Columns of a sample.
WIDTH = 640


def main(farm, stamps):
    resource = files(Path(farm).read_bytes())
    for name, file in SAMPLES.items():
        picture = Image.open(io.BytesIO(resource[f"{FARM}/{file}"])).convert("RGB")
        picture = picture.resize((WIDTH, round(picture.height * WIDTH / picture.width)), Image.Resampling.LANCZOS)
        target = Path(f"public/samples/{name}.jpg")
        picture.save(target, quality=88, optimize=True)
        print(target, picture.size, target.stat().st_size)
    Path("public/cutouts").mkdir(exist_ok=True)
    for name, file in CUTOUTS.items():
        picture = Image.open(Path(stamps) / file).convert("RGBA")
        # Boxes are those of what is there, not of the file.
        picture = picture.crop(picture.getchannel("A").point(lambda value: 255 * (value > 127)).getbbox())
        target = Path(f"public/cutouts/{name}.webp")
        picture.save(target, quality=88, method=6)
        print(target, picture.size, target.stat().st_size)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
