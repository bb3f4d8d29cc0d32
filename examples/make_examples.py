"""Make the models and the data of the two examples.

    python examples/make_examples.py

Needs the ``dev`` extra. Every random choice has a seed, so the same versions of numpy
and scikit-learn on the same processor give the same files; what is committed is what
the policies name by digest, and this script writes the digests into them.

Two networks of the same shape learn the same 8 by 8 digits. One sees, at every step,
the worst image that projected gradient descent finds within EPSILON of each one
(Madry et al. 2018, arXiv:1706.06083), and learns to withstand it. The other learns
only the clean images: as accurate, and easily fooled.
"""

import hashlib
import json
import pickle
import re
import struct
from pathlib import Path
from typing import NamedTuple

import numpy as np
import onnx
from onnx import TensorProto, helper
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

HERE = Path(__file__).resolve().parent
SEED = 20
EPSILON = 0.1
HELD_OUT = 400
HIDDEN = 160
EPOCHS = 120
BATCH = 128
# The command that classifier.pkl would run; it can do no harm.
COMMAND = "echo mlgate-demo: this pickle just ran a command"


class Network(NamedTuple):
    """Weights of a ReLU network with one hidden layer: 64 pixels in, 10 scores out."""

    w1: np.ndarray
    b1: np.ndarray
    w2: np.ndarray
    b2: np.ndarray

    def scores(self, x: np.ndarray) -> np.ndarray:
        """Return scores (n, 10) of images (n, 64)."""
        scores: np.ndarray = np.maximum(x @ self.w1 + self.b1, 0) @ self.w2 + self.b2
        return scores

    def gradients(self, x: np.ndarray, y: np.ndarray) -> tuple["Network", np.ndarray]:
        """Return the mean loss's gradients by the weights, and the loss's by the images."""
        hidden = np.maximum(x @ self.w1 + self.b1, 0)
        scores = hidden @ self.w2 + self.b2
        shares = np.exp(scores - scores.max(axis=1, keepdims=True))
        shares /= shares.sum(axis=1, keepdims=True)
        shares[np.arange(len(y)), y] -= 1
        back = (shares @ self.w2.T) * (hidden > 0)
        n = len(y)
        weights = Network(x.T @ back / n, back.mean(axis=0), hidden.T @ shares / n, shares.mean(axis=0))
        return weights, back @ self.w1.T


def attack(
    network: Network, x: np.ndarray, y: np.ndarray, rng: np.random.Generator, steps: int
) -> np.ndarray:
    """Return images within EPSILON of ``x``, in [0, 1], that raise the loss (PGD, Linf)."""
    low, high = np.maximum(x - EPSILON, 0), np.minimum(x + EPSILON, 1)
    moved = np.clip(x + rng.uniform(-EPSILON, EPSILON, x.shape), low, high)
    for _ in range(steps):
        _, direction = network.gradients(moved, y)
        moved = np.clip(moved + 2.5 * EPSILON / steps * np.sign(direction), low, high)
    return moved


def train(x: np.ndarray, y: np.ndarray, *, robust: bool) -> Network:
    """Train with Adam; against PGD at every step where ``robust``."""
    rng = np.random.default_rng(SEED)
    network = Network(
        rng.normal(0, np.sqrt(2 / 64), (64, HIDDEN)),
        np.zeros(HIDDEN),
        rng.normal(0, np.sqrt(2 / HIDDEN), (HIDDEN, 10)),
        np.zeros(10),
    )
    first = [np.zeros_like(weight) for weight in network]
    second = [np.zeros_like(weight) for weight in network]
    step = 0
    for epoch in range(EPOCHS):
        rate = 2e-3 * (1 - epoch / EPOCHS)
        for batch in np.array_split(rng.permutation(len(x)), len(x) // BATCH):
            images = attack(network, x[batch], y[batch], rng, 10) if robust else x[batch]
            gradients, _ = network.gradients(images, y[batch])
            step += 1
            updated = []
            for i, (weight, gradient) in enumerate(zip(network, gradients, strict=True)):
                first[i] = 0.9 * first[i] + 0.1 * gradient
                second[i] = 0.999 * second[i] + 0.001 * gradient**2
                mean, spread = first[i] / (1 - 0.9**step), second[i] / (1 - 0.999**step)
                updated.append(weight - rate * mean / (np.sqrt(spread) + 1e-8))
            network = Network(*updated)
    return Network(*(weight.astype(np.float32) for weight in network))


def write_onnx(network: Network, path: Path) -> None:
    """Write an ONNX model: ``image`` (n, 64) in, ``scores`` (n, 10) out."""
    graph = helper.make_graph(
        [
            helper.make_node("Gemm", ["image", "w1", "b1"], ["sums"]),
            helper.make_node("Relu", ["sums"], ["hidden"]),
            helper.make_node("Gemm", ["hidden", "w2", "b2"], ["scores"]),
        ],
        "digits",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", 64])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["n", 10])],
        [onnx.numpy_helper.from_array(value, name) for name, value in network._asdict().items()],
    )
    model = helper.make_model(
        graph, producer_name="mlgate-example", opset_imports=[helper.make_opsetid("", 17)]
    )
    model.ir_version = 8
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString(deterministic=True))


