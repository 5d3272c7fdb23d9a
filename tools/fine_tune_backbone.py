"""Fine-tunes the ImageNet weights of EfficientNet-Lite0 on photographs, for boxes and for pixels at once.

Usage: fine_tune_backbone.py --photos FOLDER --weights FILE.pth --out FOLDER
           [--steps 2500] [--batch 64] [--rate 0.002] [--seed 0] [--limit PHOTOGRAPHS]

The folder of photographs holds voc_animals.tar and voc07_vehicles.tar, which are read without unpacking; the
weights are those of `fetch-source.sh efficientnet-lite0`. Writes backbone.safetensors, under the names of the
state dict without its classifier, and card.json: average precision and IoU on the photographs of the val split.

An ImageNet network knows what is in a picture, hardly where. So it learns on with small heads on its maps: boxes
without anchors (FCOS, https://arxiv.org/abs/1904.01355) and a class for each pixel. In the end the heads are
thrown away, and the maps serve any detector. Needs torch, torchvision, pillow and safetensors. A GPU does it in
minutes, a CPU in days. Two runs of one seed come out alike on a GPU, but not equal.
"""

import argparse
import io
import json
import math
import sys
import tarfile
import time
from collections import OrderedDict, namedtuple
from copy import deepcopy
from pathlib import Path

import numpy as np
import torch
from efficientnet import EPSILON, STAGES
from PIL import Image
from safetensors.torch import load_file, save_file
from torch import nn
from torch.nn import functional as F
from torchvision import ops

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
SETS = ("voc_animals", "voc07_vehicles")
CLASSES = ("person", "car", "bus", "train", "cat", "dog", "sheep", "horse", "cow")
PIXEL_CLASSES, VOID = 21, 255
SIDE = 320
# Small objects are found on fine maps. A point takes boxes whose farthest side is within the reach of its map;
# reaches overlap, so that an object between two sizes is learnt on both maps.
STRIDES = (8, 16, 32, 64)
REACHES = ((0, 48), (32, 96), (64, 192), (160, math.inf))
# Only points near the middle of a box take it, in strides: those at its edge often lie on what is behind.
RADIUS = 1.5
# Of pixels, the middle of each cell of stride 8.
MIDDLE = slice(4, None, 8)
# Of the losses: classes, boxes, centreness, pixels.
WEIGHTS = torch.tensor([1.0, 1.5, 0.5, 0.7], device=DEVICE)


# Photographs

# Boxes are rows of class, left, top, right and bottom; known says of each class whether the boxes tell of it.
Item = namedtuple("Item", "picture mask split size boxes known")


def read_set(folder, name):
    """Items of one set that have something to teach, pictures and masks as they stand in the file."""
    with tarfile.open(Path(folder, f"{name}.tar")) as tar:

        def read(path):
            return tar.extractfile(f"{name}/{path}").read()

        notes = json.loads(read("annotations.json"))
        kinds = {category["id"]: CLASSES.index(category["name"]) for category in notes["categories"]}
        boxes = {image["id"]: [] for image in notes["images"]}
        for note in notes["annotations"]:
            left, top, width, height = note["bbox"]
            right, bottom = min(left + width, SIDE), min(top + height, SIDE)
            boxes[note["image_id"]].append((kinds[note["category_id"]], left, top, right, bottom))
        for image in notes["images"]:
            if image.get("also_in_voc_animals"):
                continue
            # A set is silent about classes that it does not box. Where boxes of its own classes are missing too,
            # which nobody checked for animals without a mask, none is known, and only the pixels teach.
            complete = image.get("boxes_complete", name != "voc_animals")
            known = [complete and kind in kinds.values() for kind in range(len(CLASSES))]
            # Masks of vehicles (sem_file), 66 here, are all of the val split: nothing learns such pixels.
            mask = image.get("mask_file")
            if complete or mask:
                size = (image["width"], image["height"])
                picture = read(image["file_name"])
                yield Item(picture, mask and read(mask), image["split"], size, boxes[image["id"]], known)


