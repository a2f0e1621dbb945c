"""The browser's camera as a photo: one frame at a time, as fast as the panel answers.

The browser sends a frame, and the next one when the panel has answered, so none ever waits. It stops when nobody looks:
the panel out of sight, the page hidden or closed, no answer for two seconds. Frames stay in the kernel's memory.
"""

from pathlib import Path
from typing import Any

import anywidget
import traitlets

HERE = Path(__file__).parent


class Camera(anywidget.AnyWidget):
    """A button that switches the camera on, and freezes its picture.

    Attributes:
        value: the frame that waits to be taken, a JPEG; whoever takes it sets it to none.
        answered: how often the panel has drawn since; the browser then sends the next frame.
        live: whether the camera is on; set to false, it goes off.
        patience: milliseconds without an answer after which it goes off.
        problem: why there is none, such as ``"refused"``, and when; empty once it is on.
    """

    _esm = HERE / "camera.js"
    # what comes from the browser is a memoryview, which Bytes refuses; an echo would send it back
    value = traitlets.Any(b"").tag(sync=True, echo_update=False)
    answered = traitlets.Int().tag(sync=True)
    live = traitlets.Bool(False).tag(sync=True)
    patience = traitlets.Int(2000).tag(sync=True)
    problem: traitlets.List[Any] = traitlets.List().tag(sync=True)
    freeze = traitlets.Unicode().tag(sync=True)
    description = traitlets.Unicode().tag(sync=True)
    tooltip = traitlets.Unicode(allow_none=True).tag(sync=True)
