"""Measurements of every family, as an assessment makes them: curves, parts, bounds, signals."""

from mlgate.core.facts import Measurement

_COMMON = {
    "confidence": 0.95,
    "seed": 0,
    "model_sha256": "1f" * 32,
    "data_sha256": "2e" * 32,
    "versions": {"mlgate": "1.2.3", "numpy": "2.1.0", "onnxruntime": "1.20.1"},
    "sandbox": {"landlock": True, "seccomp": True, "rlimits": True},
}
_ATTACKS = {
    "pgd": {"attacked": 580, "broken": 210, "survived": 370, "unconfirmed": 0, "queries": 23_200},
    "square": {"attacked": 370, "broken": 58, "survived": 312, "unconfirmed": 1, "queries": 370_000},
}
SIGNALS = [
    {"signal": "a black-box attack beats the white-box ones", "value": 0.31, "limit": 0.02, "raised": True},
    {"signal": "share of zero gradients", "value": 0.97, "limit": 0.5, "raised": True},
    {"signal": "PGD at epsilon 1 leaves samples standing", "value": 0.0, "limit": 0.0, "raised": False},
]


def robust(epsilon, value, low, high, outcome, threshold=None, assessment="faces", **more):
    detail = _COMMON | {
        "norm": "linf",
        "epsilon": epsilon,
        "bound": "upper bound (black-box)",
        "budget_seconds": 120.0,
        "stop": "the interval excludes the threshold",
        "samples": 600,
        "successes": 312,
        "attacks": _ATTACKS,
        "forward_passes": 412_345,
        "backward_passes": 23_200,
        "masking": [signal | {"raised": False} for signal in SIGNALS],
    }
    return Measurement(
        assessment,
        "robust_accuracy",
        value,
        low,
        high,
        600,
        threshold,
        outcome,
        detail | more,
        family="robustness",
        part=f"epsilon={epsilon:g}",
    )


def _part(family, name, part, value, low, high, outcome, threshold=None, bound="min", n=200):
    return Measurement(
        "faces", name, value, low, high, n, threshold, outcome, _COMMON, family=family, part=part, bound=bound
    )


CURVE = (
    robust(0.02, 0.91, 0.88, 0.94, "info", certificate={"low": 0.78, "method": "interval bounds"}),
    robust(0.05, 0.79, 0.75, 0.83, "info", certificate={"low": 0.44, "method": "interval bounds"}),
    robust(0.1, 0.61, 0.57, 0.66, "pass", 0.55, certificate={"low": 0.12, "method": "interval bounds"}),
    robust(0.15, 0.49, 0.44, 0.54, "inconclusive", 0.5, stop="the budget of 120 s was spent"),
    robust(0.3, 0.96, 0.93, 0.98, "masked", 0.3, masking=SIGNALS),
)
_NOISE = ((0.95, 0.92, 0.97), (0.93, 0.9, 0.96), (0.88, 0.84, 0.91), (0.74, 0.69, 0.79), (0.52, 0.47, 0.57))
MEASURED = (
    _part("performance", "accuracy", "", 0.964, 0.951, 0.974, "pass", 0.95, n=1000),
    _part("performance", "latency_ms", "", 3.21, 3.1, 3.4, "pass", 10, "max", n=50),
    *CURVE,
    _part("subgroups", "accuracy", "sex=female", 0.93, 0.89, 0.96, "pass", 0.9),
    _part("subgroups", "accuracy", "sex=male", 0.97, 0.94, 0.99, "pass", 0.9),
    _part("subgroups", "accuracy", "age=18-30", 0.84, 0.79, 0.88, "fail", 0.9),
    _part("subgroups", "accuracy", "age=over 30, in the countryside, and with a very long name", None, None, None, "inconclusive", 0.9, n=4),
    *(
        _part("corruptions", "accuracy", f"{name}/{at}", value - shift, low - shift, high - shift, "info" if at < 3 else "pass" if value - shift > 0.6 else "fail", 0.6 if at > 2 else None)
        for name, shift in (("gaussian_noise", 0.0), ("motion_blur", 0.12), ("brightness", -0.02))
        for at, (value, low, high) in enumerate(_NOISE, 1)
    ),
    _part("fairness", "equalized_odds_difference", "sex", 0.08, 0.03, 0.13, "inconclusive", 0.1, "max"),
    _part("fairness", "demographic_parity_ratio", "sex", 0.91, 0.86, 0.96, "pass", 0.8),
    _part("drift", "psi", "pixel_3", 0.31, None, None, "fail", 0.2, "max"),
    _part("drift", "psi", "pixel_4", 0.00021, None, None, "pass", 0.2, "max"),
    _part("poisoning", "anomaly_index", "class 3", 2.95, None, None, "info"),
)  # fmt: skip