class Photographs:
    """All items as tensors on the device, pictures in bytes; what is over of the square is grey and void."""

    def __init__(self, items):
        self.pictures = torch.full((len(items), 3, SIDE, SIDE), 127, dtype=torch.uint8)
        self.masks = torch.full((len(items), SIDE, SIDE), VOID, dtype=torch.uint8)
        # Rows to spare are of class -1.
        boxes = [torch.tensor(item.boxes).reshape(-1, 5) for item in items]
        self.boxes = nn.utils.rnn.pad_sequence(boxes, batch_first=True, padding_value=-1).to(DEVICE)
        for index, item in enumerate(items):
            width, height = item.size
            rgb = np.array(Image.open(io.BytesIO(item.picture)).convert("RGB"))
            self.pictures[index, :, :height, :width] = torch.from_numpy(rgb).permute(2, 0, 1)
            if item.mask:
                values = np.array(Image.open(io.BytesIO(item.mask)))
                # The upper three bits number the objects.
                classes = np.where(values == VOID, VOID, values & 31)
                self.masks[index, :height, :width] = torch.from_numpy(classes)
        self.pictures, self.masks = self.pictures.to(DEVICE), self.masks.to(DEVICE)
        self.sizes = torch.tensor([item.size for item in items], device=DEVICE)
        self.known = torch.tensor([item.known for item in items], device=DEVICE)

    def plain(self, index):
        """Pictures [n, 3, 320, 320] of -1 to 1, boxes [n, most, 5], pixels [n, 40, 40]."""
        pictures = (self.pictures[index].float() - 127) / 128
        return pictures, self.boxes[index], self.masks[index][:, MIDDLE, MIDDLE].long()

    def varied(self, index):
        """As plain, but each in other colours, scaled, moved and mirrored by chance."""
        zoom, stretch = uniform(index, math.log(0.5), math.log(1.6)).exp(), uniform(index, -0.15, 0.15).exp()
        scale = torch.stack([zoom * stretch, zoom / stretch], 1)
        # The upper left corner, so that a smaller picture lies within the square and a larger one fills it.
        corner = torch.rand_like(scale) * (SIDE - self.sizes[index] * scale)
        mirrored = torch.rand_like(zoom) < 0.5
        grid = sampling_grid(scale, corner, mirrored)
        pictures = recoloured((self.pictures[index].float() - 127) / 128, self.sizes[index])
        pictures = F.grid_sample(pictures, grid, align_corners=False)
        # Beyond a picture grid_sample gives 0, so that void has to be 0 meanwhile.
        masks, grid = self.masks[index][:, None].float() - VOID, grid[:, MIDDLE, MIDDLE]
        pixels = F.grid_sample(masks, grid, mode="nearest", align_corners=False)[:, 0] + VOID
        return pictures, moved(self.boxes[index], scale, corner, mirrored), pixels.long()


def uniform(index, low, high):
    return torch.empty(len(index), device=DEVICE).uniform_(low, high)


def recoloured(pictures, sizes):
    """Other saturation, contrast and brightness; what is over of the square stays grey."""
    limits = ((0.5, 1.5), (0.7, 1.3), (-0.2, 0.2))
    saturation, contrast, brightness = (uniform(sizes, *pair)[:, None, None, None] for pair in limits)
    grey = pictures.mean(1, keepdim=True)
    pictures = (grey + (pictures - grey) * saturation) * contrast + brightness
    place = torch.arange(SIDE, device=DEVICE)
    inside = (place < sizes[:, :1])[:, None, None, :] & (place < sizes[:, 1:])[:, None, :, None]
    return pictures.clamp(-1, 1) * inside


