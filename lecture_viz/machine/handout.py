"""The notebooks that come with the package, copied into a folder of one's own: never over a student's work.

Only the standard library is imported, so that a launcher holds no PyTorch.
"""

import hashlib
import json
import shutil
from pathlib import Path

SHIPPED = next(  # with the package where it is installed; beside it in the project
    folder for above in Path(__file__).parents[1:3] if (folder := above / "notebooks") and folder.is_dir()
)
RECORD = ".lecture-viz.json"  # in the folder: what was handed out, by name
FIRST = "00_start_here.ipynb"


def first(language: str) -> str:
    """The notebook to begin with; one without notebooks in its language begins in English."""
    own = f"{language}/{FIRST}"
    return own if (SHIPPED / own).is_file() else FIRST


def hand_out(folder: Path, update: bool = False) -> list[str]:
    """Copy what is missing in ``folder``; with ``update``, also what is new since, where the student changed nothing.

    A notebook counts as changed if a cell's text differs from the one handed out; outputs do not count. The new version
    of one that was changed is put beside it, as ``NAME.new.ipynb``; or ``NAME.new2.ipynb``, if that was worked in, too.

    Returns:
        What was done, a line for each file that was not copied for the first time.

    Raises:
        OSError: the folder cannot be made, or written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    known, said = _known(folder), []
    for source in sorted([*SHIPPED.glob("*.ipynb"), *SHIPPED.glob("*.png"), *SHIPPED.glob("[!.]*/*.ipynb")]):
        name = source.relative_to(SHIPPED).as_posix()
        target, shipped = folder / name, _fingerprint(source)
        if target.exists() and (not update or shipped in (there := _fingerprint(target), known.get(name))):
            continue  # it is there, or the student has decided about this version already
        if not target.exists():
            target.parent.mkdir(exist_ok=True)
        elif there == known.get(name):
            said.append(f"{name} is new")
        else:
            beside = (target.with_suffix(f".new{n}{target.suffix}") for n in ("", *range(2, 1000)))
            target = next(one for one in beside if not one.exists() or _fingerprint(one) == known.get(name))
            said.append(f"{name} is yours and stays; the new one is beside it, {target.name}")
        shutil.copyfile(source, target)
        known[name] = shipped
    (folder / RECORD).write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")
    return said


def _known(folder: Path) -> dict[str, str]:
    """Nothing the first time, or if the record is damaged: then all that is there counts as the student's."""
    try:
        known = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def _fingerprint(file: Path) -> str:
    """Of a notebook the text of its cells counts, of another file every byte; one that cannot be read is unlike all."""
    content = file.read_bytes()
    if file.suffix == ".ipynb":
        try:
            cells = json.loads(content)["cells"]
            content = "\0".join(f"{cell['cell_type']}\0{''.join(cell['source'])}" for cell in cells).encode()
        except (ValueError, KeyError, TypeError):
            pass
    return hashlib.sha256(content).hexdigest()[:16]
