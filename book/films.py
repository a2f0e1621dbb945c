"""A panel where there is no kernel: one still for each of its presets, with the sentence, the numbers and the code.

The reader scrubs through them. Stills are kept in a file until the package or the lesson's panels change.
"""

import base64
import hashlib
import html
import json
from pathlib import Path

import nbformat
import torch
from IPython.core.inputtransformer2 import TransformerManager
from ipywidgets import HTML

import lecture_viz as lv
from lecture_viz import languages, maps
from lecture_viz.live.kit.panel import Panel
from lecture_viz.live.kit.run import RunPanel
from lecture_viz.presenter.lessons import TAG

HIGH = 224  # screen pixels, of a picture
SLIDER = {"en": "preset", "zh": "预设"}
STEPS = {"en": "part of the run", "zh": "运行到哪一步"}
PACKAGE = Path(lv.__file__).parent
ROOMS = ("photos", "networks", "gradient_based", "optimization_based", "live", "languages")  # what makes the stills


def of_lesson(path: Path, language: str, cache: Path) -> list[str]:
    """HTML for each cell of a notebook that ends with a panel, in their order."""
    cells = [cell.source for cell in nbformat.read(path, as_version=4).cells if TAG in cell.metadata.get("tags", [])]
    state = hashlib.sha256("".join(cells).encode() + Path(__file__).read_bytes())
    for file in sorted(file for room in ROOMS for file in PACKAGE.glob(f"{room}/**/*")):
        if file.suffix in (".py", ".json", ".safetensors"):
            state.update(file.read_bytes())
    kept = cache / f"{path.stem}_{language}_{state.hexdigest()[:12]}.json"
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text(json.dumps(_made(cells, language), ensure_ascii=False), encoding="utf-8")
    return json.loads(kept.read_text(encoding="utf-8"))


def _made(cells: list[str], language: str) -> list[str]:
    lv.use_language(language)
    made, names = [], {"display": lambda _: None}
    for cell in cells:
        exec(TransformerManager().transform_cell(cell), names)
        if isinstance(panel := names.get(cell.splitlines()[-1]), Panel):
            made.append(film(panel, language))
    return made


def film(panel: Panel, language: str) -> str:
    """One still for each preset; a run's has its film in it."""
    told, stills = languages.of_panel(panel.name)["presets"], []
    for _, preset in panel.controls["preset"].options:
        panel.set(preset=preset)
        if isinstance(panel, RunPanel):
            panel.start()
        panel.wait(600)
        stills.append(_still(panel, *told[preset], language))
    return _scrubbed(stills, 0, languages.of_panel(panel.name)["title"], SLIDER[language])


def _scrubbed(stills: list[str], first: int, name: str, slider: str) -> str:
    """All of them, of which one is shown; what the slider moves is in ``static/film.js``."""
    opened = ['<div class="film-still" hidden>'] * len(stills)
    opened[first] = '<div class="film-still">'
    shown = "".join(f"{opening}{still}</div>" for opening, still in zip(opened, stills))
    moved = f'<input type="range" min="1" max="{len(stills)}" value="{first + 1}" aria-label="{html.escape(slider)}">'
    return f'<div class="film" role="group" aria-label="{html.escape(name)}">{moved}{shown}</div>'


def _still(panel: Panel, title: str, sentence: str, language: str) -> str:
    """Pictures with their captions, then numbers and curves, then the code that makes it."""
    pictures, outputs = [], panel.outputs
    for name, alt in panel.view.alts.items():
        if name not in panel.view.pictures:
            continue
        caption = outputs.get(f"{name} caption")
        text = caption.value if isinstance(caption, HTML) else html.escape(alt)
        picture = _img(panel.image(name), alt)
        if name == "film" and isinstance(panel, RunPanel) and panel.run is not None:
            frames = [_img(frame, f"{alt}, {n}") for n, frame in enumerate(panel.run.film.chosen(), start=1)]
            picture = _scrubbed(frames, len(frames) - 1, alt, STEPS[language])
        pictures.append(f"<figure>{picture}<figcaption>{text}</figcaption></figure>")
    done = {"save", "time left", *(f"{name} caption" for name in panel.view.pictures)}
    texts = {name: output.value for name, output in outputs.items() if isinstance(output, HTML) and name not in done}
    others = [f"<div>{text}</div>" for text in texts.values()]  # numbers, curves
    head = f"<p><strong>{html.escape(title)}.</strong> {html.escape(sentence)}</p>"
    code = f"<pre><code>{html.escape(panel.code())}</code></pre>"
    return f'{head}<div class="film-pictures">{"".join([*pictures, *others])}</div>{code}'


def _img(image: torch.Tensor, alt: str) -> str:
    small = max(image.shape[-2:]) <= maps.EXACT
    format, rendering = ("png", "pixelated") if small else ("jpeg", "auto")
    source = base64.b64encode(maps.encode(image, format, quality=75)).decode()
    wide = round(HIGH * image.shape[-1] / image.shape[-2])
    style = f"image-rendering:{rendering};aspect-ratio:{wide}/{HIGH}"
    return f'<img src="data:image/{format};base64,{source}" alt="{html.escape(alt)}" width="{wide}" style="{style}">'
