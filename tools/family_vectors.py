"""Writes what the native program finds by each family of detectors, for the browser to find the same.

Usage: family_vectors.py KILN
"""

import json
import subprocess
import sys

FAMILIES = ["faster-rcnn", "ssd-voc", "yolo-v1", "anchor-free"]
PICTURE = "tests/vectors/cat-ssd.png"
TARGET = "tests/vectors/families.json"


def main(kiln):
    found = {}
    for family in FAMILIES:
        command = [kiln, "detect", PICTURE, "--model", family, "--score", "0.3", "--json"]
        answer = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
        found[family] = answer[0]["detections"]
    with open(TARGET, "w") as file:
        json.dump(found, file, indent=1)
        file.write("\n")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
