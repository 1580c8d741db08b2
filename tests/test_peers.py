# SPDX-License-Identifier: MIT
"""scripts/peers.py. Tests that need the other libraries are skipped if these are not installed."""

import gzip
import json
import math
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import unittest

import numpy

from report_data import ROOT, load, train  # isort: skip: makes the next imports work
from downhill_peers import epochs, losses, problem, with_torch

PEERS = ROOT / "scripts" / "peers.py"
SETTINGS = problem.Settings("hinge", "none", 4, 0.1, 1e-4, 1, 1, 2)


def idx(array):
    head = bytes((0, 0, 8, array.ndim)) + b"".join(n.to_bytes(4, "big") for n in array.shape)
    return head + array.astype(numpy.uint8).tobytes()


class Scratch(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)

    def data(self, n=40):
        """Writes images of 2x3 pixels: the first pixel gives the class, the last is constant."""
        for part in ("train", "t10k"):
            labels = numpy.arange(n) % 10
            images = numpy.arange(n * 6).reshape(n, 2, 3) % 250
            images[:, 0, 0], images[:, 1, 2] = 20 * labels, 7
            self.write_gzip(f"{part}-images-idx3-ubyte.gz", idx(images))
            self.write_gzip(f"{part}-labels-idx1-ubyte.gz", idx(labels))

    def write_gzip(self, name, content):
        (self.directory / name).write_bytes(gzip.compress(content))


class Losses(unittest.TestCase):
    def test_hinge__by_hand(self):
        scores = numpy.array([[1.0, 0.5, -3.0], [0.0, 2.0, 2.5]])
        loss, dscores = losses.loss_and_dscores("hinge", scores, numpy.array([0, 1]), 1.0)
        # The first sample adds 0.5, the second 1.5; its class 0 adds nothing, as 0 - 2 + 1 < 0.
        self.assertAlmostEqual(loss, (0.5 + 1.5) / 2)
        numpy.testing.assert_allclose(dscores, [[-0.5, 0.5, 0.0], [0.0, -0.5, 0.5]])

    def test_softmax__by_hand(self):
        scores = numpy.log([[1.0, 1.0, 2.0]])
        loss, dscores = losses.loss_and_dscores("softmax", scores, numpy.array([2]), 1.0)
        self.assertAlmostEqual(loss, math.log(2))
        numpy.testing.assert_allclose(dscores, [[0.25, 0.25, -0.5]])
        loss, _ = losses.loss_and_dscores("softmax", 1e4 * scores, numpy.array([0]), 1.0)
        self.assertAlmostEqual(loss, 1e4 * math.log(2))

    def test_dscores__match_finite_differences(self):
        random = numpy.random.default_rng(3)
        scores, y = random.normal(size=(5, 4)), random.integers(4, size=5)
        for loss in ("hinge", "softmax"):
            _, dscores = losses.loss_and_dscores(loss, scores, y, 1.5)
            for at in numpy.ndindex(scores.shape):
                step = numpy.zeros_like(scores)
                step[at] = 1e-6
                above, below = (
                    losses.loss_and_dscores(loss, scores + s * step, y, 1.5)[0] for s in (1, -1)
                )
                self.assertAlmostEqual((above - below) / 2e-6, dscores[at], places=5)

    def test_first_loss__of_zero_scores(self):
        for loss, want in (("hinge", 9.0), ("softmax", math.log(10))):
            found, _ = losses.loss_and_dscores(loss, numpy.zeros((6, 10)), numpy.arange(6), 1.0)
            self.assertAlmostEqual(found, want)
            self.assertAlmostEqual(losses.first_loss(loss, 10, 1.0), want)
        self.assertEqual(losses.first_loss("hinge", 10, 0.5), 4.5)

    def test_close__within_f32_precision_and_false_for_nan(self):
        self.assertTrue(losses.close(numpy.float32(9.0001), 9.0))
        self.assertFalse(losses.close(9.01, 9.0))
        self.assertFalse(losses.close(math.nan, 9.0))
        self.assertFalse(losses.close(numpy.array([0.0, 1.0]), numpy.array([0.01, 1.0])))


