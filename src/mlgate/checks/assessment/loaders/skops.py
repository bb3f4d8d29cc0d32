"""Scikit-learn's models as skops writes them.

A skops file names types, and only those that skops or the policy trusts are made.
"""

import codecs
from typing import TYPE_CHECKING

from mlgate.checks.assessment.loaders import _sklearn
from mlgate.checks.assessment.loaders._sklearn import SklearnModel
from mlgate.checks.assessment.problems import Unassessable

if TYPE_CHECKING:
    from mlgate.checks.assessment.model import Request

FORMAT = "skops"
REQUIRES = ("numpy", "scipy", "joblib", "threadpoolctl", "sklearn", "packaging", "prettytable", "skops")
EXTRA = "sklearn"
MAX_BYTES = 1 << 30
CODE = False
TWIN = None

_ZIP = b"PK\x03\x04"
_DIRECTORY = 1 << 16


def claims(data: bytes) -> bool:
    """Say whether ``data`` is like a zip that lists a ``schema.json``."""
    return data.startswith(_ZIP) and b"schema.json" in data[-_DIRECTORY:]


def prepare(_request: "Request") -> None:
    """Import skops and scikit-learn."""
    import skops.io  # noqa: F401, PLC0415 - only the worker pays for it

    codecs.lookup("cp437")  # the names in a zip; afterwards no codec can be imported
    _sklearn.prepare()


def load(data: bytes, request: "Request") -> SklearnModel:
    """Build an estimator from trusted types.

    Raises:
        Unassessable: It holds types that nobody trusts, it cannot be built, or it is no
            fitted model of that kind.
    """
    import skops.io  # noqa: PLC0415 - only the worker pays for it

    try:
        unknown = set(skops.io.get_untrusted_types(data=data)) - set(request.trusted_types)
        estimator = None if unknown else skops.io.loads(data, trusted=list(request.trusted_types))
    except MemoryError:
        raise
    except Exception as error:  # the wall around a hostile file
        raise Unassessable(
            "model-load", f"skops cannot load the model: {type(error).__name__}: {error}"
        ) from error
    if unknown:
        raise Unassessable(
            "model-load",
            "the skops file holds types that are not trusted; if they should be, add to the model: "
            f"trusted_types: [{', '.join(sorted(unknown))}]",
        )
    return SklearnModel(estimator, request)
