"""Writes the sample photographs of the page, public/samples/*.jpg, from PyPI packages.

Usage: samples.py selfie.tflite
(needs tools/requirements.txt; pictures and licences: public/samples/README.md)
"""

import sys
from importlib.resources import files
from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from PIL import Image

PICTURES = {
    "cat": ("skimage", "data/chelsea.png"),
    "astronaut": ("skimage", "data/astronaut.png"),
    "coffee": ("skimage", "data/coffee.png"),
    "photographer": ("skimage", "data/camera.png"),
    "temple": ("sklearn", "datasets/images/china.jpg"),
    "rocket": ("skimage", "data/rocket.jpg"),
}
OUT = Path("public/samples")
# The crew, from the back to the front: left edge, side, whether mirrored. Found among 1,600 random
# ones: SSD sees all four, and their boxes overlap by up to 0.44, so that the threshold matters.
CREW = [(30, 210, False), (60, 260, False), (380, 270, True), (150, 280, False)]
# Cells of the matte below the first are background, above the second person: a soft border
# would carry the old background along.
BORDER = (0.6, 0.98)


def write(name, picture):
    target = OUT / f"{name}.jpg"
    picture.save(target, quality=88, optimize=True)
    print(target, picture.size, target.stat().st_size)


def person_of(photograph, selfie):
    """The photograph with the selfie network's matte as its alpha."""
    network = Interpreter(model_path=selfie, num_threads=1)
    network.allocate_tensors()
    small = photograph.resize((256, 256), Image.Resampling.BILINEAR)
    network.set_tensor(network.get_input_details()[0]["index"], np.asarray(small, np.float32)[None] / 255)
    network.invoke()
    matte = network.get_tensor(network.get_output_details()[0]["index"])[0, ..., 0]
    low, high = BORDER
    alpha = Image.fromarray((np.clip((matte - low) / (high - low), 0, 1) * 255).astype(np.uint8))
    person = photograph.copy()
    person.putalpha(alpha.resize(photograph.size, Image.Resampling.BICUBIC))
    return person


def crew(astronaut, rocket, selfie):
    """One astronaut four times before her rocket: objects that overlap."""
    person, scene = person_of(astronaut, selfie), rocket.copy()
    for left, side, mirrored in CREW:
        one = person.resize((side, side), Image.Resampling.LANCZOS)
        if mirrored:
            one = one.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        scene.paste(one, (left, scene.height - side), one)
    return scene


def main():
    photographs = {}
    for name, (package, path) in PICTURES.items():
        with Image.open(files(package) / path) as picture:
            photographs[name] = picture.convert("RGB")
        write(name, photographs[name])
    write("crew", crew(photographs["astronaut"], photographs["rocket"], sys.argv[1]))


if __name__ == "__main__":
    main()
