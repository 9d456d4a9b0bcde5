"""What a metric says, in words for people who do not know its name."""

from typing import Final

_WORDS: Final = {
    "cohen_kappa": "agreement with people's majority beyond chance (κ)",
    "cohen_kappa_linear": "agreement with people's majority beyond chance, near misses counting half (linear κ)",
    "cohen_kappa_quadratic": "agreement with people's majority beyond chance, near misses counting most (quadratic κ)",
    "pearson": "correlation with people's scores (r)",
    "raw_agreement": "share of labels that agree with people's majority",
    "accuracy": "share of items on which it says what people's majority says",
    "balanced_accuracy": "share of items on which it says what people's majority says, each label counting alike",
    "false_positive_rate": "share that it passes of what people's majority does not pass",
    "youden_j": "share that it passes rightly less the share that it passes wrongly (Youden's J)",
    "brier": "mean squared error of its probabilities (Brier score)",
    "ece": "error of its probabilities (expected calibration error)",
    "auc": "how well its probabilities rank items (area under the curve)",
}
_PAIRWISE: Final = "_pairwise"


def words(metric: str) -> str:
    """In words; a rarer metric by its name."""
    if metric.endswith(_PAIRWISE):
        own = words(metric.removesuffix(_PAIRWISE))
        return (
            own.replace("people's majority", "each person")
            if "people's majority" in own
            else f"{own}, person by person"
        )
    return _WORDS.get(metric, metric.replace("_", " "))