class Data(Scratch):
    def test_features__scaled_or_standardised_by_the_training_samples(self):
        self.data()
        plain = problem.read_problem(str(self.directory), "none")
        self.assertEqual((plain.train_x.shape, plain.train_x.dtype), ((40, 6), numpy.float32))
        numpy.testing.assert_allclose(
            plain.train_x[:3, 0], numpy.array([0, 20, 40]) / 255, rtol=1e-6
        )
        self.assertEqual(list(plain.train_y[:12]), [*range(10), 0, 1])
        scaled = problem.read_problem(str(self.directory), "standardize")
        self.assertAlmostEqual(float(scaled.train_x[:, 0].mean()), 0.0, places=5)
        self.assertAlmostEqual(float(scaled.train_x[:, 0].std()), 1.0, places=5)
        self.assertTrue((scaled.train_x[:, 5] == 0).all())  # not NaN

    def test_standard_deviation__is_at_least_8(self):
        x = numpy.array([[0, 0], [4, 100]], numpy.uint8)
        shift, scale = problem.normalisation(x, "standardize")
        numpy.testing.assert_allclose((shift, scale), [[2, 50], [1 / 8, 1 / 50]])

    def test_bad_files__refused(self):
        self.data()
        images, labels = "train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"
        good = {name: (self.directory / name).read_bytes() for name in (images, labels)}
        for says, name, content in (
            ("not an IDX file", images, gzip.compress(b"\0\0\10\3")),
            ("not an IDX file", labels, gzip.compress(idx(numpy.zeros(3)) + b"x")),
            ("damaged or truncated gzip data", labels, good[labels][:-9]),
            ("damaged or truncated gzip data", labels, b"plain"),
            ("40 pictures and 3 labels", labels, gzip.compress(idx(numpy.zeros(3)))),
            ("the label 10", labels, gzip.compress(idx(numpy.full(40, 10)))),
        ):
            (self.directory / name).write_bytes(content)
            with self.assertRaisesRegex(problem.BadData, says):
                problem.read_problem(str(self.directory), "none")
            (self.directory / name).write_bytes(good[name])
        with self.assertRaisesRegex(problem.BadData, "No such file.*dataset-fashion-mnist"):
            problem.read_problem(str(self.directory / "nowhere"), "none")


class FakeTrainer:
    """Predicts every second sample correctly in the first epoch, all samples in later epochs."""

    version, dtype, note, first_loss = "1", "f32", "", None

    def __init__(self, loss=0.5):
        self.loss, self.done = loss, 0

    def epoch(self):
        self.done += 1
        return self.loss

    def scores(self, x):
        right = numpy.arange(len(x)) % 10
        wrong = (right + 1) % 10
        predicted = numpy.where((numpy.arange(len(x)) % 2 == 0) | (self.done > 1), right, wrong)
        return numpy.eye(10)[predicted]


class Epochs(Scratch):
    def test_run__times_and_tests_each_epoch(self):
        self.data()
        data, reported = problem.read_problem(str(self.directory), "none"), []
        found = epochs.run(FakeTrainer(), data, SETTINGS, reported.append)
        self.assertEqual(
            [(o["epoch"], o["train_loss"], o["test_accuracy"]) for o in found],
            [(1, 0.5, 0.5), (2, 0.5, 1.0)],
        )
        self.assertTrue(all(o["seconds"] > 0 for o in found))
        self.assertEqual(reported, found)

    def test_run__diverges__check_failed(self):
        self.data()
        data = problem.read_problem(str(self.directory), "none")
        for loss in (math.nan, math.inf):
            with self.assertRaisesRegex(problem.CheckFailed, "diverged.*epoch 1; try --lr 0.01"):
                epochs.run(FakeTrainer(loss), data, SETTINGS, lambda _: None)

    def test_blas__library_is_named(self):
        maps = self.directory / "maps"
        line = "7f00-7f01 r-xp 00000000 08:01 42 /usr/lib/x86_64-linux-gnu/"
        for names, says in (
            (
                ("openblas-serial/libopenblas-r0.3.21.so", "openblas-serial/libblas.so.3",
                 "libc.so.6"),
                "; BLAS: libopenblas-r0.3.21.so",
            ),
            (("blas/libblas.so.3.11.0",), "slow"),
            (("libc.so.6",), ""),
        ):  # fmt: skip
            maps.write_text("".join(f"{line}{name}\n" for name in names))
            found = with_torch.blas_words(maps)
            self.assertIn(says, found)
            self.assertEqual(found == "", says == "")


