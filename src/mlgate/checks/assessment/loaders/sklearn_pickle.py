"""Scikit-learn's models as pickles, or as joblib writes them.

Reading a pickle runs what it says. So the policy must accept it, the model check must
have passed the file, and it is read behind the sandbox's walls, like everything else.
"""

import io
import zlib
from typing import TYPE_CHECKING

from mlgate.checks.assessment.loaders import _sklearn
from mlgate.checks.assessment.loaders._sklearn import SklearnModel
from mlgate.checks.assessment.problems import Unassessable

if TYPE_CHECKING:
    from mlgate.checks.assessment.model import Request

FORMAT = "scikit-learn pickle"
REQUIRES = ("numpy", "scipy", "joblib", "threadpoolctl", "sklearn")
EXTRA = "sklearn"
MAX_BYTES = 1 << 30
CODE = True
TWIN = None

# What a pickle of an estimator names among its globals; other pickles are other loaders'.
_LIBRARIES = (b"sklearn", b"xgboost", b"lightgbm", b"catboost")
# zlib at any level, gzip, bzip2, xz, lzma.
_COMPRESSED = (
    *(b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda"),
    *(b"\x1f\x8b", b"BZh", b"\xfd7zXZ\x00", b"\x5d\x00\x00"),
)


def claims(data: bytes) -> bool:
    """Say whether ``data`` begins like a pickle of an estimator, or like one that joblib compressed."""
    if data[:1] == b"\x80" and data[1:2] in b"\x02\x03\x04\x05":
        return any(name in data for name in _LIBRARIES)
    return data.startswith(_COMPRESSED)


def prepare(_request: "Request") -> None:
    """Import joblib and scikit-learn."""
    import joblib  # noqa: F401, PLC0415 - only the worker pays for it

    _sklearn.prepare()


def load(data: bytes, request: "Request") -> SklearnModel:
    """Unpickle an estimator.

    Raises:
        Unassessable: It cannot be, or it is no fitted model of that kind.
    """
    import joblib  # noqa: PLC0415 - only the worker pays for it

    if not request.accept_code:
        raise Unassessable(
            "model-load", "reading a pickle runs what it says, and the policy does not accept it"
        )
    try:
        estimator = joblib.load(io.BytesIO(data))
    except MemoryError:
        raise
    except (Exception, zlib.error) as error:  # the wall around a hostile file
        raise Unassessable(
            "model-load", f"the file cannot be unpickled: {type(error).__name__}: {error}"
        ) from error
    return SklearnModel(estimator, request)
