"""Which logit a label names."""

import operator
from collections.abc import Sequence
from difflib import get_close_matches


def as_label(label: str | int) -> str | int:
    """A label's name as it is, its index as an ``int`` (NumPy has others), or a TypeError."""
    if isinstance(label, str):
        return label
    if isinstance(label, bool) or not hasattr(label, "__index__"):
        raise TypeError(f"a label is a name, such as 'tabby', or an index; got {label!r}")
    return operator.index(label)


def index_of(label: str | int, names: Sequence[str], english: Sequence[str], network: str) -> int:
    """The index of a label among ``names`` (or the same in ``english``), see `Network.label_index`."""
    label = as_label(label)
    if isinstance(label, int):
        if 0 <= label < len(names):
            return label
        raise ValueError(f"{network} has labels 0 … {len(names) - 1}; got {label}")
    for known in (names, english):
        if label in known:
            return known.index(label)
    asked = label.casefold()
    folded = [name.casefold() for name in names]
    if asked in folded:
        return folded.index(asked)
    containing = [n for n, name in enumerate(folded) if asked in name]
    if len(containing) == 1 and asked:
        return containing[0]
    if containing and asked:
        several = ", ".join(names[n] for n in containing[:8])
        raise ValueError(f"{label!r} fits several labels of {network}: {several}; say which")
    near = [names[folded.index(name)] for name in get_close_matches(asked, folded, n=3, cutoff=0.4)]
    hint = f"the nearest are {', '.join(near)}" if near else "see net.labels"
    raise ValueError(f"{network} has no label {label!r}; {hint}")
