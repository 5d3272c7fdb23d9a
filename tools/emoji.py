"""Puts the pictures of the embedding map together: public/embeddings/emoji.jpg, from the npm package emoji-datasource-google 16.0.0
(Noto Emoji, Google, Apache-2.0), unpacked.

Usage: emoji.py FOLDER

Pictures of 64 x 64 pixels on white, by group, in rows of 25. The last line of the output is the number of pictures of each
group, as src/labs/embedding/spec.rs has them.
"""

import json
import sys
from pathlib import Path

from PIL import Image

COLUMNS, SIDE = 25, 64
GROUPS = {
    "animals": ["animal-amphibian", "animal-bird", "animal-bug", "animal-mammal", "animal-marine", "animal-reptile"],
    "plants": ["plant-flower", "plant-other"],
    "food": ["food-asian", "food-fruit", "food-prepared", "food-sweet", "food-vegetable", "drink"],
    "vehicles": ["transport-air", "transport-ground", "transport-water"],
    "places": ["place-building", "place-geographic", "place-other", "place-religious"],
    "clothes": ["clothing"],
    "tools": ["tool", "musical-instrument", "music"],
    "games": ["sport", "game"],
}


def main():
    folder = Path(sys.argv[1])
    known = json.loads((folder / "emoji.json").read_text())
    known.sort(key=lambda emoji: emoji["sort_order"])
    pictures, counts = [], {}
    for group, kinds in GROUPS.items():
        of = [emoji for kind in kinds for emoji in known if emoji["subcategory"] == kind and emoji["has_img_google"]]
        counts[group] = len(of)
        pictures += of
    rows = -(-len(pictures) // COLUMNS)
    sheet = Image.new("RGB", (COLUMNS * SIDE, rows * SIDE), "white")
    for index, emoji in enumerate(pictures):
        picture = Image.open(folder / "img/google/64" / emoji["image"]).convert("RGBA")
        sheet.paste(picture, (index % COLUMNS * SIDE, index // COLUMNS * SIDE), picture)
    sheet.save("public/embeddings/emoji.jpg", quality=82, optimize=True, subsampling=0)
    print(sheet.size, len(pictures), counts)


if __name__ == "__main__":
    main()
