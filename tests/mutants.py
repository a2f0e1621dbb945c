"""How sharp are the tests? ``make mutants`` changes the package a little, again and again, and counts who notices.

A *mutant* is the package with one small error: ``<`` for ``<=``, ``+`` for ``-``, another constant, a condition turned
round, a statement left out. The tests of the mutated module run until one fails: the mutant is *killed*. One that
survives is either a gap in the tests, or no error at all (`SAME`).

    python tests/mutants.py                       all modules, a fixed sample of mutants of each
    python tests/mutants.py targets live/kit/run  these, and each mutant that survived
    python tests/mutants.py --most 1000           all mutants
"""

import argparse
import ast
import copy
import hashlib
import importlib
import io
import os
import signal
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stderr, redirect_stdout
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from typing import NamedTuple

import pytest
import torch

ROOT = Path(__file__).parents[1]
PACKAGE = "lecture_viz"
SECONDS = 600  # for one mutant; who computes for ever has been noticed
# each module, and the tests that look at it: the quick ones first
TESTS = {
    "gradient_based/relu_rules": ("gradient_based/test_relu_rules", "gradient_based/test_gradients"),
    "gradient_based/gradients": ("gradient_based/test_gradients", "gradient_based/test_relu_rules"),
    "targets": ("test_targets",),
    "gradient_based/deconvnet": ("gradient_based/test_deconvnet",),
    "networks/receptive_fields": ("networks/test_receptive_fields",),
    "optimization_based/optimization": (
        "optimization_based/test_optimization",
        "optimization_based/test_parameterization",
    ),
    "optimization_based/regularizers": ("optimization_based/test_regularizers",),
    "optimization_based/robustness": ("optimization_based/test_robustness",),
    "optimization_based/inversion": ("optimization_based/test_inversion",),
    "networks/network": ("networks/test_network", "gradient_based/test_deconvnet"),
    "gradient_based/attribution": ("gradient_based/test_attribution",),
    "gradient_based/occlusion": ("gradient_based/test_occlusion",),
    "gradient_based/localization": ("gradient_based/test_localization",),
    "gradient_based/smoothgrad": ("gradient_based/test_smoothgrad",),
    "gradient_based/sanity_checks": ("gradient_based/test_sanity_checks",),
    "gradient_based/top_patches": ("gradient_based/test_top_patches", "gradient_based/test_dataset_examples"),
    "gradient_based/dataset_examples": ("gradient_based/test_dataset_examples",),
    "networks/activation_maps": ("networks/test_activation_maps",),
    "networks/weighted_sum": ("networks/test_weighted_sum",),
    "optimization_based/atlas": ("optimization_based/test_atlas",),
    "optimization_based/diversity": ("optimization_based/test_diversity",),
    "optimization_based/interpolation": ("optimization_based/test_interpolation",),
    "optimization_based/maximization": ("optimization_based/test_maximization",),
    "optimization_based/planted_bias": ("optimization_based/test_planted_bias",),
    "optimization_based/priors": ("optimization_based/test_priors",),
    "optimization_based/reidentification": ("optimization_based/test_reidentification",),
    "photos/collage": ("photos/test_collage",),
    "photos/painting": ("photos/test_painting",),
    "machine/handout": ("machine/test_handout",),
    "live/kit/panel": (
        *("live/kit/test_panel", "live/kit/test_photo", "live/test_gradients", "live/test_predictions"),
        "live/test_presets",
    ),
    "live/kit/call": ("live/kit/test_call", "live/test_presets"),
    "live/kit/worker": ("live/kit/test_panel", "live/kit/test_run"),
    "live/kit/run": ("live/kit/test_run", "live/test_layers", "live/test_maximization"),
}
# mutants that are no errors: what they change is the same, or only faster; by module and the change's text
SAME: dict[str, dict[str, str]] = {
    "networks/network": {
        "False → True in getattr(part, 'inplace', False)": "sets `inplace = False` on parts without it",
    },
    "live/kit/panel": {
        "600 → 601": "seconds until `wait` gives up",
        "self._took > SLOW → self._took >= SLOW in self.coarse(given, (rough := dict(known))) if self._took > SLOW "
        "else ()": "it never takes just so long",
    },
    "gradient_based/relu_rules": {"ceiling < math.inf → ceiling <= math.inf": "tells of infinite activations only"},
    "gradient_based/dataset_examples": {"128 → 129": "how often pictures that grow are shown"},
    "gradient_based/localization": {
        "smoothed >= high → smoothed > high in marks[smoothed >= high]": "a seed more or less; the walker fills it",
    },
    "gradient_based/occlusion": {"True → False in stable=True": "on a CPU so few numbers are sorted stably anyway"},
    "machine/handout": {"16 → 17 in :16": "digits kept of a checksum"},
    "optimization_based/interpolation": {"12 → 13": "digits kept of a cosine; 6e-17 becomes 0 with either"},
    "optimization_based/maximization": {
        "8 → 9 in {'total variation': 75, 'L2': 50, 'jitter': 16, 'rotation': 8, 'scale': 0.3}": "found by looking",
        "4 → 5 in {'parameterization': 'smooth fourier', 'start': 'grey', 'octaves': 4}": "found by looking",
        "GREY + CONTRAST * clouds / clouds.std() → GREY - CONTRAST * clouds / clouds.std() in "
        "(GREY + CONTRAST * clouds / clouds.std()).clamp": "noise turned round is noise",
        "1 → 2 in (GREY + CONTRAST * clouds / clouds.std()).clamp(0, 1)": "ten standard deviations from grey",
    },
    "optimization_based/planted_bias": {
        "1.5 → 2.5 in (distance - 5).abs() < 1.5": "a thicker ring",
        "background + 0.08 * torch.randn(count, 3, SIZE, SIZE, generator=random) → background - 0.08 * "
        "torch.randn(count, 3, SIZE, SIZE, generator=random)": "noise turned round is noise",
    },
    "optimization_based/priors": {
        "y - y.mean() → y + y.mean() in (x - x.mean()) * (y - y.mean())": "Σ(x − its mean) is 0"
    },
    "optimization_based/reidentification": {
        "average > 1 → average >= 1 in average > 1 and activations.ndim == 4": "the mean of one place is itself",
        "torch.rand(activations.shape) >= dropout → torch.rand(activations.shape) > dropout in "
        "(torch.rand(activations.shape) >= dropout).to": "a random number is never just this one",
        "64 → 65": "pictures at a time",
    },
    "photos/painting": {
        "1 → 2 in drawing.circle(place, radius - 0.5, 1)": "all but 0 is white in a picture of one bit"
    },
    "optimization_based/inversion": {
        "value < self._best → value <= self._best": "of two equal errors the later picture; they are the same"
    },
}


