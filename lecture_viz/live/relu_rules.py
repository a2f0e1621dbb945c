"""Lesson 2: the lecture's ReLU figure with numbers one can change (Springenberg et al. 2015 [21], figure 1)."""

import ipywidgets as widgets
import torch
from torch import Tensor

from ..gradient_based.relu_rules import BETWEEN, RULES, two_relus, way_back
from .kit.call import Call, ForEach, Named, Values
from .kit.panel import Panel
from .kit.prediction import Question, Verdict
from .kit.resolved import Made, Resolved
from .kit.view import Shown

Grid = tuple[tuple[float, ...], ...]

# forward input and arriving sensitivity
FIGURE: tuple[Grid, Grid] = (((1, -1, 5), (2, -5, -7), (-3, 2, 4)), ((-2, 3, -1), (6, -3, 1), (2, -1, 3)))
ZEROS: tuple[Grid, Grid] = (((0, -1, 5), (0, 0, -7), (-3, 0, 4)), ((2, 3, 0), (-6, 0, 1), (0, 1, -3)))
ROWS = (1, 2, 3)
FORMULAS = {"backprop": "s·[x&gt;0]", "deconvnet": "s·[s&gt;0]", "guided": "s·[x&gt;0]·[s&gt;0]"}
STACKS = {1: ("after one", torch.relu), 2: ("after two", two_relus)}


def numbers(values: Tensor, caption: str, sensitivities: bool = True) -> str:
    """A table of numbers; yellow marks negative sensitivities, as in the lecture."""

    def cell(value: float) -> str:
        kind = "lv-zero" if value == 0 else "lv-negative" if value < 0 and sensitivities else ""
        return f'<td class="{kind}">{value:g}</td>'

    rows = "".join(f"<tr>{''.join(map(cell, row))}</tr>" for row in values.tolist())
    return f'<table class="lv-numbers"><caption>{caption}</caption>{rows}</table>'


class ReluRules(Panel):
    """Controls: ``preset``, ``relus`` (1 or 2), and the cells ``x11 … x33`` and ``s11 … s33`` (row, column)."""

    name = "ReLU rules"
    question = Question("two", RULES, before="figure")

    def __init__(self) -> None:
        super().__init__()
        self.controls = {"relus": widgets.SelectionSlider(options=[1, 2], layout=widgets.Layout(width="440px"))}
        forward, arriving = self._grid("x"), self._grid("s")
        for name in ("after", "between", *RULES):
            self.view.text(name, margin="0 28px 0 0")
        row = widgets.Layout(flex_flow="row wrap", margin="14px 0 0 0", align_items="flex-end")
        self.assemble(
            self.controls["relus"],
            widgets.HBox([forward, self.outputs["after"], self.outputs["between"]], layout=row),
            widgets.HBox([arriving, *(self.outputs[rule] for rule in RULES)], layout=row),
        )

    def presets(self, values: Values) -> dict[str, Values]:
        figure, zeros = (
            {f"{letter}{y}{x}": grid[y - 1][x - 1] for letter, grid in zip("xs", grids) for y in ROWS for x in ROWS}
            for grids in (FIGURE, ZEROS)
        )
        return {"figure": figure | {"relus": 1}, "zeros": zeros | {"relus": 1}, "two": figure | {"relus": 2}}

    def verdict(self) -> Verdict:
        stack, *grids, _ = self.made.call.each.arguments
        x, s = (grid.value for grid in grids)
        x = x.clone().requires_grad_()
        (derivative,) = torch.autograd.grad(stack(x), x, s)
        ways = zip(RULES, self.made.result)
        off: dict[str, float] = {rule: (way - derivative).abs().max().item() for rule, way in ways}
        return min(off, key=lambda rule: off[rule]), off

    def _grid(self, letter: str) -> widgets.VBox:
        cells, heading = [], self.say(letter)
        for y in ROWS:
            for x in ROWS:
                cell = widgets.FloatText(
                    FIGURE["xs".index(letter)][y - 1][x - 1],
                    description=self.say("cell", heading=heading, row=y, column=x),
                    layout=widgets.Layout(width="68px", margin="1px"),
                )
                cell.add_class("lv-cell")
                self.controls[f"{letter}{y}{x}"] = cell
                cells.append(cell)
        grid = widgets.GridBox(cells, layout=widgets.Layout(grid_template_columns="repeat(3, 70px)"))
        title = widgets.HTML(f"<b>{heading} {letter}</b>")
        title.add_class("lv-text")
        return widgets.VBox([title, grid], layout=widgets.Layout(margin="0 36px 0 0", width="222px"))

    def _cells(self, letter: str) -> dict[str, widgets.FloatText]:
        return {name: control for name, control in self.controls.items() if name[0] == letter and name[1:].isdigit()}

    def resolve(self, values: Values) -> Resolved:
        x, s = (torch.tensor([float(values[name]) for name in self._cells(letter)]).view(3, 3) for letter in "xs")
        if not (x.isfinite().all() and s.isfinite().all()):
            raise ValueError(self.say("not a number"))
        grids = (Named(name, grid, Call.of(torch.tensor, grid.tolist())) for name, grid in (("x", x), ("s", s)))
        one = Call.of(way_back, STACKS[values["relus"]][1], *grids, Named("rule"))
        negative = {name: values[name] < 0 for name in self._cells("s")}
        return Resolved(ForEach(one, "rule", RULES, "lv.RULES"), values, negative=negative)

    def show(self, made: Made) -> dict[str, Shown]:
        forward, stack = STACKS[made.values["relus"]]
        outputs: dict[str, Shown] = {
            "after": numbers(stack(made.call.each.arguments[1].value), self.say(forward)),
            "between": "",
        }
        for rule, result in zip(RULES, made.result):
            formula = FORMULAS[rule] if stack is torch.relu else self.say("through both")
            outputs[rule] = numbers(result, f"<b>{rule}</b> {formula}")
        if stack is not torch.relu:
            outputs["between"] = numbers(BETWEEN, self.say("matrix"), sensitivities=False)
        return outputs
