"""Makes the reference vectors of the style network's parity test, in tests/vectors/.

Usage: style_vectors.py multistyle26.onnx

For each of three sample photographs, 128 x 96 pixels and two mixtures of styles:
  <name>-style.png   the network's input as 8-bit RGB, resized with Pillow's bilinear filter
  <name>-style.bin   uint16 little-endian, 65535 = 1: [2, 3, 96, 128], RGB planes of each mixture
onnxruntime runs the package's graph with its weights rounded to f16, which is how Kiln stores them;
what the rounding costs is printed.
"""

import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import numpy_helper
from PIL import Image

PHOTOGRAPHS = ["cat", "astronaut", "coffee"]
MIXTURES = [{12: 1.0}, {3: 1 / 3, 19: 2 / 3}]
OUT = Path("tests/vectors")


def rounded(source):
    model = onnx.load(source)
    for initialiser in model.graph.initializer:
        value = numpy_helper.to_array(initialiser)
        if value.dtype == np.float32:
            half = value.astype(np.float16).astype(np.float32)
            initialiser.CopyFrom(numpy_helper.from_array(half, initialiser.name))
    return model.SerializeToString()


def main():
    source = Path(sys.argv[1]).read_bytes()
    exact, half = (onnxruntime.InferenceSession(model) for model in (source, rounded(sys.argv[1])))
    for name in PHOTOGRAPHS:
        small = Image.open(f"public/samples/{name}.jpg").convert("RGB").resize((128, 96), Image.Resampling.BILINEAR)
        small.save(OUT / f"{name}-style.png", optimize=True)
        image = np.asarray(small, np.float32).transpose(2, 0, 1)[None] / 255
        outputs = []
        for mixture in MIXTURES:
            weights = np.zeros(26, np.float32)
            for style, weight in mixture.items():
                weights[style] = weight
            inputs = {"image": image, "style_weights": weights}
            outputs.append(half.run(None, inputs)[0])
            cost = np.abs(outputs[-1] - exact.run(None, inputs)[0])
            print(f"{name}, styles {mixture}: f16 weights move a value by {cost.mean():.1e} on average, {cost.max():.1e} at most")
        np.round(np.concatenate(outputs) * 65535).astype("<u2").tofile(OUT / f"{name}-style.bin")


if __name__ == "__main__":
    main()
