"""A button for a photo of one's own."""

from pathlib import Path

import anywidget
import traitlets

HERE = Path(__file__).parent


class Upload(anywidget.AnyWidget):
    """``value`` is the file that waits to be taken, as bytes; whoever takes it sets it to none."""

    _esm = HERE / "upload.js"
    # what comes from the browser is a memoryview, which Bytes refuses; an echo would send it back
    value = traitlets.Any(b"").tag(sync=True, echo_update=False)
    description = traitlets.Unicode().tag(sync=True)
    tooltip = traitlets.Unicode(allow_none=True).tag(sync=True)
