"""Makes the reference vectors of the style networks' parity tests, in tests/vectors/.

Usage: style_vectors.py multistyle26.onnx arbitrary_predict.onnx arbitrary_transform.onnx

For each of three sample photographs, 128 x 96 pixels:
  <name>-style.png      the networks' input as 8-bit RGB, resized with Pillow's bilinear filter
  <name>-style.bin      uint16 little-endian, 65535 = 1: [2, 3, 96, 128], RGB planes of two mixtures
  <name>-any-style.bin  float32 little-endian: the 100 numbers read from <name>-selfie.png (256 x 256);
                        then uint16: [3, 96, 128], the next photograph's -style.png painted in them
onnxruntime runs the packages' graphs with weights rounded to f16, which is how Kiln stores them, and
the arbitrary pair without the rounding of activations to 8 bits. What each of the two roundings
costs is printed.
"""

import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import numpy_helper
from package_weights import without_fake_quantisation
from PIL import Image

PHOTOGRAPHS = ["cat", "astronaut", "coffee"]
MIXTURES = [{12: 1.0}, {3: 1 / 3, 19: 2 / 3}]
OUT = Path("tests/vectors")


def rounded(model):
    for initialiser in model.graph.initializer:
        value = numpy_helper.to_array(initialiser)
        if value.dtype == np.float32:
            half = value.astype(np.float16).astype(np.float32)
            initialiser.CopyFrom(numpy_helper.from_array(half, initialiser.name))
    return model


def any_size(model):
    """The painter's graph names 384 x 384, but nothing in it depends on that."""
    for index, name in ((1, "height"), (2, "width")):
        model.graph.input[0].type.tensor_type.shape.dim[index].dim_param = name
        model.graph.output[0].type.tensor_type.shape.dim[index].dim_param = f"out_{name}"
    del model.graph.value_info[:]
    return model


def session(model):
    return onnxruntime.InferenceSession(model.SerializeToString())


def run(session, *inputs):
    return session.run(None, {i.name: value for i, value in zip(session.get_inputs(), inputs)})[0]


def pixels(path):
    return np.asarray(Image.open(path).convert("RGB"), np.float32) / 255


def difference(a, b):
    return f"{np.abs(a - b).mean():.1e} on average, {np.abs(a - b).max():.1e} at most"


def built_in(source):
    exact, half = session(onnx.load(source)), session(rounded(onnx.load(source)))
    for name in PHOTOGRAPHS:
        small = Image.open(f"public/samples/{name}.jpg").convert("RGB").resize((128, 96), Image.Resampling.BILINEAR)
        small.save(OUT / f"{name}-style.png", optimize=True)
        image = pixels(OUT / f"{name}-style.png").transpose(2, 0, 1)[None]
        outputs = []
        for mixture in MIXTURES:
            weights = np.zeros(26, np.float32)
            for style, weight in mixture.items():
                weights[style] = weight
            outputs.append(run(half, image, weights))
            print(f"{name}, styles {mixture}: f16 costs {difference(outputs[-1], run(exact, image, weights))}")
        np.round(np.concatenate(outputs) * 65535).astype("<u2").tofile(OUT / f"{name}-style.bin")


def arbitrary(predict, transform):
    plain = lambda path: without_fake_quantisation(onnx.load(path))
    original = [session(onnx.load(predict)), session(onnx.load(transform))]
    exact = [session(plain(predict)), session(any_size(plain(transform)))]
    half = [session(rounded(plain(predict))), session(any_size(rounded(plain(transform))))]
    for name, content in zip(PHOTOGRAPHS, PHOTOGRAPHS[1:] + PHOTOGRAPHS[:1]):
        style_picture = pixels(OUT / f"{name}-selfie.png")[None]
        image = pixels(OUT / f"{content}-style.png")[None]
        style, exact_style = (run(pair[0], style_picture) for pair in (half, exact))
        painted, exact_painted = (run(pair[1], image, v) for pair, v in ((half, style), (exact, exact_style)))
        print(f"{name}: f16 costs {difference(style, exact_style)} in a style; painted, {difference(painted, exact_painted)}")
        large = Image.open(f"public/samples/{content}.jpg").convert("RGB").resize((384, 384), Image.Resampling.BILINEAR)
        large = np.asarray(large, np.float32)[None] / 255
        shown = run(original[0], style_picture)
        print(f"{name}: 8-bit activations move a style by {difference(exact_style, shown)}; "
              f"painted at 384 x 384, {difference(run(exact[1], large, exact_style), run(original[1], large, shown))}")
        with open(OUT / f"{name}-any-style.bin", "wb") as file:
            file.write(style.astype("<f4").tobytes())
            file.write(np.round(painted[0].transpose(2, 0, 1) * 65535).astype("<u2").tobytes())


def main():
    multistyle26, predict, transform = sys.argv[1:]
    built_in(multistyle26)
    arbitrary(predict, transform)


if __name__ == "__main__":
    main()
