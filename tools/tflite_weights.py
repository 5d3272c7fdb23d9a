"""Reads the weights of a TFLite graph and writes them as safetensors under Kiln's names.

Usage: tflite_weights.py {ssd,selfie} model.tflite out.safetensors

A TFLite graph has no module tree, only operators in execution order. This script walks
the convolutions in that order and gives each the path of the same layer in
`src/models/`. Layouts change from TensorFlow's to Burn's:
  convolution  [out, kh, kw, in] -> [out, in, kh, kw]
  depthwise    [1, kh, kw, ch]   -> [ch, 1, kh, kw]
  transposed   [out, kh, kw, in] -> [in, out, kh, kw]
Values are copied as stored (float16), so nothing is lost.
"""

import json
import struct
import sys

import numpy as np
import tflite

CONVOLUTIONS = {"CONV_2D", "DEPTHWISE_CONV_2D", "Convolution2DTransposeBias"}
DTYPES = {tflite.TensorType.FLOAT16: np.float16, tflite.TensorType.FLOAT32: np.float32}


def convolutions(data):
    """Yields (operator name, kernel, bias) of every convolution, in execution order."""
    model = tflite.Model.GetRootAsModel(data, 0)
    graph = model.Subgraphs(0)
    names = {v: k for k, v in vars(tflite.BuiltinOperator).items() if isinstance(v, int)}

    def constant(index):
        # Kernels are stored as float16 and pass a DEQUANTIZE operator first.
        tensor = graph.Tensors(dequantized.get(index, index))
        raw = model.Buffers(tensor.Buffer()).DataAsNumpy()
        return np.frombuffer(raw.tobytes(), DTYPES[tensor.Type()]).reshape(tensor.ShapeAsNumpy())

    dequantized, found = {}, []
    for i in range(graph.OperatorsLength()):
        op = graph.Operators(i)
        code = model.OperatorCodes(op.OpcodeIndex())
        name = names[code.BuiltinCode()]
        if name == "CUSTOM":
            name = code.CustomCode().decode()
        if name == "DEQUANTIZE":
            dequantized[op.Outputs(0)] = op.Inputs(0)
        elif name in CONVOLUTIONS:
            found.append((name, op.Inputs(1), op.Inputs(2)))
    return [(name, constant(kernel), constant(bias)) for name, kernel, bias in found]


def ssd_paths():
    """Layer paths of `models/ssd.rs` in the order in which the graph runs them."""
    yield "backbone.stem.conv"
    for block in range(17):
        if block > 0:
            yield f"backbone.blocks.{block}.expand.conv"
        if block == 13:  # the first feature map is this block's expansion
            yield from ("predictors.0.boxes", "predictors.0.classes")
        yield f"backbone.blocks.{block}.depthwise.conv"
        yield f"backbone.blocks.{block}.project.conv"
    yield "backbone.head.conv"
    yield from ("predictors.1.boxes", "predictors.1.classes")
    for extra in range(4):
        yield f"extras.{extra}.reduce.conv"
        yield f"extras.{extra}.down.conv"
        yield f"predictors.{extra + 2}.boxes"
        yield f"predictors.{extra + 2}.classes"


def selfie_paths():
    """Layer paths of `models/selfie.rs` in the order in which the graph runs them."""
    yield "stem.conv"
    for block in range(8):
        yield f"blocks.{block}.expand.conv"
        yield f"blocks.{block}.depthwise.conv"
        if block not in (1, 2):
            yield f"blocks.{block}.attention.squeeze.conv"
            yield f"blocks.{block}.attention.excite.conv"
        yield f"blocks.{block}.project.conv"
    yield from ("context.features.conv", "context.gate.conv")
    for stage in range(3):
        for layer in ("reduce", "attention.squeeze", "attention.excite", "merge", "refine"):
            yield f"decoder.{stage}.{layer}.conv"
    yield "matte"


def to_burn(operator, kernel):
    if operator == "DEPTHWISE_CONV_2D":
        return kernel.transpose(3, 0, 1, 2)
    if operator == "Convolution2DTransposeBias":
        return kernel.transpose(3, 0, 1, 2)
    return kernel.transpose(0, 3, 1, 2)


def write_safetensors(path, tensors):
    header, offset = {}, 0
    names = {np.dtype(np.float16): "F16", np.dtype(np.float32): "F32"}
    for name, value in tensors.items():
        header[name] = {
            "dtype": names[value.dtype],
            "shape": list(value.shape),
            "data_offsets": [offset, offset + value.nbytes],
        }
        offset += value.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for value in tensors.values():
            file.write(np.ascontiguousarray(value).tobytes())


def main():
    architecture, source, target = sys.argv[1:]
    paths = list({"ssd": ssd_paths, "selfie": selfie_paths}[architecture]())
    layers = convolutions(open(source, "rb").read())
    if len(paths) != len(layers):
        sys.exit(f"{source} has {len(layers)} convolutions, {architecture} expects {len(paths)}")
    tensors = {}
    for path, (operator, kernel, bias) in zip(paths, layers):
        tensors[f"{path}.weight"] = to_burn(operator, kernel)
        tensors[f"{path}.bias"] = bias
    write_safetensors(target, tensors)


if __name__ == "__main__":
    main()
