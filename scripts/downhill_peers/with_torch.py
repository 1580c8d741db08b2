# SPDX-License-Identifier: MIT
"""Idiomatic PyTorch for a CPU: tensors made once, rows gathered by index_select, gradient by
autograd, torch.optim.SGD. A DataLoader would be slower, because it assembles each batch sample by
sample."""

import pathlib
import re

import numpy

from . import losses
from .problem import CheckFailed, Problem, Settings

# File names of BLAS libraries, after resolving libblas.so.3.
BLAS = re.compile(r"/(lib(?:openblas|blis|mkl_rt|atlas|blas)[^/]*?\.so[^/]*)$")
REFERENCE_BLAS = re.compile(r"libblas\.so\.3\.")


class TorchTrainer:
    dtype = "f32"

    def __init__(self, problem: Problem, settings: Settings) -> None:
        import torch

        torch.set_num_threads(settings.threads)
        torch.manual_seed(settings.seed)
        self.torch, self.settings, self.c = torch, settings, problem.c
        self.x, self.y = torch.from_numpy(problem.train_x), torch.from_numpy(problem.train_y)
        d = problem.train_x.shape[1]
        self.w = torch.zeros(problem.c, d, requires_grad=True)
        self.b = torch.zeros(problem.c, requires_grad=True)
        self.version = torch.__version__
        self.note = (
            "minibatches as downhill's: tensors made once, `index_select`, gradient by autograd, "
            f"`torch.optim.SGD`{blas_words(pathlib.Path('/proc/self/maps'))}"
        )
        self.check()
        self.first_loss = self.check_first_loss()
        # The derivative of reg*|W|^2 is 2*reg*W; the biases have no penalty.
        self.optimiser = torch.optim.SGD(
            [{"params": [self.w], "weight_decay": 2 * settings.reg}, {"params": [self.b]}],
            lr=settings.lr,
        )

    def loss(self, scores, y):
        """Returns the mean over the batch. multi_margin_loss divides the sum over the classes by
        their number."""
        f = self.torch.nn.functional
        if self.settings.loss == "hinge":
            return f.multi_margin_loss(scores, y, margin=self.settings.delta) * self.c
        return f.cross_entropy(scores, y)

    def epoch(self) -> float:
        torch, total = self.torch, self.torch.zeros((), dtype=self.torch.float64)
        for rows in torch.randperm(len(self.y)).split(self.settings.batch):
            x, y = self.x.index_select(0, rows), self.y.index_select(0, rows)
            loss = self.loss(torch.nn.functional.linear(x, self.w, self.b), y)
            self.optimiser.zero_grad(set_to_none=True)
            loss.backward()
            self.optimiser.step()
            total += loss.detach() * len(rows)
        return float(total) / len(self.y)

    def scores(self, x: numpy.ndarray) -> numpy.ndarray:
        with self.torch.no_grad():
            samples = self.torch.from_numpy(x)
            return self.torch.nn.functional.linear(samples, self.w, self.b).numpy()

    def check_first_loss(self) -> float:
        n = self.settings.batch
        with self.torch.no_grad():
            scores = self.torch.nn.functional.linear(self.x[:n], self.w, self.b)
            found = float(self.loss(scores, self.y[:n]))
        want = losses.first_loss(self.settings.loss, self.c, self.settings.delta)
        if not losses.close(found, want):
            raise CheckFailed(
                f"PyTorch: the loss with zero weights is {found:.6g} and should be {want:.6g}; "
                "try another version of PyTorch"
            )
        return found

    def check(self) -> None:
        """Checks loss and gradient at non-zero weights against f64."""
        torch, n = self.torch, self.settings.batch
        random = numpy.random.default_rng(self.settings.seed)
        w = random.normal(0, 0.02, tuple(self.w.shape)).astype(numpy.float32)
        b = random.normal(0, 0.5, self.c).astype(numpy.float32)
        tw, tb = torch.tensor(w, requires_grad=True), torch.tensor(b, requires_grad=True)
        loss = self.loss(torch.nn.functional.linear(self.x[:n], tw, tb), self.y[:n])
        loss.backward()
        x, y = self.x[:n].numpy().astype(float), self.y[:n].numpy()
        scores = x @ w.T.astype(float) + b
        want, dscores = losses.loss_and_dscores(self.settings.loss, scores, y, self.settings.delta)
        pairs = (
            (loss.item(), want),
            (tw.grad.numpy(), dscores.T @ x),
            (tb.grad.numpy(), dscores.sum(0)),
        )
        for what, (found, wanted) in zip(("loss", "gradient of W", "gradient of b"), pairs):
            if not losses.close(found, wanted):
                raise CheckFailed(
                    f"PyTorch: the {what} of the {self.settings.loss} loss differs from the "
                    "reference; try another version of PyTorch"
                )


def blas_words(maps: pathlib.Path) -> str:
    """Names the BLAS library that PyTorch uses, because its speed depends mostly on that."""
    try:
        paths = [line.split()[-1] for line in maps.read_text().splitlines() if "/" in line]
    except OSError:
        return ""
    names = sorted({found[1] for path in paths if (found := BLAS.search(path))})
    fast = [name for name in names if not name.startswith("libblas")]
    if fast:
        return f"; BLAS: {', '.join(fast)}"
    if any(REFERENCE_BLAS.match(name) for name in names):
        return "; BLAS: the reference, which is slow (install libopenblas0-serial)"
    return f"; BLAS: {', '.join(names)}" if names else ""
