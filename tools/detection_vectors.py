"""The parts of detectors by torchvision, and average precision by pycocotools, on numbers of a fixed seed.

detection_vectors.py FILE writes what src/methods (roi, box_coder, nms, matching, detection_loss, average_precision) have to
give for the same boxes, maps and logits. Nothing here is taken from the Rust code.
"""

import contextlib
import io
import json
import sys

import numpy as np
import torch
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from torch.nn import functional as F
from torchvision import ops
from torchvision.models.detection._utils import BoxCoder, Matcher, SSDMatcher
from torchvision.models.detection.anchor_utils import AnchorGenerator

torch.manual_seed(19)
numbers = np.random.default_rng(19)


def boxes(count, width, height, least=4.0):
    """Corners, by float32."""
    corner = torch.rand(count, 2) * torch.tensor([width, height]) * 0.7
    size = least + torch.rand(count, 2) * torch.tensor([width, height]) * 0.4
    return torch.cat([corner, corner + size], 1)


def flat(tensor):
    return [float(value) for value in tensor.detach().reshape(-1)]


def regions():
    """Two pictures of 9 x 12 cells at stride 8; the third region reaches beyond, the fourth is a point, the fifth is far."""
    maps = torch.randn(2, 3, 9, 12)
    rois = torch.tensor(
        [[0, 3.0, 5.5, 60.0, 50.2], [1, 20.0, 1.0, 95.0, 71.0], [1, -20.0, 40.0, 130.0, 90.0], [0, 33.0, 33.0, 33.0, 33.0], [0, 400.0, 400.0, 500.0, 420.0]]
    )
    aligned = {str(samples): flat(ops.roi_align(maps, rois, 3, 1 / 8, samples, aligned=True)) for samples in (1, 2)}
    # Whole cells: torchvision's plain pooling rounds the scaled corners as the paper does.
    return {"maps": flat(maps), "regions": rois.tolist(), "aligned": aligned, "largest": flat(ops.roi_pool(maps, rois, 3, 1 / 8))}


def coding():
    truths, anchors = boxes(8, 300, 200), boxes(8, 300, 200)
    coded = {}
    for name, weights in (("tenths", (10.0, 10.0, 5.0, 5.0)), ("unscaled", (1.0, 1.0, 1.0, 1.0))):
        coder = BoxCoder(weights)
        offsets = coder.encode_single(truths, anchors)
        coded[name] = {"offsets": offsets.tolist(), "decoded": coder.decode_single(offsets * 0.7, anchors).tolist()}
    return {"truths": truths.tolist(), "anchors": anchors.tolist(), **coded}


def suppression():
    some, scores = boxes(60, 200, 150), torch.rand(60)
    classes = torch.randint(0, 3, (60,))
    kept = ops.batched_nms(some, scores, classes, 0.4)
    return {"boxes": some.tolist(), "scores": flat(scores), "classes": classes.tolist(), "kept": kept.tolist(), "kept_of_all": ops.nms(some, scores, 0.4).tolist()}


def matching():
    # Many small ones, so that some truths overlap none by enough.
    anchors, truths = boxes(80, 240, 180, 10.0), boxes(7, 240, 180, 10.0)
    overlaps = ops.box_iou(truths, anchors)
    found = {}
    for name, matcher in (("proposals", Matcher(0.7, 0.3, allow_low_quality_matches=True)), ("second", Matcher(0.5, 0.5)), ("default", SSDMatcher(0.5))):
        found[name] = matcher(overlaps).tolist()
    return {"anchors": anchors.tolist(), "truths": truths.tolist(), **found}


def losses():
    logits, targets = 4 * torch.randn(24), (torch.rand(24) < 0.3).float()
    difference = torch.randn(24)
    some, others = boxes(10, 50, 40), boxes(10, 50, 40)
    scores, classes = 3 * torch.randn(10, 4), torch.randint(0, 4, (10,))
    return {
        "logits": flat(logits),
        "targets": flat(targets),
        "binary": flat(F.binary_cross_entropy_with_logits(logits, targets, reduction="none")),
        "focal": flat(ops.sigmoid_focal_loss(logits, targets, alpha=0.25, gamma=2)),
        "difference": flat(difference),
        "smooth": {str(beta): flat(F.smooth_l1_loss(difference, torch.zeros(24), beta=beta, reduction="none")) for beta in (1.0, 0.125)},
        "boxes": some.tolist(),
        "others": others.tolist(),
        "giou": flat(ops.generalized_box_iou_loss(some, others)),
        "scores": scores.tolist(),
        "classes": classes.tolist(),
        "cross": flat(F.cross_entropy(scores, classes, reduction="none")),
    }