class Mutant(NamedTuple):
    """One small error: where it is, what it reads before and after, and the mutated module."""

    line: int
    text: str
    tree: ast.Module


SWAPS = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Add, ast.Pow: ast.Mult, ast.And: ast.Or, ast.Or: ast.And, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd,
}  # fmt: skip


def errors(node: ast.AST) -> Iterator[ast.AST]:
    """What may stand in the place of ``node``."""
    if isinstance(node, ast.Compare):
        for n, operator in enumerate(node.ops):
            changed = copy.deepcopy(node)
            changed.ops[n] = SWAPS[type(operator)]()
            yield changed
    elif isinstance(node, (ast.BinOp, ast.AugAssign, ast.BoolOp)) and type(node.op) in SWAPS:
        changed = copy.deepcopy(node)
        changed.op = SWAPS[type(node.op)]()
        yield changed
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.Not, ast.USub)):
        yield node.operand
    elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield ast.Constant(not node.value)
    elif isinstance(node, ast.Constant) and isinstance(node.value, (int, float)):
        yield ast.Constant(node.value + 1)
    elif isinstance(node, (ast.If, ast.While)):
        changed = copy.deepcopy(node)
        changed.test = ast.UnaryOp(ast.Not(), changed.test)
        yield changed
    elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        yield ast.Pass()


def candidates(tree: ast.Module) -> Iterator[tuple[ast.AST, str, int | None]]:
    """Every place in the code where an error can stand: parent, field, and the index in a list of children.

    Not in annotations, nor in texts: what an error message says is compared by tests of its own. Nor in the points of
    a curve drawn by hand, pairs within a tuple: it would be as good a curve.
    """
    pairs = [pair for node in ast.walk(tree) if isinstance(node, ast.Tuple) for pair in node.elts]
    points = {id(pair) for pair in pairs if isinstance(pair, ast.Tuple) and len(pair.elts) == 2}
    for parent in ast.walk(tree):
        if isinstance(parent, (ast.JoinedStr, ast.AnnAssign, ast.arg)) or id(parent) in points:
            continue
        for field, value in ast.iter_fields(parent):
            if field in ("annotation", "returns"):
                continue
            for index, child in enumerate(value) if isinstance(value, list) else [(None, value)]:
                if isinstance(child, ast.AST) and not isinstance(child, ast.JoinedStr):
                    yield parent, field, index


