"""What a judge without eyes would score: always the most common label."""

from judge_server.agreement.array import Floats
from judge_server.core.model import Frozen


class Baseline(Frozen):
    """``accuracy`` of always saying ``label``; its balanced accuracy is 1 / labels and its κ is undefined."""

    label: str
    accuracy: float
    f1_macro: float
    balanced_accuracy: float


def always_majority(labels: tuple[str, ...], reference: Floats) -> Baseline | None:
    """The baseline for (labels,) counts of the reference; None without items. Macro F1 averages over the labels
    present.
    """
    total = float(reference.sum())
    if not total:
        return None
    code = int(reference.argmax())
    share = float(reference[code]) / total
    present = int((reference > 0).sum())
    return Baseline(
        label=labels[code], accuracy=share, f1_macro=2 * share / (1 + share) / present, balanced_accuracy=1 / present
    )
