"""What each embedded network says about a picture, stored anew after a training: ``python`` and this file."""

import json
from pathlib import Path

import torch

import lecture_viz as lv
from lecture_viz.networks.embedded import ARCHITECTURES

STORED = Path(__file__).parent / "stored"

if __name__ == "__main__":
    STORED.mkdir(exist_ok=True)
    picture = STORED / "picture.png"
    if not picture.exists():
        picture.write_bytes(lv.images.encode(lv.load_image("cat", 64)))
    with torch.no_grad():
        logits = {
            name: lv.load_network(name, device="cpu")(lv.load_image(picture))[0] for name in sorted(ARCHITECTURES)
        }
    rounded = {name: [round(value, 4) for value in values.tolist()] for name, values in logits.items()}
    (STORED / "logits.json").write_text(json.dumps(rounded) + "\n")
    full_size = lv.load_network("efficientnet_lite0", device="cpu")
    with torch.no_grad():
        said = {photo: full_size(lv.load_image(photo, 224))[0].tolist() for photo in ("cat", "coffee")}
    rounded = {photo: [round(value, 4) for value in values] for photo, values in said.items()}
    (STORED / "full_size.json").write_text(json.dumps(rounded) + "\n")
