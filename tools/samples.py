"""Writes the sample photographs of the page, public/samples/*.jpg, from PyPI packages.

Usage: samples.py   (needs tools/requirements.txt; pictures and licences: public/samples/README.md)
"""

from importlib.resources import files
from pathlib import Path

from PIL import Image

PICTURES = {
    "cat": ("skimage", "data/chelsea.png"),
    "astronaut": ("skimage", "data/astronaut.png"),
    "coffee": ("skimage", "data/coffee.png"),
    "photographer": ("skimage", "data/camera.png"),
    "temple": ("sklearn", "datasets/images/china.jpg"),
    "rocket": ("skimage", "data/rocket.jpg"),
}

for name, (package, path) in PICTURES.items():
    with Image.open(files(package) / path) as picture:
        target = Path("public/samples") / f"{name}.jpg"
        picture.convert("RGB").save(target, quality=88, optimize=True)
        print(target, picture.size, target.stat().st_size)
