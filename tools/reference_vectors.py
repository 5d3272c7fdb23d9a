"""Makes the reference vectors of the parity tests, tests/vectors/.

Usage: reference_vectors.py ssd.tflite selfie.tflite

For each of four sample photographs and both networks:
  <name>-<network>.png   the network's input as 8-bit RGB, resized with Pillow's bilinear filter
  <name>-ssd.bin         float32 little-endian: 1917 x 4 encodings, then 1917 x 24 logits
  <name>-ssd.json        detections at score 0.4 and IoU 0.5, decoded here in numpy
  <name>-selfie.bin      uint16 little-endian: 256 x 256 matte, 65535 = 1
The networks run in LiteRT from the TFLite files of the packages; the decoding below is written
from the papers and shares nothing with the Rust code.
"""

import json
import sys
from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from PIL import Image

PHOTOGRAPHS = ["cat", "astronaut", "coffee", "photographer"]
OUT = Path("tests/vectors")


def run(model, image):
    interpreter = Interpreter(model_path=model, num_threads=1)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], image[None])
    interpreter.invoke()
    return [interpreter.get_tensor(o["index"])[0] for o in interpreter.get_output_details()]


def anchors():
    scales = list(np.linspace(0.2, 0.95, 6)) + [1.0]
    rows = []
    for index, cells in enumerate([19, 10, 5, 3, 2, 1]):
        if index == 0:
            shapes = [(0.1, 1.0), (0.2, 2.0), (0.2, 0.5)]
        else:
            shapes = [(scales[index], r) for r in (1.0, 2.0, 0.5, 3.0, 1 / 3)]
            shapes.append((np.sqrt(scales[index] * scales[index + 1]), 1.0))
        for y in range(cells):
            for x in range(cells):
                for scale, ratio in shapes:
                    rows.append([(y + 0.5) / cells, (x + 0.5) / cells, scale / np.sqrt(ratio), scale * np.sqrt(ratio)])
    return np.array(rows)


def detections(encodings, logits, score_min=0.4, iou_max=0.5):
    a = anchors()
    centre = encodings[:, :2] / 10 * a[:, 2:] + a[:, :2]
    size = np.exp(encodings[:, 2:] / 5) * a[:, 2:]
    boxes = np.clip(np.concatenate([centre - size / 2, centre + size / 2], 1), 0, 1)[:, [1, 0, 3, 2]]
    scores = 1 / (1 + np.exp(-logits.astype(np.float64)))
    found = []
    for k in range(1, scores.shape[1]):
        order = [i for i in np.argsort(-scores[:, k]) if scores[i, k] >= score_min]
        kept = []
        for i in order:
            if all(overlap(boxes[i], boxes[j]) <= iou_max for j in kept):
                kept.append(i)
                found.append({"class": k, "score": float(scores[i, k]), "box": [float(v) for v in boxes[i]]})
    return sorted(found, key=lambda d: -d["score"])


def overlap(a, b):
    w = max(0.0, min(a[2], b[2]) - max(a[0], b[0]))
    h = max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
    area = lambda c: (c[2] - c[0]) * (c[3] - c[1])
    return w * h / (area(a) + area(b) - w * h)


def main():
    ssd, selfie = sys.argv[1:]
    OUT.mkdir(parents=True, exist_ok=True)
    for name in PHOTOGRAPHS:
        photograph = Image.open(f"public/samples/{name}.jpg").convert("RGB")
        small = photograph.resize((300, 300), Image.Resampling.BILINEAR)
        small.save(OUT / f"{name}-ssd.png", optimize=True)
        outputs = run(ssd, np.asarray(small, np.float32) / 127.5 - 1)
        encodings = next(o for o in outputs if o.shape == (1917, 4))
        logits = next(o for o in outputs if o.shape == (1917, 24))
        np.concatenate([encodings.ravel(), logits.ravel()]).astype("<f4").tofile(OUT / f"{name}-ssd.bin")
        found = detections(encodings, logits)
        (OUT / f"{name}-ssd.json").write_text(json.dumps(found, indent=1) + "\n")
        print(name, [(d["class"], round(d["score"], 3)) for d in found])

        small = photograph.resize((256, 256), Image.Resampling.BILINEAR)
        small.save(OUT / f"{name}-selfie.png", optimize=True)
        matte = run(selfie, np.asarray(small, np.float32) / 255)[0].ravel()
        np.round(matte * 65535).astype("<u2").tofile(OUT / f"{name}-selfie.bin")
        print(name, "person covers", round(float(matte.mean()), 4))


if __name__ == "__main__":
    main()