@unittest.skipIf(epochs.missing(epochs.Library("", "torch", "", None)), "PyTorch is not installed")
class Torch(Scratch):
    def trainer(self, loss):
        self.data()
        data = problem.read_problem(str(self.directory), "none")
        settings = problem.Settings(loss, "none", len(data.train_y), 0.1, 0.05, 1, 1, 1)
        return data, with_torch.TorchTrainer(data, settings)

    def test_step__same_as_downhill(self):
        for loss in ("hinge", "softmax"):
            data, trainer = self.trainer(loss)
            random = numpy.random.default_rng(5)
            w, b = random.normal(size=(10, 6)), random.normal(size=10)
            trainer.w.data, trainer.b.data = (
                trainer.torch.tensor(o, dtype=trainer.w.dtype) for o in (w, b)
            )
            x = data.train_x.astype(float)
            want, dscores = losses.loss_and_dscores(loss, x @ w.T + b, data.train_y, 1.0)
            self.assertAlmostEqual(trainer.epoch(), want, places=4)
            wanted = w - 0.1 * (dscores.T @ x + 2 * 0.05 * w)
            numpy.testing.assert_allclose(trainer.w.detach().numpy(), wanted, atol=1e-5)
            wanted = b - 0.1 * dscores.sum(axis=0)  # biases have no penalty
            numpy.testing.assert_allclose(trainer.b.detach().numpy(), wanted, atol=1e-5)

    def test_epoch__uses_every_sample_once(self):
        _, trainer = self.trainer("softmax")
        seen = []
        trainer.loss = lambda scores, y: (seen.append(len(y)), scores.sum() * 0)[1]
        trainer.settings = problem.Settings("softmax", "none", 16, 0.1, 0.0, 1, 1, 1)
        trainer.epoch()
        self.assertEqual(seen, [16, 16, 8])


