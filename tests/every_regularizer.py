"""One of each penalty and filter, made anew at each call."""

from lecture_viz.optimization_based import regularizers

PENALTIES = {
    "l1": lambda: regularizers.l1(2.0),
    "l2": lambda: regularizers.l2(2.0),
    "alpha_norm": lambda: regularizers.alpha_norm(2.0),
    "total_variation": lambda: regularizers.total_variation(2.0),
    "total_variation, sharp": lambda: regularizers.total_variation(2.0, beta=1),
}
FILTERS = {
    "low_pass": lambda: regularizers.low_pass(1.0),
    "median": lambda: regularizers.median(1),
    "bilateral": lambda: regularizers.bilateral(0.2),
    "wavelet_threshold": lambda: regularizers.wavelet_threshold(0.2),
    "clip_small": lambda: regularizers.clip_small(30),
    "clip_small_contribution": lambda: regularizers.clip_small_contribution(30),
}