def sampling_grid(scale, corner, mirrored):
    """Where each pixel comes from: pixel p of the new picture shows (p - corner) / scale of the old one."""
    # In affine_grid's units a square goes from -1 to 1.
    half = SIDE / 2
    theta = torch.zeros(len(scale), 2, 3, device=DEVICE)
    theta[:, 0, 0] = torch.where(mirrored, -1, 1) / scale[:, 0]
    theta[:, 1, 1] = 1 / scale[:, 1]
    theta[:, :, 2] = (half - corner) / scale / half - 1
    return F.affine_grid(theta, (len(scale), 3, SIDE, SIDE), align_corners=False)


def area_of(sides):
    return (sides[..., 2] - sides[..., 0]) * (sides[..., 3] - sides[..., 1])


def moved(boxes, scale, corner, mirrored):
    """Boxes in the new pictures; those of which too little is left become of class -1."""
    kinds, sides = boxes[..., 0], boxes[..., 1:]
    sides = sides * scale.repeat(1, 2)[:, None] + corner.repeat(1, 2)[:, None]
    left, top, right, bottom = sides.unbind(-1)
    reflected = torch.stack([SIDE - right, top, SIDE - left, bottom], -1)
    sides = torch.where(mirrored[:, None, None], reflected, sides)
    visible = sides.clamp(0, SIDE)
    gone = (area_of(visible) < 0.3 * area_of(sides)) | (visible[..., 2:] - visible[..., :2] < 5).any(-1)
    return torch.cat([torch.where(gone, -1, kinds)[..., None], visible], -1)


# Network


