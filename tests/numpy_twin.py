"""The three rules in plain NumPy, written from their definitions: the slow twin of `relu_rules`.

A tape: each operation remembers how to send a sensitivity back. Nothing here knows PyTorch.
"""

import numpy as np


class Value:
    """A number array and the way back from it."""

    def __init__(self, data):
        self.data = np.asarray(data, dtype=np.float64)
        self.sensitivity = np.zeros_like(self.data)
        self.back = lambda: None


class Tape:
    def __init__(self, rule: str):
        self.rule = rule
        self.values: list[Value] = []

    def value(self, data, back=None) -> Value:
        result = Value(data)
        if back is not None:
            result.back = lambda: back(result.sensitivity)
        self.values.append(result)
        return result

    def relu(self, x: Value, ceiling: float = np.inf) -> Value:
        def back(s):
            for index in np.ndindex(s.shape):
                forward_was_positive = 0 < x.data[index] < ceiling
                sensitivity_is_positive = s[index] > 0
                passes = {
                    "backprop": forward_was_positive,
                    "deconvnet": sensitivity_is_positive,
                    "guided": forward_was_positive and sensitivity_is_positive,
                }[self.rule]
                if passes:
                    x.sensitivity[index] += s[index]

        return self.value(np.minimum(np.maximum(x.data, 0), ceiling), back)

    def linear(self, x: Value, weight, bias) -> Value:
        def back(s):
            x.sensitivity += weight.T @ s

        return self.value(weight @ x.data + bias, back)

    def convolution(self, x: Value, weight, bias) -> Value:
        """Stride 1, no padding; ``x`` is (channels, height, width)."""
        outgoing, incoming, kernel, _ = weight.shape
        height, width = (n - kernel + 1 for n in x.data.shape[1:])
        places = [
            (o, y, w, i, dy, dx)
            for o in range(outgoing)
            for y in range(height)
            for w in range(width)
            for i in range(incoming)
            for dy in range(kernel)
            for dx in range(kernel)
        ]
        result = np.zeros((outgoing, height, width)) + bias[:, None, None]
        for o, y, w, i, dy, dx in places:
            result[o, y, w] += weight[o, i, dy, dx] * x.data[i, y + dy, w + dx]

        def back(s):
            for o, y, w, i, dy, dx in places:
                x.sensitivity[i, y + dy, w + dx] += weight[o, i, dy, dx] * s[o, y, w]

        return self.value(result, back)

    def max_pool(self, x: Value) -> Value:
        """2×2, stride 2; of equal values the first one, row by row, is the maximum."""
        channels, height, width = x.data.shape
        result = np.zeros((channels, height // 2, width // 2))
        switches = {}
        for c, y, w in np.ndindex(result.shape):
            window = x.data[c, 2 * y : 2 * y + 2, 2 * w : 2 * w + 2]
            dy, dx = np.unravel_index(window.argmax(), window.shape)
            result[c, y, w] = window[dy, dx]
            switches[c, y, w] = (c, 2 * y + dy, 2 * w + dx)

        def back(s):
            for place, switch in switches.items():
                x.sensitivity[switch] += s[place]

        return self.value(result, back)

    def flatten(self, x: Value) -> Value:
        def back(s):
            x.sensitivity += s.reshape(x.data.shape)

        return self.value(x.data.ravel(), back)

    def add(self, a: Value, b: Value) -> Value:
        def back(s):
            a.sensitivity += s
            b.sensitivity += s

        return self.value(a.data + b.data, back)

    def join(self, a: Value, b: Value) -> Value:
        def back(s):
            a.sensitivity += s[: a.data.size]
            b.sensitivity += s[a.data.size :]

        return self.value(np.concatenate([a.data, b.data]), back)

    def send_back(self, output: Value, index: int) -> None:
        output.sensitivity[index] = 1
        for value in reversed(self.values):
            value.back()
