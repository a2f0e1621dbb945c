"""What an objective and its terms did over the steps of a run, drawn as SVG."""

import html
import math
from collections.abc import Mapping
from typing import Any

COLOURS = ("#3b6fb6", "#c8641e", "#2e8b57", "#8a4fb0", "#7a7a7a")  # told apart by lightness, too
POINTS = 200  # of a curve, about


class Curves:
    """Numbers by name, one more of each at every step; ``before`` steps went without."""

    def __init__(self, before: int = 0) -> None:
        self.values: dict[str, list[float]] = {}
        self._steps = before

    def keep(self, numbers: Mapping[str, float]) -> None:
        """Those of the next step; NaN stands for steps before a curve began."""
        for name, number in numbers.items():
            self.values.setdefault(name, [math.nan] * self._steps).append(number)
        self._steps += 1

    def draw(self, width: int, texts: Mapping[str, Any]) -> str:
        """HTML, ``width`` screen pixels wide: each curve fills the height, its last value is written.

        ``texts`` are the panel's, with names of curves under ``"NAME curve"``; one without is shown as it is called.
        """
        lines, legend, height = [], [], round(0.7 * width)
        # a penalty that is off is left out
        drawn = {name: curve for name, curve in self.values.items() if any(v and not math.isnan(v) for v in curve)}
        if len(drawn) == 2:
            drawn.pop("objective", None)  # the same as its only term
        names = {name: texts.get(f"{name} curve", name) for name in drawn}
        for (name, curve), colour in zip(drawn.items(), COLOURS):
            finite = [value for value in curve if not math.isnan(value)]
            low, spread = min(finite), (max(finite) - min(finite)) or 1
            every = max(1, len(curve) // POINTS)
            points = " ".join(
                f"{width * n / max(1, len(curve) - 1):.1f},{height - (height - 4) * (value - low) / spread - 2:.1f}"
                for n, value in enumerate(curve)
                if n % every == 0 and not math.isnan(value)
            )
            lines.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
            legend.append(f'<span style="color:{colour}">━</span> {html.escape(names[name])}: {curve[-1]:.3g}')
        alt = html.escape(texts["curves alt"].format(names=", ".join(names.values())), quote=True)
        drawing = f'<svg role="img" aria-label="{alt}" width="{width}" height="{height}" '
        drawing += f'viewBox="0 0 {width} {height}" class="lv-curves">{"".join(lines)}</svg>'
        return f"{drawing}<br>{'<br>'.join(legend)}"