class Command(Scratch):
    def setUp(self):
        super().setUp()
        self.modules = self.directory / "modules"
        self.modules.mkdir()
        for name in ("torch", "sklearn"):
            self.replace(name, f"raise ModuleNotFoundError('gone', name='{name}')")

    def replace(self, name, text):
        """Writes a module that hides the library, whether it is installed or not."""
        (self.modules / f"{name}.py").write_text(text)

    def peers(self, *options):
        environment = os.environ | {"PYTHONPATH": str(self.modules)}
        return subprocess.run(
            [PEERS, *options],
            capture_output=True,
            text=True,
            env=environment,
            timeout=120,
            check=False,
        )

    def test_nothing_installed__rows_with_reasons(self):
        done = self.peers("--lr", "0.01", "--json", "-", "--data-dir", "/nowhere")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        rows = json.loads(done.stdout)["peers_training"]
        remedy = "is not installed; scripts/setup peers installs it"
        self.assertEqual(
            [(row["library"], row["missing"], row["epochs"], row["lr"]) for row in rows],
            [
                ("PyTorch", f"python3-torch {remedy}", [], 0.01),
                ("scikit-learn", f"python3-sklearn {remedy}", [], 0.01),
            ],
        )

    def test_rows__can_be_read_by_the_report(self):
        path, ours = self.directory / "peers.json", self.directory / "ours.json"
        self.assertEqual(self.peers("--json", path).returncode, 0)
        document = train()
        document["machine"]["host_name"] = os.uname().nodename
        ours.write_text(json.dumps(document))
        self.assertEqual(len(load.load([ours, path])["peers_training"]), 2)

    def test_broken_library__reported_as_missing(self):
        self.replace("torch", "raise ImportError('libtorch.so: cannot open')")
        self.replace("sklearn", "import a_module_that_is_not_there")
        done = self.peers("--json", "-")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        first, second = (row["missing"] for row in json.loads(done.stdout)["peers_training"])
        self.assertEqual(first, "python3-torch cannot be loaded: libtorch.so: cannot open")
        self.assertIn("a_module_that_is_not_there", second)

    def test_wrong_usage__exits_2(self):
        for options in (
            ("--epochs", "0"), ("--lr", "nan"), ("--lr", "0"), ("--reg", "-1"), ("--loss", "x"),
            ("--batch", "1.5"), ("--nonsense",), ("more",),
        ):  # fmt: skip
            done = self.peers(*options)
            self.assertEqual(done.returncode, 2, options)
            self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
            self.assertTrue(done.stderr.startswith("downhill: peers: "), done.stderr)
        done = self.peers("--help")
        self.assertEqual(done.returncode, 0)
        self.assertIn("Usage: scripts/peers.py", done.stdout)

    def test_bad_data_exits_3_and_failed_write_exits_70(self):
        self.replace("torch", "")
        done = self.peers("--data-dir", self.directory)
        self.assertEqual((done.returncode, done.stderr.count("\n")), (3, 1), done.stderr)
        self.assertIn("train-images-idx3-ubyte.gz", done.stderr)
        self.replace("torch", "raise ModuleNotFoundError('gone', name='torch')")
        with open("/dev/full", "w") as output:
            for options in (("--help",), ()):
                done = subprocess.run(
                    [PEERS, *options],
                    stdout=output,
                    stderr=subprocess.PIPE,
                    text=True,
                    env=os.environ | {"PYTHONPATH": str(self.modules)},
                    check=False,
                )
                self.assertEqual((done.returncode, done.stderr.count("\n")), (70, 1), done.stderr)
        done = self.peers("--json", self.directory / "no" / "where.json")
        self.assertEqual((done.returncode, done.stderr.count("\n")), (2, 1), done.stderr)
        self.assertIn("where.json: cannot write", done.stderr)

    def test_file_of_another_kind__refused_and_kept(self):
        path = self.directory / "there.json"
        for holds, contents in (
            ("other text", "mine"),
            ("other JSON", '{"schema_version": 1, "training": []}'),
        ):
            path.write_text(contents)
            done = self.peers("--json", path)
            self.assertEqual((done.returncode, done.stdout), (2, ""), done.stderr)
            self.assertIn(
                f"there.json: holds {holds}, not results of scripts/peers.py; choose another",
                done.stderr,
            )
            self.assertEqual(path.read_text(), contents)
        path.write_text("")
        for _ in range(2):  # replaces an empty file, then its own file
            self.assertEqual(self.peers("--json", path).returncode, 0)

    def test_output_is_a_pipe__written_to_and_not_replaced(self):
        path, found = self.directory / "pipe", []
        os.mkfifo(path)
        reader = threading.Thread(target=lambda: found.append(path.read_text()), daemon=True)
        reader.start()
        self.assertEqual(self.peers("--json", path).returncode, 0)
        self.assertTrue(path.is_fifo(), "replaced by a file")
        reader.join(timeout=60)
        self.assertEqual(len(json.loads(found[0])["peers_training"]), 2)

    def test_installed_libraries__train_and_pass_the_checks(self):
        for name in ("torch", "sklearn"):
            (self.modules / f"{name}.py").unlink()
        self.data()
        for loss, first in (("hinge", 9.0), ("softmax", math.log(10))):
            done = self.peers(
                "--loss", loss, "--epochs", "2", "--batch", "16", "--normalize", "standardize",
                "--json", "-", "--data-dir", self.directory,
            )  # fmt: skip
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            trained = [
                row for row in json.loads(done.stdout)["peers_training"] if not row["missing"]
            ]
            if not trained:
                self.skipTest("neither library is installed")
            for row in trained:
                self.assertEqual(len(row["epochs"]), 2)
                if row["library"] == "PyTorch":
                    self.assertAlmostEqual(row["first_loss"], first, places=4)


if __name__ == "__main__":
    sys.exit(unittest.main())
