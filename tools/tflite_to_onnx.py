"""Writes a TFLite graph as ONNX, for the peer of the benchmark.

Usage: tflite_to_onnx.py model.tflite out.onnx

Knows the operators of the SSD and of the selfie segmenter alone. Weights are the same float16 values, as float32,
since that is what the peer's CPU kernels compute in.
"""

import sys

import numpy as np
import onnx
import tflite
from onnx import TensorProto, helper, numpy_helper

# What follows a convolution or a sum in its own operator.
FUSED = {0: None, 1: "Relu", 3: "Clip"}


def main():
    source, target = sys.argv[1:]
    model = tflite.Model.GetRootAsModel(open(source, "rb").read(), 0)
    graph = model.Subgraphs(0)
    names = {v: k for k, v in vars(tflite.BuiltinOperator).items() if isinstance(v, int)}
    dequantized, nodes, weights = {}, [], []

    def constant(index):
        tensor = graph.Tensors(dequantized.get(index, index))
        types = {tflite.TensorType.FLOAT16: np.float16, tflite.TensorType.FLOAT32: np.float32}
        raw = model.Buffers(tensor.Buffer()).DataAsNumpy().tobytes()
        return np.frombuffer(raw, types[tensor.Type()]).reshape(tensor.ShapeAsNumpy()).astype(np.float32)

    def weight(value, name):
        weights.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def options(op, kind):
        table = op.BuiltinOptions()
        kind.Init(table.Bytes, table.Pos)
        return kind

    def shape(index):
        return [int(v) for v in graph.Tensors(index).ShapeAsNumpy()]

    def channels_first(of):
        return [of[0], of[3], of[1], of[2]] if len(of) == 4 else of

    t = lambda index: f"t{index}"

    def add(kind, ins, out, activation=0, **attributes):
        """A node, and what is fused with it."""
        after = FUSED[activation]
        made = out + "_linear" if after else out
        nodes.append(helper.make_node(kind, ins, [made], **attributes))
        if after:
            nodes.append(helper.make_node(after, [made, "zero", "six"] if after == "Clip" else [made], [out]))

    for i in range(graph.OperatorsLength()):
        op = graph.Operators(i)
        code = model.OperatorCodes(op.OpcodeIndex())
        name = names[code.BuiltinCode()]
        if name == "CUSTOM":
            name = code.CustomCode().decode()
        ins, out = [int(v) for v in op.InputsAsNumpy()], op.Outputs(0)
        if name == "DEQUANTIZE":
            dequantized[out] = ins[0]
        elif name in ("CONV_2D", "DEPTHWISE_CONV_2D"):
            depthwise = name == "DEPTHWISE_CONV_2D"
            o = options(op, tflite.DepthwiseConv2DOptions() if depthwise else tflite.Conv2DOptions())
            kernel = constant(ins[1]).transpose((3, 0, 1, 2) if depthwise else (0, 3, 1, 2))
            add(
                "Conv",
                [t(ins[0]), weight(kernel, f"w{i}"), weight(constant(ins[2]), f"b{i}")],
                t(out),
                o.FusedActivationFunction(),
                auto_pad="SAME_UPPER",
                strides=[o.StrideH(), o.StrideW()],
                kernel_shape=list(kernel.shape[2:]),
                group=kernel.shape[0] if depthwise else 1,
            )
        elif name == "Convolution2DTransposeBias":
            kernel = constant(ins[1]).transpose((3, 0, 1, 2))
            parts = [t(ins[0]), weight(kernel, f"w{i}"), weight(constant(ins[2]), f"b{i}")]
            add("ConvTranspose", parts, t(out), strides=[2, 2], kernel_shape=[2, 2])
        elif name in ("ADD", "MUL"):
            o = options(op, tflite.AddOptions() if name == "ADD" else tflite.MulOptions())
            add(name.capitalize(), [t(v) for v in ins], t(out), o.FusedActivationFunction())
        elif name in ("RELU", "LOGISTIC", "HARD_SWISH"):
            add({"RELU": "Relu", "LOGISTIC": "Sigmoid", "HARD_SWISH": "HardSwish"}[name], [t(ins[0])], t(out))
        elif name == "AVERAGE_POOL_2D":
            assert shape(out)[1:3] == [1, 1], "pools whole maps"
            add("GlobalAveragePool", [t(ins[0])], t(out))
        elif name == "RESIZE_BILINEAR":
            o = options(op, tflite.ResizeBilinearOptions())
            where = "half_pixel" if o.HalfPixelCenters() else "align_corners" if o.AlignCorners() else "asymmetric"
            size = weight(np.array(channels_first(shape(out)), np.int64), f"s{i}")
            add("Resize", [t(ins[0]), "", "", size], t(out), mode="linear", coordinate_transformation_mode=where)
        elif name == "RESHAPE":
            to = shape(out)
            value = t(ins[0])
            if len(shape(ins[0])) == 4 and to[1] != 1917:  # TFLite reshapes channels-last
                nodes.append(helper.make_node("Transpose", [value], [value + f"_nhwc{i}"], perm=[0, 2, 3, 1]))
                value += f"_nhwc{i}"
            add("Reshape", [value, weight(np.array(to), f"s{i}")], t(out))
        elif name == "CONCATENATION":
            add("Concat", [t(v) for v in ins], t(out), axis=1)
        else:
            sys.exit(f"unknown operator {name}")
    weight(np.float32(0), "zero")
    weight(np.float32(6), "six")
    info = lambda index: helper.make_tensor_value_info(t(index), TensorProto.FLOAT, channels_first(shape(index)))
    outputs = [info(graph.Outputs(k)) for k in range(graph.OutputsLength())]
    ir = helper.make_graph(nodes, "network", [info(graph.Inputs(0))], outputs, weights)
    made = helper.make_model(ir, opset_imports=[helper.make_opsetid("", 17)])
    made.ir_version = 9
    onnx.checker.check_model(made)
    onnx.save(made, target)


if __name__ == "__main__":
    main()