def write_safetensors(network: Network, path: Path) -> None:
    """Write the weights as safetensors: header length, JSON header, tensors."""
    header: dict[str, object] = {"__metadata__": {"format": "np"}}
    body = b""
    for name, value in network._asdict().items():
        data = value.astype("<f4").tobytes()
        header[name] = {
            "dtype": "F32",
            "shape": value.shape,
            "data_offsets": [len(body), len(body) + len(data)],
        }
        body += data
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + body)


def write_evil_pickle(network: Network, path: Path) -> None:
    """Write what looks like a classifier's weights, and runs COMMAND when it is loaded."""
    weights = pickle.dumps(
        {name: value.ravel()[:64].tolist() for name, value in network._asdict().items()}, 2
    )
    # PROTO 2, MARK, GLOBAL os.system, the command, TUPLE1, REDUCE, then the weights, in a list.
    call = b"cos\nsystem\n" + b"X" + struct.pack("<I", len(COMMAND)) + COMMAND.encode() + b"\x85R"
    path.write_bytes(b"\x80\x02(" + call + weights[2:-1] + b"l.")


def name_digests(repository: Path) -> None:
    """Write the SHA-256 of each file that the policy names into the policy."""
    policy = repository / ".mlgate.yaml"
    text = policy.read_text()
    for path in re.findall(r"path: (\S+)\n\s+sha256:", text):
        digest = hashlib.sha256((repository / path).read_bytes()).hexdigest()
        text = re.sub(rf"(path: {re.escape(path)}\n\s+sha256:) \S+", rf"\1 {digest}", text)
    policy.write_text(text)


def main() -> None:
    """Make every file, and say how accurate and robust the two networks are."""
    digits = load_digits()
    order = np.random.default_rng(SEED).permutation(len(digits.target))
    x, y = digits.data[order] / 16, digits.target[order]
    held_out, train_x, train_y = slice(0, HELD_OUT), x[HELD_OUT:], y[HELD_OUT:]
    for name, robust in (("passing", True), ("blocked", False)):
        repository = HERE / name
        (repository / "models").mkdir(exist_ok=True)
        (repository / "data").mkdir(exist_ok=True)
        network = train(train_x, train_y, robust=robust)
        write_onnx(network, repository / "models/digits.onnx")
        np.savez_compressed(
            repository / "data/holdout.npz",
            image=x[held_out].astype(np.float32),
            digit=y[held_out].astype(np.int64),
        )
        if robust:
            write_safetensors(network, repository / "models/digits.safetensors")
            baseline = LogisticRegression(C=0.1, max_iter=500).fit(train_x, train_y)
            (repository / "models/baseline.pkl").write_bytes(pickle.dumps(baseline, 4))
        else:
            write_evil_pickle(network, repository / "models/classifier.pkl")
        name_digests(repository)
        moved = attack(network, x[held_out], y[held_out], np.random.default_rng(SEED), 40)
        clean = np.mean(network.scores(x[held_out]).argmax(axis=1) == y[held_out])
        hard = np.mean(network.scores(moved).argmax(axis=1) == y[held_out])
        print(f"{name}: accuracy {clean:.3f}, after PGD with 40 steps at {EPSILON}: {hard:.3f}")


if __name__ == "__main__":
    main()
