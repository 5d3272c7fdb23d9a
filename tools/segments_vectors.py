"""Graph-based segmentation by scikit-image, on a photograph of the tests.

segments_vectors.py PICTURE FILE writes the segments that src/methods/segments.rs has to find in the picture, as runs of pixels
by row: each a number of a segment and a length. Nothing here is taken from the Rust code.
"""

import itertools
import json
import sys

import numpy as np
from PIL import Image
from skimage.segmentation import felzenszwalb


def runs(labels):
    """Segments are numbered as they are met, by row."""
    names = {}
    flat = [names.setdefault(int(label), len(names)) for label in labels.reshape(-1)]
    return [[label, len(list(pixels))] for label, pixels in itertools.groupby(flat)]


picture, out = sys.argv[1:]
pixels = np.asarray(Image.open(picture).convert("RGB"))
cases = []
for k, sigma, least in [(100, 0.8, 20), (300, 0.5, 50)]:
    labels = felzenszwalb(pixels, scale=k, sigma=sigma, min_size=least, channel_axis=2)
    cases.append({"k": k, "sigma": sigma, "least": least, "count": int(labels.max()) + 1, "runs": runs(labels)})
with open(out, "w") as file:
    json.dump({"height": pixels.shape[0], "width": pixels.shape[1], "cases": cases}, file, separators=(",", ":"))
    file.write("\n")
