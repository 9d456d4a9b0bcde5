"""Which fitted maps and certificates count, as the settings name them."""

from judge_server.core.errors import BadConfiguration
from judge_server.core.fitted_map import MapSet
from judge_server.scoring.certification import Certification
from judge_server.settings.settings import Settings


def pinned_maps(settings: Settings) -> list[MapSet]:
    pinned = []
    for path in settings.fitted_maps:
        try:
            pinned.append(MapSet.of_json(path.read_text("utf-8")))
        except (OSError, ValueError) as fault:
            raise BadConfiguration(
                f"fitted_maps: {path} cannot be used: {fault}.",
                remedy="Name files that judge-server calibrate fit --out wrote.",
            ) from None
    return pinned


def certification(settings: Settings) -> Certification:
    """Which certificates count. The policy is read only where one is named: measuring brings heavy libraries along."""
    if settings.gate_policy is None:
        return Certification(required=settings.require_calibrated)
    from judge_server.calibration.policy import read_policy

    return Certification(required=settings.require_calibrated, policy=read_policy(settings.gate_policy).digest)