def mutants(source: str) -> list[Mutant]:
    """All mutants of a module."""
    tree, found = ast.parse(source), []
    silent = {id(node) for text in ast.walk(tree) if isinstance(text, ast.JoinedStr) for node in ast.walk(text)}
    for number, (parent, field, index) in enumerate(candidates(tree)):
        if id(parent) in silent:
            continue
        node = getattr(parent, field) if index is None else getattr(parent, field)[index]
        for changed in errors(node):
            other = ast.parse(source)
            where, field, index = next(c for n, c in enumerate(candidates(other)) if n == number)
            if index is None:
                setattr(where, field, changed)
            else:
                getattr(where, field)[index] = changed
            line = getattr(node, "lineno", 0)
            before, after = (ast.unparse(n).split("\n")[0].rstrip(":") for n in (node, changed))
            context = ast.unparse(parent).split("\n")[0] if isinstance(parent, (ast.expr, ast.keyword)) else ""
            text = f"{before} → {after}" + (f" in {context}" if context else "")
            found.append(Mutant(line, text, ast.fix_missing_locations(other)))
    return found


def sample(found: list[Mutant], most: int) -> list[Mutant]:
    """A fixed part: chosen by what is changed, not by where, so that other lines above it choose no others."""
    return sorted(sorted(found, key=lambda m: hashlib.sha256(m.text.encode()).digest())[:most], key=lambda m: m.line)


class Mutated(SourceFileLoader):
    """Loads a module's mutant in its place."""

    def __init__(self, name: str, path: str, tree: ast.Module):
        super().__init__(name, path)
        self.tree = tree

    def get_code(self, fullname):
        return compile(self.tree, self.path, "exec")


class Finder:
    """Finds one module, as `Mutated`."""

    def __init__(self, module: str, tree: ast.Module):
        self.name, self.tree = f"{PACKAGE}.{module.replace('/', '.')}", tree
        self.path = str(ROOT / PACKAGE / f"{module}.py")

    def find_spec(self, name: str, path=None, target=None) -> ModuleSpec | None:
        if name != self.name:
            return None
        return importlib.util.spec_from_file_location(name, self.path, loader=Mutated(name, self.path, self.tree))


def survives(module: str, tree: ast.Module) -> bool:
    """Whether all tests of the module pass with the mutant: in a child, which has all that is slow to import."""
    child = os.fork()
    if child == 0:
        try:
            os.setsid()
            null = os.open(os.devnull, os.O_RDWR)
            for stream in (0, 1, 2):
                os.dup2(null, stream)
            sys.meta_path.insert(0, Finder(module, tree))
            torch.set_num_threads(1)  # as many mutants as cores run at a time
            files = [str(ROOT / "tests" / f"{name}.py") for name in TESTS[module]]
            options = ["-x", "-q", "-n", "0", "-m", "not sweep", f"--rootdir={ROOT}"]
            os._exit(int(pytest.main([*options, *files])))
        except BaseException:
            os._exit(99)
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return status == 0
        time.sleep(0.05)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return False


def preload() -> None:
    """What tests import, except the package itself: a fork has it at once. Nothing here may compute."""
    for name in (
        "torch", "torchvision.models", "numpy", "captum.attr", "matplotlib.figure", "ipywidgets", "IPython", "pywt",
        "skimage.metrics", "skimage.filters", "safetensors.torch", "PIL.Image", "scipy.ndimage", "psutil", "nbformat",
    ):  # fmt: skip
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            importlib.import_module(name)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("modules", nargs="*", help=f"of {', '.join(TESTS)}; all by default")
    parser.add_argument("--most", type=int, default=60, help="mutants of each module, a fixed sample")
    asked = parser.parse_args()
    sys.path.insert(0, str(ROOT))
    preload()
    print("| module | mutants | killed | |\n| :-- | --: | --: | :-- |", flush=True)
    for module in asked.modules or TESTS:
        source = (ROOT / PACKAGE / f"{module}.py").read_text(encoding="utf-8")
        chosen = sample(mutants(source), asked.most)
        same = SAME.get(module, {})
        chosen = [mutant for mutant in chosen if mutant.text not in same]
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            alive = [*pool.map(survives, [module] * len(chosen), [mutant.tree for mutant in chosen])]
        left = [mutant for mutant, lives in zip(chosen, alive) if lives]
        part = 1 - len(left) / len(chosen)
        print(f"| `{module}` | {len(chosen)} | {part:.0%} | {len(same)} that change nothing |", flush=True)
        for mutant in left:
            print(f"  line {mutant.line}: {mutant.text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