class Convolution(nn.Conv2d):
    """TensorFlow's SAME padding: what does not divide by two goes right and below."""

    def __init__(self, inputs, outputs, kernel=1, stride=1, groups=1):
        super().__init__(inputs, outputs, kernel, stride, groups=groups, bias=False)

    def forward(self, x):
        kernel, stride = self.kernel_size[0], self.stride[0]
        pads = []
        for side in (x.shape[3], x.shape[2]):
            over = max(0, (-(-side // stride) - 1) * stride + kernel - side)
            pads += [over // 2, over - over // 2]
        return super().forward(F.pad(x, pads))


def normalisation(channels):
    # Slow statistics: every batch is of these photographs, the weights come from a million others.
    return nn.BatchNorm2d(channels, eps=EPSILON, momentum=0.03)


class Block(nn.Module):
    """Expand, filter each channel, project: MobileNetV2's inverted residual, names as in the state dict."""

    def __init__(self, inputs, outputs, kernel, stride, expansion):
        super().__init__()
        inner = inputs * expansion
        if expansion > 1:
            self._expand_conv, self._bn0 = Convolution(inputs, inner), normalisation(inner)
        self._depthwise_conv, self._bn1 = Convolution(inner, inner, kernel, stride, inner), normalisation(inner)
        self._project_conv, self._bn2 = Convolution(inner, outputs), normalisation(outputs)
        self.expands, self.skips = expansion > 1, stride == 1 and inputs == outputs

    def forward(self, x):
        y = F.relu6(self._bn0(self._expand_conv(x))) if self.expands else x
        y = F.relu6(self._bn1(self._depthwise_conv(y)))
        y = self._bn2(self._project_conv(y))
        return x + y if self.skips else y


class Backbone(nn.Module):
    """EfficientNet-Lite0 before its head; gives the last maps of strides 8, 16 and 32: 40, 112, 320 channels."""

    def __init__(self):
        super().__init__()
        self._conv_stem, self._bn0 = Convolution(3, 32, 3, 2), normalisation(32)
        self._blocks = nn.ModuleList()
        inputs, ends = 32, []
        for outputs, repeats, first_stride, expansion, kernel in STAGES:
            for repeat in range(repeats):
                stride = first_stride if repeat == 0 else 1
                self._blocks.append(Block(inputs, outputs, kernel, stride, expansion))
                inputs = outputs
            ends.append(len(self._blocks) - 1)
        self.given = (ends[2], ends[4], ends[6])

    def forward(self, x):
        x = F.relu6(self._bn0(self._conv_stem(x)))
        maps = []
        for index, block in enumerate(self._blocks):
            x = block(x)
            if index in self.given:
                maps.append(x)
        return maps

    def load(self, path):
        """Reads ImageNet's .pth, or a .safetensors that this script wrote."""
        if Path(path).suffix == ".safetensors":
            state = load_file(path)
        else:
            state = torch.load(path, map_location="cpu", weights_only=True)
        missing = self.load_state_dict(state, strict=False).missing_keys
        missing = [name for name in missing if not name.endswith("num_batches_tracked")]
        if missing:
            sys.exit(f"{path} is not a state dict of EfficientNet-Lite0: it has no {missing[0]}")

    def save(self, path):
        """f16 for filters, which halves the file; f32 for normalisation, where variances may be tiny."""
        state = {name: value.cpu().contiguous() for name, value in self.state_dict().items()}
        state = {name: value for name, value in state.items() if value.is_floating_point()}
        save_file({name: value.half() if value.dim() > 1 else value for name, value in state.items()}, path)


def unit(channels, stride=1):
    convolution = nn.Conv2d(channels, channels, 3, stride, 1, bias=False)
    return nn.Sequential(convolution, nn.GroupNorm(8, channels), nn.ReLU())


def enlarged(x, like):
    return F.interpolate(x, size=like.shape[2:], mode="nearest")


class Heads(nn.Module):
    """A feature pyramid of 128 channels, on each of its maps the same detector, on its finest a class per pixel.

    Gives, of the points of all maps one after the other, class logits [n, points, 9], distances to the four
    sides [n, points, 4] and centreness logits [n, points]; and pixel logits [n, 21, 40, 40].
    """

    def __init__(self, channels=128):
        super().__init__()
        self.lateral = nn.ModuleList(nn.Conv2d(inputs, channels, 1) for inputs in (40, 112, 320))
        self.smooth = nn.ModuleList(unit(channels) for _ in range(3))
        self.coarser = unit(channels, stride=2)
        self.class_tower = nn.Sequential(unit(channels), unit(channels))
        self.box_tower = nn.Sequential(unit(channels), unit(channels))
        self.classes = nn.Conv2d(channels, len(CLASSES), 3, padding=1)
        self.distances = nn.Conv2d(channels, 4, 3, padding=1)
        self.centreness = nn.Conv2d(channels, 1, 3, padding=1)
        self.scales = nn.Parameter(torch.ones(len(STRIDES)))
        self.pixels = nn.Sequential(unit(channels), nn.Conv2d(channels, PIXEL_CLASSES, 1))
        # Nearly every point is background: a rare class from the start, or the first steps learn nothing else.
        nn.init.constant_(self.classes.bias, -4.0)

    def forward(self, maps):
        fine, middle, coarse = (lateral(x) for lateral, x in zip(self.lateral, maps))
        middle = middle + enlarged(coarse, middle)
        fine = fine + enlarged(middle, fine)
        levels = [smooth(x) for smooth, x in zip(self.smooth, (fine, middle, coarse))]
        levels.append(self.coarser(levels[-1]))
        answers = []
        for level, scale, stride in zip(levels, self.scales, STRIDES):
            of_class, of_box = self.class_tower(level), self.box_tower(level)
            distances = F.softplus(self.distances(of_box).float() * scale) * stride
            maps = (self.classes(of_class), distances, self.centreness(of_box))
            answers.append([x.flatten(2).transpose(1, 2) for x in maps])
        classes, distances, centreness = (torch.cat(parts, 1) for parts in zip(*answers))
        return classes, distances, centreness[..., 0], self.pixels(levels[0] + enlarged(levels[1], levels[0]))


# Losses


def points_of_maps():
    """Of each point: its place x, y, its stride, and the reach of its map."""
    places, rows = [], []
    for stride, (least, most) in zip(STRIDES, REACHES):
        middles = (torch.arange(SIDE // stride) + 0.5) * stride
        y, x = torch.meshgrid(middles, middles, indexing="ij")
        places.append(torch.stack([x.flatten(), y.flatten()], 1))
        rows += [(stride, least, most)] * x.numel()
    return torch.cat(places).to(DEVICE), *torch.tensor(rows, dtype=torch.float32, device=DEVICE).unbind(1)


POINTS, STEPS, LEAST, MOST = points_of_maps()


def owners(boxes):
    """Which box each point answers for, the smallest of those it may take, or -1: [n, points]."""
    kinds, left, top, right, bottom = boxes[:, None].unbind(-1)  # [n, 1, most]
    x, y, step, least, most = (value[:, None] for value in (*POINTS.T, STEPS, LEAST, MOST))  # [points, 1]
    distances = torch.stack([x - left, y - top, right - x, bottom - y])  # [4, n, points, most]
    inside, farthest = distances.amin(0) > 0, distances.amax(0)
    off_centre = torch.maximum((x - (left + right) / 2).abs(), (y - (top + bottom) / 2).abs())
    takes = inside & (off_centre < RADIUS * step) & (farthest >= least) & (farthest <= most) & (kinds >= 0)
    areas = torch.where(takes, area_of(boxes[..., 1:])[:, None], math.inf)
    smallest, owner = areas.min(-1)
    return torch.where(smallest < math.inf, owner, -1)


def sides_of(points, distances):
    """Boxes from places [.., 2] and distances [.., 4] to left, top, right, bottom."""
    return torch.cat([points - distances[..., :2], points + distances[..., 2:]], -1)


def centreness_of(points, sides):
    """1 in the middle of a box, towards 0 at its edges."""
    before, after = points - sides[:, :2], sides[:, 2:] - points
    return (torch.minimum(before, after) / torch.maximum(before, after)).prod(1).sqrt()


def losses(answers, boxes, pixels, known):
    """Losses of classes, boxes, centreness and pixels; known [n, 9]: classes that a picture's boxes tell of."""
    logits, distances, centreness, pixel_logits = (answer.float() for answer in answers)
    owner = owners(boxes)
    picture, point = ((owner >= 0) & known.any(1, keepdim=True)).nonzero(as_tuple=True)
    owned = boxes[picture, owner[picture, point]]  # [found, 5]
    kinds, sides, places = owned[:, 0].long(), owned[:, 1:], POINTS[point]
    found = max(1, len(picture))

    targets = torch.zeros_like(logits)
    targets[picture, point, kinds] = 1
    # The focal loss keeps two thousand easy points of background from drowning the few of objects.
    each = ops.sigmoid_focal_loss(logits, targets, alpha=0.25, gamma=2)
    of_classes = (each * known[:, None]).sum() / found

    central = centreness_of(places, sides)
    guesses = sides_of(places, distances[picture, point])
    of_boxes = (ops.generalized_box_iou_loss(guesses, sides) * central).sum() / central.sum().clamp(min=1)
    guesses = centreness[picture, point]
    of_centreness = F.binary_cross_entropy_with_logits(guesses, central, reduction="sum") / found

    labelled = (pixels != VOID).sum().clamp(min=1)
    of_pixels = F.cross_entropy(pixel_logits, pixels, ignore_index=VOID, reduction="sum") / labelled
    return torch.stack([of_classes, of_boxes, of_centreness, of_pixels])


# Training


def optimiser_of(network, rate):
    """The backbone, which knows much already, learns at a quarter of the rate; only filters decay."""
    groups = []
    for module, share in ((network.backbone, 0.25), (network.heads, 1.0)):
        filters = [parameter for parameter in module.parameters() if parameter.dim() > 1]
        others = [parameter for parameter in module.parameters() if parameter.dim() <= 1]
        groups.append({"params": filters, "lr": share * rate, "weight_decay": 0.03})
        groups.append({"params": others, "lr": share * rate, "weight_decay": 0.0})
    return torch.optim.AdamW(groups)


@torch.no_grad()
def follow(average, network, step):
    """A running mean of the weights, better than the last ones; over a thousand steps, at first over fewer."""
    share = 1 - min(0.999, step / (step + 20))
    for mean, value in zip(average.state_dict().values(), network.state_dict().values()):
        if mean.is_floating_point():
            mean.lerp_(value, share)


def train(network, photographs, index, steps, batch, rate):
    """Gives the network of averaged weights. index: the photographs to learn from."""
    average = deepcopy(network)
    optimiser = optimiser_of(network, rate)

    def rate_at(step):
        """Up over 200 steps, and down along half a cosine."""
        return min(1, (step + 1) / 200) * (0.5 + 0.5 * math.cos(math.pi * step / max(1, steps)))

    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, rate_at)
    shown = []
    for step in range(1, steps + 1):
        chosen = index[torch.randint(len(index), (batch,), device=DEVICE)]
        pictures, boxes, pixels = photographs.varied(chosen)
        with torch.autocast(DEVICE.type, torch.bfloat16, enabled=DEVICE.type == "cuda"):
            answers = network(pictures.contiguous(memory_format=torch.channels_last))
        parts = losses(answers, boxes, pixels, photographs.known[chosen])
        optimiser.zero_grad()
        (parts * WEIGHTS).sum().backward()
        nn.utils.clip_grad_norm_(network.parameters(), 10.0)
        optimiser.step()
        schedule.step()
        follow(average, network, step)
        shown.append(parts.detach())
        if step % 100 == 0 or step == steps:
            means = ", ".join(f"{value:.3f}" for value in torch.stack(shown).mean(0).tolist())
            print(f"step {step}: classes, boxes, centreness, pixels {means}", flush=True)
            shown = []
    return average


# Measuring


def detections(classes, distances, centreness, size):
    """Boxes [k, 4], scores and classes of one picture, best first."""
    scores = (classes.sigmoid() * centreness.sigmoid()[:, None]).sqrt()
    point, kind = (scores > 0.05).nonzero(as_tuple=True)
    order = scores[point, kind].argsort(descending=True)[:400]
    point, kind = point[order], kind[order]
    boxes = ops.clip_boxes_to_image(sides_of(POINTS[point], distances[point]), (size[1], size[0]))
    kept = ops.batched_nms(boxes, scores[point, kind], kind, 0.6)[:100]
    return boxes[kept].cpu(), scores[point, kind][kept].cpu(), kind[kept].cpu()


def ranked(found, items, kind):
    """Claims of a class, best first, as overlap with the nearest truth and its number; and the count of truths.

    found: by index of the item. Photographs of a set that is silent about the class don't count.
    """
    claims, total = [], 0
    for index, (boxes, scores, kinds) in found.items():
        if not items[index].known[kind]:
            continue
        truths = torch.tensor([sides for of, *sides in items[index].boxes if of == kind]).reshape(-1, 4)
        boxes, scores = boxes[kinds == kind], scores[kinds == kind]
        overlaps, nearest = torch.zeros(len(boxes)), torch.zeros(len(boxes), dtype=torch.long)
        if len(truths):
            overlaps, nearest = ops.box_iou(boxes, truths).max(1)
        claims += zip(scores.tolist(), overlaps.tolist(), (total + nearest).tolist())
        total += len(truths)
    claims.sort(key=lambda claim: -claim[0])
    return [claim[1:] for claim in claims], total


def average_precision(claims, total, least):
    """Area below precision over recall, None without truths; a second claim to a truth is false."""
    if total == 0:
        return None
    hits, taken = [], set()
    for overlap, truth in claims:
        hits.append(overlap >= least and truth not in taken)
        if hits[-1]:
            taken.add(truth)
    hits = np.array(hits, bool)
    precision = hits.cumsum() / np.arange(1, len(hits) + 1)
    # At each recall the best precision there or beyond; each hit is one step of recall.
    best = np.maximum.accumulate(precision[::-1])[::-1]
    return float(best[hits].sum() / total)


def mean(values):
    values = [value for value in values if value is not None]
    return sum(values) / len(values) if values else None


@torch.inference_mode()
def measure(network, photographs, items, index):
    """AP of each class at IoU .5, its mean, the mean over IoU .5 to .95, and the IoU of each class of pixels."""
    network.eval()
    found, confusion = {}, torch.zeros(PIXEL_CLASSES, PIXEL_CLASSES, device=DEVICE)
    for some in index.split(32):
        pictures, _, pixels = photographs.plain(some)
        *answers, pixel_logits = network(pictures)
        labelled = pixels != VOID
        pairs = pixels[labelled] * PIXEL_CLASSES + pixel_logits.argmax(1)[labelled]
        confusion += torch.bincount(pairs, minlength=PIXEL_CLASSES**2).view_as(confusion)
        for number, *answer in zip(some.tolist(), *answers):
            found[number] = detections(*answer, items[number].size)
    claims = [ranked(found, items, kind) for kind in range(len(CLASSES))]
    table = [[average_precision(*claim, least / 100) for claim in claims] for least in range(50, 100, 5)]
    common = confusion.diag()
    iou = common / (confusion.sum(0) + confusion.sum(1) - common).clamp(min=1)
    return {
        "ap50": dict(zip(CLASSES, table[0])),
        "map50": mean(table[0]),
        "map": mean(mean(row) for row in table),
        "iou": [round(value, 3) for value in iou.tolist()],
    }


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", required=True, help="folder of voc_animals.tar and voc07_vehicles.tar")
    parser.add_argument("--weights", required=True, help=".pth of ImageNet, or a backbone.safetensors")
    parser.add_argument("--out", required=True, help="folder for backbone.safetensors and card.json")
    parser.add_argument("--steps", type=int, default=2500)
    parser.add_argument("--batch", type=int, default=64, help="photographs a step")
    parser.add_argument("--rate", type=float, default=2e-3, help="learning rate of the heads at its highest")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--limit", type=int, help="only so many photographs, drawn by chance, for a trial")
    return parser.parse_args()


def main():
    args = arguments()
    if DEVICE.type == "cpu":
        # Two cores take about a second for each photograph.
        hours = args.steps * args.batch / 3600
        print(f"No CUDA device: a step takes about {args.batch} s, all {hours:.1f} hours.", file=sys.stderr)
    torch.manual_seed(args.seed)
    # Shapes never change: worth trying for the fastest convolutions once.
    torch.backends.cudnn.benchmark = True

    items = [item for name in SETS for item in read_set(args.photos, name)]
    if args.limit and args.limit < len(items):
        items = [items[i] for i in torch.randperm(len(items))[: args.limit]]
    photographs = Photographs(items)
    learnt = torch.tensor([item.split == "train" for item in items], device=DEVICE)
    learn_from, measure_on = learnt.nonzero()[:, 0], (~learnt).nonzero()[:, 0]
    print(f"{len(learn_from)} photographs to learn from, {len(measure_on)} to measure on", flush=True)

    network = nn.Sequential(OrderedDict(backbone=Backbone(), heads=Heads()))
    network.backbone.load(args.weights)
    network = network.to(DEVICE, memory_format=torch.channels_last)
    start = time.monotonic()
    network = train(network, photographs, learn_from, args.steps, args.batch, args.rate)
    seconds = round(time.monotonic() - start, 1)

    card = measure(network, photographs, items, measure_on)
    card |= {"steps": args.steps, "seconds": seconds, "batch": args.batch, "rate": args.rate, "seed": args.seed}
    device = torch.cuda.get_device_name() if DEVICE.type == "cuda" else "cpu"
    card |= {"photographs": len(items), "device": device}
    out = Path(args.out)
    out.mkdir(parents=True, exist_ok=True)
    network.backbone.save(out / "backbone.safetensors")
    (out / "card.json").write_text(json.dumps(card, indent=1) + "\n")
    print(json.dumps(card, indent=1))


if __name__ == "__main__":
    main()
