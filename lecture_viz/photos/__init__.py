"""Photos: one in (`loading`), many (`many`), a brush on one (`painting`), a thing laid on another (`collage`)."""

from .collage import OUTLINES as OUTLINES
from .collage import Laid as Laid
from .collage import cut as cut
from .collage import lay as lay
from .collage import opacity as opacity
from .loading import BUNDLED_PHOTOS as BUNDLED_PHOTOS
from .loading import SHEET as SHEET
from .loading import TEXTURES as TEXTURES
from .loading import Box as Box
from .loading import load_image as load_image
from .many import Pictures as Pictures
from .painting import LEAVES as LEAVES
from .painting import Stroke as Stroke
from .painting import brushed as brushed
from .painting import left as left
from .painting import paint as paint
