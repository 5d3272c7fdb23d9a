"""EfficientNet-Lite0 as an ONNX graph for pictures of any size, to be timed beside.

Usage: efficientnet_onnx.py efficientnet-lite0.pth TARGET.onnx
"""

import sys

import numpy as np
import onnx
from efficientnet import STAGES, folded
from onnx import TensorProto, helper, numpy_helper


def main():
    source, target = sys.argv[1:]
    tensors = {name: np.ascontiguousarray(value, np.float32) for name, value in folded(source)}
    nodes, initialisers = [], [numpy_helper.from_array(value, name) for name, value in tensors.items()]
    for name, bound in (("zero", 0.0), ("six", 6.0)):
        initialisers.append(numpy_helper.from_array(np.float32(bound), name))

    def layer(x, name, stride=1, depthwise=False, linear=False):
        weight = tensors[f"{name}.conv.weight"]
        kernel = weight.shape[-1]
        y = name if linear else f"{name}.sum"
        nodes.append(
            helper.make_node(
                "Conv",
                [x, f"{name}.conv.weight", f"{name}.conv.bias"],
                [y],
                auto_pad="SAME_UPPER",
                kernel_shape=[kernel, kernel],
                strides=[stride, stride],
                group=weight.shape[0] if depthwise else 1,
            )
        )
        if not linear:
            nodes.append(helper.make_node("Clip", [y, "zero", "six"], [name]))
        return name

    x = layer("image", "stem", 2)
    index = 0
    for _, repeats, first_stride, expansion, _ in STAGES:
        for repeat in range(repeats):
            stride = first_stride if repeat == 0 else 1
            y = layer(x, f"blocks.{index}.expand") if expansion > 1 else x
            y = layer(y, f"blocks.{index}.depthwise", stride, depthwise=True)
            y = layer(y, f"blocks.{index}.project", linear=True)
            if repeat > 0:
                nodes.append(helper.make_node("Add", [y, x], [f"blocks.{index}"]))
                y = f"blocks.{index}"
            x = y
            index += 1
    x = layer(x, "head")
    nodes.append(helper.make_node("GlobalAveragePool", [x], ["means"]))
    nodes.append(helper.make_node("Flatten", ["means"], ["flat"]))
    nodes.append(helper.make_node("Gemm", ["flat", "classes.weight", "classes.bias"], ["logits"]))
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, "height", "width"])
    logits = helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, 1000])
    graph = helper.make_graph(nodes, "efficientnet-lite0", [image], [logits], initialisers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    onnx.save(model, target)


if __name__ == "__main__":
    main()
