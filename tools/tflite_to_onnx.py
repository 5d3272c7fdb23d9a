"""Writes the SSD's TFLite graph as ONNX, for the peer of the benchmark.

Usage: tflite_to_onnx.py model.tflite out.onnx

Knows the operators of that graph alone. Weights are the same float16 values, as float32, since
that is what the peer's CPU kernels compute in.
"""

import sys

import numpy as np
import onnx
import tflite
from onnx import TensorProto, helper, numpy_helper

RELU6 = 3


def main():
    source, target = sys.argv[1:]
    model = tflite.Model.GetRootAsModel(open(source, "rb").read(), 0)
    graph = model.Subgraphs(0)
    names = {v: k for k, v in vars(tflite.BuiltinOperator).items() if isinstance(v, int)}
    dequantized, nodes, weights = {}, [], []

    def constant(index):
        tensor = graph.Tensors(dequantized.get(index, index))
        dtype = {tflite.TensorType.FLOAT16: np.float16, tflite.TensorType.FLOAT32: np.float32}[tensor.Type()]
        raw = model.Buffers(tensor.Buffer()).DataAsNumpy().tobytes()
        return np.frombuffer(raw, dtype).reshape(tensor.ShapeAsNumpy()).astype(np.float32)

    def weight(value, name):
        weights.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def options(op, kind):
        table = op.BuiltinOptions()
        kind.Init(table.Bytes, table.Pos)
        return kind

    t = lambda index: f"t{index}"
    for i in range(graph.OperatorsLength()):
        op = graph.Operators(i)
        name = names[model.OperatorCodes(op.OpcodeIndex()).BuiltinCode()]
        ins, out = op.InputsAsNumpy(), op.Outputs(0)
        if name == "DEQUANTIZE":
            dequantized[out] = ins[0]
        elif name in ("CONV_2D", "DEPTHWISE_CONV_2D"):
            depthwise = name == "DEPTHWISE_CONV_2D"
            o = options(op, tflite.DepthwiseConv2DOptions() if depthwise else tflite.Conv2DOptions())
            kernel = constant(ins[1]).transpose((3, 0, 1, 2) if depthwise else (0, 3, 1, 2))
            relu6 = o.FusedActivationFunction() == RELU6
            conv = t(out) + ("_linear" if relu6 else "")
            nodes.append(
                helper.make_node(
                    "Conv",
                    [t(ins[0]), weight(kernel, f"w{i}"), weight(constant(ins[2]), f"b{i}")],
                    [conv],
                    auto_pad="SAME_UPPER",
                    strides=[o.StrideH(), o.StrideW()],
                    kernel_shape=list(kernel.shape[2:]),
                    group=kernel.shape[0] if depthwise else 1,
                )
            )
            if relu6:
                nodes.append(helper.make_node("Clip", [conv, "zero", "six"], [t(out)]))
        elif name == "ADD":
            nodes.append(helper.make_node("Add", [t(ins[0]), t(ins[1])], [t(out)]))
        elif name == "RESHAPE":
            shape = [int(v) for v in graph.Tensors(out).ShapeAsNumpy()]
            channels_first = len(graph.Tensors(ins[0]).ShapeAsNumpy()) == 4 and shape[1] != 1917
            value = t(ins[0])
            if channels_first:  # TFLite reshapes channels-last
                nodes.append(helper.make_node("Transpose", [value], [value + f"_nhwc{i}"], perm=[0, 2, 3, 1]))
                value += f"_nhwc{i}"
            nodes.append(helper.make_node("Reshape", [value, weight(np.array(shape), f"s{i}")], [t(out)]))
        elif name == "CONCATENATION":
            nodes.append(helper.make_node("Concat", [t(v) for v in ins], [t(out)], axis=1))
        else:
            sys.exit(f"unknown operator {name}")
    weight(np.float32(0), "zero")
    weight(np.float32(6), "six")
    info = lambda index, shape: helper.make_tensor_value_info(t(index), TensorProto.FLOAT, shape)
    outputs = [info(graph.Outputs(k), [int(v) for v in graph.Tensors(graph.Outputs(k)).ShapeAsNumpy()]) for k in range(2)]
    ir = helper.make_graph(nodes, "ssd", [info(graph.Inputs(0), [1, 3, 300, 300])], outputs, weights)
    made = helper.make_model(ir, opset_imports=[helper.make_opsetid("", 17)])
    made.ir_version = 9
    onnx.checker.check_model(made)
    onnx.save(made, target)


if __name__ == "__main__":
    main()