def ssd_loss():
    """As torchvision's SSD.compute_loss, of one picture: hard negatives, three for each positive, over the positives."""
    anchors, truths = boxes(40, 240, 180, 20.0), boxes(3, 240, 180, 20.0)
    labels = torch.tensor([1, 3, 2])
    matched = SSDMatcher(0.5)(ops.box_iou(truths, anchors))
    positive = matched >= 0
    logits, offsets = torch.randn(40, 4), 0.5 * torch.randn(40, 4)
    targets = torch.zeros(40, dtype=torch.long)
    targets[positive] = labels[matched[positive]]
    wanted = BoxCoder((10.0, 10.0, 5.0, 5.0)).encode_single(truths[matched[positive]], anchors[positive])
    of_boxes = F.smooth_l1_loss(offsets[positive], wanted, reduction="sum")
    each = F.cross_entropy(logits, targets, reduction="none")
    negative = each.clone()
    negative[positive] = -float("inf")
    worst = negative.sort(descending=True)[1][: 3 * int(positive.sum())]
    total = max(1, int(positive.sum()))
    return {
        "anchors": anchors.tolist(),
        "truths": truths.tolist(),
        "labels": labels.tolist(),
        "logits": logits.tolist(),
        "offsets": offsets.tolist(),
        "boxes": float(of_boxes / total),
        "classes": float((each[positive].sum() + each[worst].sum()) / total),
    }


def anchors():
    generator = AnchorGenerator(((32.0, 64.0, 128.0),), ((0.5, 1.0, 2.0),))
    return generator.cell_anchors[0].tolist()


def precision():
    """Twelve pictures with objects of three classes, some crowds; detections near them, and false ones."""
    truths, claims = [], []
    for picture in range(12):
        for category in (1, 2, 3):
            for _ in range(numbers.integers(0, 4)):
                x, y = numbers.uniform(0, 200, 2)
                w, h = numbers.uniform(10, 90, 2)
                truths.append({"id": len(truths) + 1, "image_id": picture, "category_id": category, "bbox": [x, y, w, h], "area": w * h, "iscrowd": int(numbers.random() < 0.1)})
                for _ in range(numbers.integers(0, 3)):
                    shift = numbers.normal(0, 0.12, 4) * [w, h, w, h]
                    box = [x + shift[0], y + shift[1], max(2.0, w + shift[2]), max(2.0, h + shift[3])]
                    claims.append({"image_id": picture, "category_id": category, "bbox": box, "score": float(numbers.uniform(0.2, 1.0))})
            if numbers.random() < 0.5:
                claims.append({"image_id": picture, "category_id": category, "bbox": [*numbers.uniform(0, 200, 2), *numbers.uniform(10, 90, 2)], "score": float(numbers.uniform(0, 0.7))})
    with contextlib.redirect_stdout(io.StringIO()):
        known = COCO()
        known.dataset = {"images": [{"id": picture} for picture in range(12)], "categories": [{"id": number} for number in (1, 2, 3)], "annotations": truths}
        known.createIndex()
        evaluation = COCOeval(known, known.loadRes(claims), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
    # Overlaps, recalls, classes, areas (all), most detections (100).
    table = evaluation.eval["precision"][:, :, :, 0, 2]
    average = table.mean(1)
    return {
        "truths": [[t["image_id"], t["category_id"], *t["bbox"], t["iscrowd"]] for t in truths],
        "claims": [[c["image_id"], c["category_id"], *c["bbox"], c["score"]] for c in claims],
        "at_half": average[0].tolist(),
        "over_overlaps": average.mean(0).tolist(),
    }


if __name__ == "__main__":
    parts = {part.__name__: part() for part in (regions, coding, suppression, matching, losses, ssd_loss, anchors, precision)}
    with open(sys.argv[1], "w") as file:
        json.dump(parts, file)
        file.write("\n")
