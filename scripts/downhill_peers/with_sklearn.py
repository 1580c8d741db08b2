# SPDX-License-Identifier: MIT
"""scikit-learn's SGDClassifier, one epoch per call of partial_fit. The problem differs from
downhill's: one class against the rest, class by class, with a step per sample."""

import numpy

from .problem import Problem, Settings

LOSSES = {"hinge": "hinge", "softmax": "log_loss"}


class SklearnTrainer:
    dtype = "f64"  # the only type it supports
    first_loss = None

    def __init__(self, problem: Problem, settings: Settings) -> None:
        import sklearn
        from sklearn.linear_model import SGDClassifier

        self.version = sklearn.__version__
        # Its penalty is alpha/2*|W|^2.
        alpha = 2 * settings.reg
        self.note = (
            f"`SGDClassifier(loss='{LOSSES[settings.loss]}', alpha={alpha:g})` by `partial_fit`, "
            "in f64: one class against the rest, a step for each sample, learning rate `optimal` "
            "(its default); neither batch nor learning rate are downhill's"
        )
        # A generator, because with an integer seed every epoch would have the same order.
        order = numpy.random.RandomState(settings.seed)
        self.model = SGDClassifier(
            loss=LOSSES[settings.loss], alpha=alpha, random_state=order, n_jobs=settings.threads
        )
        self.x, self.y = problem.train_x.astype(numpy.float64), problem.train_y
        self.classes = numpy.arange(problem.c)

    def epoch(self) -> None:
        """Steps through all samples once. scikit-learn does not report its loss."""
        self.model.partial_fit(self.x, self.y, classes=self.classes)

    def scores(self, x: numpy.ndarray) -> numpy.ndarray:
        return self.model.decision_function(x.astype(numpy.float64))
