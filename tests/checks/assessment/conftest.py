"""No test may start onnxruntime's telemetry."""

import os

os.environ["ORT_DISABLE_TELEMETRY"] = "1"
