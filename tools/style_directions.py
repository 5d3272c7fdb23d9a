"""Finds the main directions in which styles differ, for the sliders of the style lab.

Usage: style_directions.py arbitrary_predict.onnx

Reads the style (100 numbers) of many squares of the paintings that ship with the page, at two sizes,
mirrored and turned, and writes the first principal components to src/labs/style_directions.json, each
as long as one standard deviation of the styles along it. A component and its opposite are the same to
the analysis: the sign is chosen so that the largest number is positive.
"""

import json
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from package_weights import without_fake_quantisation
from PIL import Image

COUNT = 4
SIDE = 256


def squares(picture):
    for side in (SIDE, min(picture.size)):
        columns, rows = (max(1, length // side) for length in picture.size)
        for row in range(rows):
            for column in range(columns):
                left = (picture.width - side) * column // max(1, columns - 1)
                top = (picture.height - side) * row // max(1, rows - 1)
                square = picture.crop((left, top, left + side, top + side)).resize((SIDE, SIDE), Image.Resampling.BILINEAR)
                for turned in (square, square.transpose(Image.Transpose.FLIP_LEFT_RIGHT), square.transpose(Image.Transpose.ROTATE_90)):
                    yield np.asarray(turned, np.float32)[None] / 255


def main():
    model = without_fake_quantisation(onnx.load(sys.argv[1]))
    session = onnxruntime.InferenceSession(model.SerializeToString())
    name = session.get_inputs()[0].name
    styles = []
    for path in sorted(Path("public/paintings").glob("*.jpg")):
        own = [session.run(None, {name: square})[0].reshape(-1) for square in squares(Image.open(path).convert("RGB"))]
        # Each painting counts the same, however many squares it has.
        styles.append((np.array(own), np.full(len(own), 1 / len(own))))
    values = np.concatenate([own for own, _ in styles]).astype(np.float64)
    weights = np.concatenate([weight for _, weight in styles]) / len(styles)
    centred = values - weights @ values
    variances, vectors = np.linalg.eigh((centred * weights[:, None]).T @ centred)
    order = np.argsort(variances)[::-1][:COUNT]
    shares = variances[order] / variances.sum()
    print(f"{len(values)} squares; the first {COUNT} directions hold {np.round(shares * 100).astype(int)} % of the variance")
    directions = []
    for index in order:
        vector = vectors[:, index] * np.sqrt(variances[index])
        if vector[np.abs(vector).argmax()] < 0:
            vector = -vector
        directions.append([round(float(value), 4) for value in vector])
    text = ",\n".join(json.dumps(direction) for direction in directions)
    Path("src/labs/style_directions.json").write_text(f"[{text}]\n")


if __name__ == "__main__":
    main()
