# SPDX-License-Identifier: MIT
"""Data sets written by NumPy and read by the program.

Usage: test_numpy_files.py PROGRAM"""

import csv
import io
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import unittest
import zipfile

import numpy as np

EXIT_OK, EXIT_USAGE, EXIT_DATA = 0, 2, 3

N, D = 60, 6
RNG = np.random.default_rng(1)
Y = np.arange(N) % 3
SPECIAL_NAMES = (
    "it's", 'a "b"', "back\\slash", "new\\nline", "new\nline", "tab\t\x7f", "Ärger ✓", "%s"
)  # fmt: skip
X = np.round(RNG.normal(size=(N, D)) * 8 + 20 * Y[:, None]).astype(np.float32)


class Program(unittest.TestCase):
    program = None

    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)

    def save(self, name, array):
        path = self.directory / name
        np.save(path, array)
        return path

    def run_program(self, *arguments):
        return subprocess.run(
            [self.program, *map(str, arguments)], capture_output=True, text=True, cwd=self.directory
        )

    def pair(self, x, y):
        return f"npy:{self.save('x.npy', x)},{self.save('y.npy', y)}"

    def check(self, spec, *options):
        done = self.run_program("data", "check", "--data", spec, "--json", "check.json", *options)
        self.assertEqual(done.returncode, EXIT_OK, done.stderr)
        return json.loads((self.directory / "check.json").read_text())["checked"]

    def digest(self, spec, *options):
        """Returns the digest of a model, which depends on every bit of the samples."""
        done = self.run_program(
            "train", "--data", spec, "--dtype", "f32", "--epochs", 1, "--lr", "1e-12", "--json",
            "-", "--quiet", *options
        )  # fmt: skip
        self.assertEqual(done.returncode, EXIT_OK, done.stderr)
        return re.search(r'"model_digest": "(\w+)"', done.stdout).group(1)

    def refused(self, spec, *options, code=EXIT_DATA):
        done = self.run_program("data", "check", "--data", spec, *options)
        self.assertEqual(done.returncode, code, done.stderr)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        self.assertEqual(done.stdout, "")
        return done.stderr

    def follow(self, line):
        """Runs the NumPy code that a message suggests. Returns the path of the file it writes."""
        code = line[line.index("np.save(") :].strip()
        done = subprocess.run(
            [sys.executable, "-c", "import numpy as np\n" + code],
            capture_output=True, text=True, cwd=self.directory,
        )  # fmt: skip
        self.assertEqual(done.returncode, 0, f"{code}: {done.stderr}")
        return self.directory / "new.npy"


class Features(Program):
    def test_types__converted_as_by_numpy(self):
        unsigned = np.abs(X)
        for kind in ("i1", "i2", "i4", "i8", "u2", "u4", "u8", "f2", "f4", "f8"):
            for order in "<>":
                x = (unsigned if kind[0] == "u" else X).astype(order + kind)
                with self.subTest(type=x.dtype.str):
                    expected = self.digest(self.pair(x.astype("<f4"), Y))
                    self.assertEqual(self.digest(self.pair(x, Y)), expected)
                    notes = self.check(self.pair(x, Y))["notes"]
                    self.assertEqual([n for n in notes if "round" in n], [])

    def test_bool__read_as_0_and_1(self):
        spec = self.pair(X > 10, Y)
        self.assertEqual(self.digest(spec), self.digest(self.pair((X > 10).astype("f4"), Y)))
        self.assertEqual(self.check(spec)["dtype"], "f32")
        self.assertEqual(self.check(spec)["notes"], [])

    def test_f16__every_finite_value(self):
        bits = np.arange(65536, dtype=np.uint16)
        x = bits.view(np.float16)
        x = x[np.isfinite(x)].reshape(-1, 31)
        y = np.arange(len(x)) % 2
        self.assertEqual(self.digest(self.pair(x, y)), self.digest(self.pair(x.astype("f4"), y)))

    def test_rounding__as_by_numpy_with_one_note(self):
        large = np.array(
            [2**24 + 1, -(2**40) - 1, 2**62 + 1, -(2**63), 2**53, 3], np.int64
        )
        for x, rounded in (
            (X.astype("f8") + 1e-9, None),
            (np.where(Y[:, None] == 1, large, 1), 3 * (N // 3)),
            (np.where(Y[:, None] == 1, large.astype("u8"), 1), 4 * (N // 3)),
        ):
            with np.errstate(over="ignore"):
                single = x.astype("f4")
            expected = int(np.sum(single.astype("f8") != x)) if rounded is None else rounded
            if x.dtype == np.uint64:
                expected = int(np.sum(single.astype(np.longdouble) != x.astype(np.longdouble)))
            spec = self.pair(x, Y)
            notes = self.check(spec)["notes"]
            self.assertEqual(len(notes), 1)
            self.assertIn(f"{expected} of {N * D} features of type {x.dtype}", notes[0])
            self.assertEqual(
                self.digest(spec, "--lr", 1e-30), self.digest(self.pair(single, Y), "--lr", 1e-30)
            )

    def test_notes__on_stderr_unless_quiet(self):
        spec = self.pair(X.astype("f8") + 1e-9, Y)
        train = ("train", "--data", spec, "--epochs", 1, "--lr", 1e-4)
        self.assertIn("downhill: note: ", self.run_program(*train).stderr)
        self.assertNotIn("note: ", self.run_program(*train, "--quiet").stderr)

    def test_beyond_f32_or_not_finite__refused_with_the_row(self):
        for value, message in (
            (1e300, "row 7: the feature 1e+300 is beyond"),
            (np.nan, "row 7, col"),
            (-np.inf, "row 7, column 2: the feature is infinite"),
        ):
            for order in "CF":
                x = X.astype("f8", order=order)
                x[7, 2] = value
                self.assertIn(message, self.refused(self.pair(x, Y)))

    def test_not_finite__advice_works(self):
        for value in (np.nan, np.inf, -np.inf):
            for kind in ("f2", "f4", ">f8"):
                with self.subTest(value=value, type=kind):
                    x = X.astype(kind)
                    x[7, 2] = x[9, 0] = value
                    new = self.follow(self.refused(self.pair(x, Y)))
                    self.check(f"npy:{new},{self.directory / 'y.npy'}")
                    x[7, 2] = x[9, 0] = 0
                    self.assertTrue((np.load(new) == x).all())

    def test_beyond_f32__advice_works(self):
        for order in "<>":
            x = X.astype(order + "f8")
            x[:, 0] = 0.0
            x[7, 2] = -1e300
            new = self.follow(self.refused(self.pair(x, Y)))
            self.check(f"npy:{new},{self.directory / 'y.npy'}")
            self.assertTrue(np.array_equal(np.load(new)[:, 1], x[:, 1] / abs(x[:, 1]).max()))

    def test_below_f32__all_refused__some_warned__advice_works(self):
        x = X.astype("f8") * 1e-300
        line = self.refused(self.pair(x, Y))
        self.assertIn(
            f"x.npy: all {np.count_nonzero(X)} features other than 0 are below the range of "
            "float32",
            line,
        )
        checked = self.check(f"npy:{self.follow(line)},{self.directory / 'y.npy'}")
        self.assertEqual(checked["train"]["highest"], 1.0)
        x = X.astype("f8")
        x[:, 1] = 1e-50 * (Y + 1)
        done = self.run_program("data", "check", "--data", self.pair(x, Y))
        self.assertEqual(done.returncode, EXIT_OK, done.stderr)
        self.assertIn(
            f"warning: {self.directory}/x.npy: {N} of {np.count_nonzero(x)} features other than 0",
            done.stderr,
        )
        self.assertTrue(np.allclose(np.load(self.follow(done.stderr))[:, 1], (Y + 1) / 3))
        self.assertNotIn("round", str(self.check(self.pair(x, Y))["notes"]))

    def test_order_and_shape__same_samples(self):
        cube = X.reshape(N, 2, 3)
        expected = self.digest(self.pair(X, Y))
        for x in (np.asfortranarray(X), cube, np.asfortranarray(cube), X.reshape(N, 1, 2, 1, 3),
                  np.asfortranarray(cube.astype(">i4"))):  # fmt: skip
            self.assertEqual(self.digest(self.pair(x, Y)), expected)
        many = RNG.integers(0, 256, (130, 3, 5, 2)).astype(np.uint8)
        y = np.arange(130) % 3
        self.assertEqual(
            self.digest(self.pair(np.asfortranarray(many), y)), self.digest(self.pair(many, y))
        )
        self.assertEqual(self.check(self.pair(np.asfortranarray(many), y))["dtype"], "u8")
        shown = self.run_program("data", "check", "--data", self.pair(np.asfortranarray(cube), Y))
        self.assertIn("float32 ('<f4'), shape (60, 2, 3), Fortran order", shown.stdout)
        self.assertEqual(self.check(self.pair(X[:, 0], Y))["features"], 1)

    def test_integers_that_fit_bytes__advice_of_the_note_works(self):
        pixels = RNG.integers(0, 256, (N, D))
        spec = self.pair(pixels, Y)
        notes = self.check(spec)["notes"]
        self.assertEqual(len(notes), 1)
        new = np.load(self.follow(notes[0]))
        self.assertEqual(new.dtype, np.uint8)
        self.assertTrue((new == pixels).all())

    def test_structured__advice_works_with_the_names_of_fields(self):
        x = np.zeros(N, dtype=[("it's", "f4"), ("b", "i2"), ("name", "U9"), ("row", "f4", (D,))])
        x["it's"], x["b"], x["row"] = X[:, 0], X[:, 1], X
        line = self.refused(self.pair(x, Y))
        self.assertIn("x.npy: features of type structured; features must be numbers: name", line)
        for fields, expected in ((("it's", "b"), X[:, :2]), (("b",), X[:, 1:2]), (("row",), X)):
            with self.subTest(fields):
                new = self.follow(line.replace("'FIELD', 'FIELD'", repr(fields)[1:-1]))
                self.assertTrue((np.load(new).reshape(expected.shape) == expected).all())
                checked = self.check(f"npy:{new},{self.directory / 'y.npy'}")
                self.assertEqual(checked["features"], expected.shape[1])

    def test_raw_bytes__no_advice(self):
        raw = np.frombuffer(X.tobytes(), "V4").reshape(X.shape)
        for x, y, message in (
            (raw, Y, "x.npy: features of type void ('|V4'), raw bytes to NumPy;"),
            (X, raw[:, 0], "y.npy: labels of type void ('|V4'), raw bytes to NumPy;"),
        ):
            line = self.refused(self.pair(x, y))
            self.assertIn(message, line)
            self.assertNotIn("np.save", line)

    def test_other_types__advice_works(self):
        days = X.astype("i8").astype("M8[s]")
        for x, word in (
            (X.astype(object), "object ('|O')"),
            (X.astype(str), "str ('<U32')"),
            (X.astype("S8"), "bytes ('|S8')"),
            (X.astype("c8"), "complex64 ('<c8')"),
            (X.astype(np.longdouble), "float128 ('<f16')"),
            (days, "datetime64 ('<M8[s]')"),
        ):
            with self.subTest(word):
                line = self.refused(self.pair(x, Y))
                self.assertIn(f"x.npy: features of type {word};", line)
                self.assertNotIn("byte 0", line)
                new = self.follow(line)
                checked = self.check(f"npy:{new},{self.directory / 'y.npy'}")
                self.assertEqual(checked["train"]["highest"] > 0, True)

    def test_advice__quotes_special_characters_of_a_path(self):
        y = self.save("y.npy", Y)
        for name in SPECIAL_NAMES:
            with self.subTest(name):
                (self.directory / name).mkdir()
                x = self.save(f"{name}/{name}.npy", X.astype(object))
                new = self.follow(self.refused(f"npy:{x},{y}"))
                self.assertTrue((np.load(new) == X).all())

    def test_mapped__needs_conversion__refused_and_advice_works(self):
        for x in (X.astype("f8"), X.astype(">f4"), X.astype("i2"), np.asfortranarray(X),
                  np.asfortranarray(X.astype("u1"))):  # fmt: skip
            spec = self.pair(x, Y)
            new = self.follow(self.refused(spec, "--mmap"))
            self.check(f"npy:{new},{self.directory / 'y.npy'}", "--mmap")
            self.assertTrue((np.load(new) == x).all())


class Labels(Program):
    def classes(self, y):
        checked = self.check(self.pair(X, y))
        counts = np.add(
            checked["train"]["samples_of_class"], checked["test"]["samples_of_class"]
        ).tolist()
        return checked["classes"], counts, checked["notes"]

    def test_numbers__every_type(self):
        for kind in ("?", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f2", "f4", "f8"):
            for order in "<>":
                y = (Y % 2).astype(order + kind)
                with self.subTest(type=y.dtype.str):
                    self.assertEqual(self.classes(y), (["0", "1"], [40, 20], []))
                    self.assertEqual(self.classes(y[:, None]), (["0", "1"], [40, 20], []))

    def test_other_numbers__classes_ascend_with_a_note(self):
        for values in ([-1, 1], [3, 7, 100], [1, 2, 3], [-(2**63), 2**63 - 1]):
            y = np.array(values)[Y % len(values)]
            names, _, notes = self.classes(y)
            self.assertEqual(names, [str(v) for v in values])
            self.assertEqual(len(notes), 1)
            self.assertIn(f"y.npy: the {len(values)} labels, {values[0]} to {values[-1]}", notes[0])
            if values[-1] < 2**53:
                self.assertEqual(self.classes(y.astype("f8"))[0], names)

    def test_text__classes_matched_by_name(self):
        words = np.array(["zebra", "Ärger", "ant, red"])
        for y in (words[Y], np.char.encode(words[Y], "utf-8"), words[Y].astype(">U9")):
            names, counts, notes = self.classes(y)
            self.assertEqual((names, counts, notes), (["ant, red", "zebra", "Ärger"], [20] * 3, []))
        spec = self.pair(X, words[Y])
        done = self.run_program("train", "--data", spec, "--lr", 1e-4, "--model", "m.npz")
        self.assertEqual(done.returncode, EXIT_OK, done.stderr)
        # New data with fewer classes are matched by name, not by number.
        kept = Y != 2
        done = self.run_program("predict", "--model", "m.npz", "--set", "all", "--json", "p.json",
                                "--data", self.pair(X[kept], words[Y[kept]]))  # fmt: skip
        self.assertEqual(done.returncode, EXIT_OK, done.stderr)
        classes = json.loads((self.directory / "p.json").read_text())["prediction"]["classes"]
        self.assertEqual([(c["name"], c["samples"]) for c in classes],
                         [("ant, red", 0), ("zebra", 20), ("Ärger", 20)])  # fmt: skip

    def test_test_set__classes_of_the_training_samples(self):
        words = np.array(["a", "b", "c"])
        spec = self.pair(X, words[Y])
        tx, ty = self.save("tx.npy", X[Y != 0]), self.save("ty.npy", words[Y[Y != 0]])
        checked = self.check(f"{spec},{tx},{ty}")
        self.assertEqual(checked["test"]["samples_of_class"], [0, 20, 20])
        ty = self.save("ty.npy", np.array(["b", "d"])[Y[Y != 0] - 1])
        line = self.refused(f"{spec},{tx},{ty}")
        self.assertIn("ty.npy: label 'd' of sample 1 is not a class of the training samples", line)

    def test_one_hot__advice_works(self):
        new = self.follow(self.refused(self.pair(X, np.eye(3)[Y])))
        self.assertTrue((np.load(new) == Y).all())
        self.check(f"npy:{self.directory / 'x.npy'},{new}")

    def test_labels_in_one_row__advice_works(self):
        for y in (Y[None, :], Y.reshape(1, 1, N), np.array(["u", "v", "w"])[Y][None, :]):
            with self.subTest(shape=y.shape):
                line = self.refused(self.pair(X, y))
                self.assertIn(f"y.npy: {N} labels in an array whose first dimension is 1", line)
                new = self.follow(line)
                self.assertTrue((np.load(new) == y.ravel()).all())
                self.check(f"npy:{self.directory / 'x.npy'},{new}")

    def test_columns_of_text__advice_works(self):
        words = np.array([["u", "1"], ["v", "2"], ["w", "3"]])
        line = self.refused(self.pair(X, words[Y]))
        self.assertNotIn("one-hot", line)
        new = self.follow(line)
        self.assertEqual(
            self.check(f"npy:{self.directory / 'x.npy'},{new}")["classes"], ["u", "v", "w"]
        )

    def test_classes_without_usable_names__advice_numbers_them(self):
        large = np.array([1e17, 2e17, 3e17])
        for names in (
            large, large.astype(">f8"), np.array([0, 2**63, 2**64 - 1], np.uint64),
            np.array([0.5, 1, 2]), np.array(["a", "b\nc", "d"]), np.array(["", "a", "b"]),
            np.array([b"a", b"b", b"\xff\xfe"]),
        ):  # fmt: skip
            for y in (names[Y], names[Y][:, None]):
                with self.subTest(names=names, shape=y.shape):
                    new = self.follow(self.refused(self.pair(X, y)))
                    self.assertTrue((np.load(new).ravel() == Y).all())
                    self.check(f"npy:{self.directory / 'x.npy'},{new}")

    def test_not_finite__advice_drops_the_samples(self):
        for shape in ((N,), (N, 1)):
            y = Y.astype("f8").reshape(shape)
            y[4], y[9] = np.nan, np.inf
            line = self.refused(self.pair(X, y))
            new = self.follow(line)
            x = eval(re.search(r"x\[np.*?\)\.ravel\(\)\]", line)[0], {"np": np, "x": X, "y": y})
            checked = self.check(f"npy:{self.save('less.npy', x)},{new}")
            self.assertEqual(checked["train"]["samples"] + checked["test"]["samples"], N - 2)

    def test_other_types__advice_works(self):
        for y in (Y.astype(object), np.array(["a", "b", "c"], object)[Y], Y.astype("c8"),
                  Y.astype(np.longdouble), Y.astype("M8[D]")):  # fmt: skip
            with self.subTest(type=y.dtype.str):
                new = self.follow(self.refused(self.pair(X, y)))
                checked = self.check(f"npy:{self.directory / 'x.npy'},{new}")
                self.assertEqual(len(checked["classes"]), 3)

    def test_structured__advice_works_with_the_names_of_fields(self):
        y = np.zeros(N, dtype=[("a", "i4"), ("word", "U9")])
        y["a"], y["word"] = Y, np.array(["u", "v", "w"])[Y]
        for y, fields in ((y[["a"]].copy(), ("a",)), (y, ("a", "word"))):
            line = self.refused(self.pair(X, y))
            self.assertIn("y.npy: labels of type structured; labels must be integers or text", line)
            for field in fields:
                new = self.follow(line.replace("FIELD", field))
                checked = self.check(f"npy:{self.directory / 'x.npy'},{new}")
                names = ["0", "1", "2"] if field == "a" else ["u", "v", "w"]
                self.assertEqual(checked["classes"], names)

    def test_bad_labels__refused_with_the_sample(self):
        for value, message in (
            (np.nan, "NaN"), (np.inf, "infinite"), (0.5, "0.5 is not a whole"),
            (1e17, "1e+17 is too large"),
        ):  # fmt: skip
            y = Y.astype("f8")
            y[4] = value
            self.assertIn(f"label of sample 4: {message}", self.refused(self.pair(X, y)))
        for value in ("", "a\tb", "\x9b", b"\xff\xfe", b"\xc0\x80", b"\xed\xa0\x80", "a\0b"):
            y = np.full(N, "b", "S3" if isinstance(value, bytes) else "U3")
            y[4] = value
            self.assertIn("label of sample 4: empty, or not", self.refused(self.pair(X, y)))

    def test_too_many_classes_and_one_class__refused_and_warned(self):
        y = np.arange(40000)
        x = self.save("wide.npy", np.zeros((40000, 1), np.uint8))
        line = self.refused(f"npy:{x},{self.save('y.npy', y)}")
        self.assertIn("more than 32768 different labels", line)
        done = self.run_program("data", "check", "--data", self.pair(X, Y * 0 + 7))
        self.assertEqual(done.returncode, EXIT_OK)
        self.assertIn("every sample has the label '7'", done.stderr)


class Archives(Program):
    def savez(self, compressed=False, **arrays):
        (np.savez_compressed if compressed else np.savez)(self.directory / "d.npz", **arrays)
        return f"npz:{self.directory / 'd.npz'}"

    def test_known_names__found(self):
        expected = self.digest(self.pair(X, Y))
        for names in (("X", "y"), ("x_train", "y_train"), ("data", "target"), ("arr_0", "arr_1")):
            for compressed in (False, True):
                spec = self.savez(compressed, **dict(zip(names, (X, Y))))
                self.assertEqual(self.digest(spec), expected)

    def test_keras_names__test_set_read(self):
        for i in range(2):
            spec = self.savez(i == 1, x_test=X[:9], y_test=Y[:9], x_train=X, y_train=Y)
            checked = self.check(spec)
            self.assertEqual((checked["train"]["samples"], checked["test"]["samples"]), (N, 9))
        checked = self.check(self.savez(x_train=X, y_train=Y, x_test=X[:9]))
        self.assertIn("x_test is not read", checked["notes"][0])

    def train(self, spec):
        done = self.run_program("train", "--data", spec, "--lr", 1e-4, "--model", "m.npz")
        self.assertEqual(done.returncode, EXIT_OK, done.stderr)

    def predict(self, spec, *options):
        """Returns the set that predict read, its number of samples, and whether it has labels."""
        done = self.run_program("predict", "--model", "m.npz", "--data", spec, "--json", "p.json",
                                *options)  # fmt: skip
        self.assertEqual(done.returncode, EXIT_OK, done.stderr)
        p = json.loads((self.directory / "p.json").read_text())["prediction"]
        return p["set"], p["samples"], p["labelled"]

    def test_predict__same_names_as_train(self):
        for names in (
            ("x_train", "y_train", "x_test", "y_test"),
            ("X_train", "y_train", "X_test", "y_test"),
            ("train_images", "train_labels", "test_images", "test_labels"),
            ("train_x", "train_y", "test_x", "test_y"),
            ("X", "y", "X_test", "y_test"),
            ("x", "y", "x_test", "y_test"),
            ("X", "Y", "X_test", "Y_test"),
            ("data", "labels", "test_data", "test_labels"),
            ("data", "target", "test_data", "test_target"),
            ("images", "labels", "test_images", "test_labels"),
            ("features", "labels", "test_features", "test_labels"),
            ("arr_0", "arr_1", "arr_2", "arr_3"),
        ):
            arrays = dict(zip(names, (X, Y, X[:9], Y[:9])))
            self.train(self.savez(**arrays))
            for absent, expected in (
                ((), ("test", 9, True)),
                ((2, 3), ("all", N, True)),  # the training samples
                ((3,), ("test", 9, False)),
                ((1,), ("test", 9, True)),
                ((1, 3), ("test", 9, False)),
                ((1, 2, 3), ("all", N, False)),
            ):
                with self.subTest(names=names, absent=absent):
                    kept = {n: arrays[n] for i, n in enumerate(names) if i not in absent}
                    self.assertEqual(self.predict(self.savez(**kept)), expected)

    def test_predict__test_samples_without_labels(self):
        archive = self.savez(a=X, b=Y, c=X[:9], d=Y[:9])
        self.train(archive + ",a,b")
        self.assertEqual(self.predict(archive + ",a,b,c,d"), ("test", 9, True))
        self.assertEqual(self.predict(archive + ",a,b,c"), ("test", 9, False))
        x, y, tx = self.save("x.npy", X), self.save("y.npy", Y), self.save("tx.npy", X[:9])
        self.assertEqual(self.predict(f"npy:{x},{y},{tx}"), ("test", 9, False))
        self.assertEqual(self.predict(f"npy:{x},{y},{tx}", "--set", "train"), ("train", N, True))
        self.assertEqual(
            self.predict(f"npy:{x},{y},{tx}", "--set", "all", "--csv", "p.csv"),
            ("all", N + 9, False),
        )
        with open(self.directory / "p.csv", newline="") as file:
            labels = [row["label"] for row in csv.DictReader(file)]
        self.assertEqual(labels, [str(label) for label in Y] + [""] * 9)
        # Training needs the labels.
        for spec in (archive + ",a,b,c", f"npy:{x},{y},{tx}"):
            self.assertIn("names 3 ", self.refused(spec, code=EXIT_USAGE))

    def test_names_in_the_specification(self):
        archive = self.savez(a=X.astype(">f8", order="F"), b=np.array(["u", "v", "w"])[Y])
        checked = self.check(archive + ",a,b")
        self.assertEqual(checked["classes"], ["u", "v", "w"])
        line = self.refused(archive)
        self.assertIn("'a', 'b'", line)
        self.assertIn("no array named 'c'; it has 'a', 'b'", self.refused(archive + ",a,c"))
        self.assertIn("names 1 array;", self.refused(archive + ",a", code=EXIT_USAGE))

    def test_advice__names_the_array(self):
        archive = self.savez(X=X.astype(object), y=Y)
        new = self.follow(self.refused(archive))
        self.assertTrue((np.load(new) == X).all())
        for name in SPECIAL_NAMES:
            with self.subTest(name):
                archive = self.savez(**{name: X.astype(object), "y": Y})
                new = self.follow(self.refused(f"{archive},{name},y"))
                self.assertTrue((np.load(new) == X).all())
        archive = self.savez(X=X, y=Y)
        self.assertIn("an archive cannot be mapped", self.refused(archive, "--mmap"))
        path = archive.removeprefix("npz:")
        self.assertIn("give npz:FILE", self.refused(f"npy:{path},{path}"))

    def test_damaged__refused(self):
        archive = self.savez(X=X, y=Y)
        path = self.directory / "d.npz"
        good = path.read_bytes()
        i = good.index(X.tobytes()[:64]) + 10
        path.write_bytes(good[:i] + bytes((good[i] ^ 1,)) + good[i + 1 :])
        self.assertIn("X.npy: ", self.refused(archive))
        path.write_bytes(good[:-30])
        self.assertIn("not a complete NPZ file", self.refused(archive))


class Models(Program):
    def test_weights_of_other_byte_or_memory_order__refused(self):
        spec = self.pair(X, Y)
        done = self.run_program("train", "--data", spec, "--lr", 1e-4, "--model", "m.npz")
        self.assertEqual(done.returncode, EXIT_OK, done.stderr)
        for change in (lambda w: w.astype(">f4"), np.asfortranarray):
            with zipfile.ZipFile(self.directory / "m.npz") as old, zipfile.ZipFile(
                self.directory / "other.npz", "w"
            ) as new:
                for name in old.namelist():
                    content = old.read(name)
                    if name == "w.npy":
                        file = io.BytesIO()
                        np.save(file, change(np.load(io.BytesIO(content))))
                        content = file.getvalue()
                    new.writestr(name, content)
            done = self.run_program("predict", "--data", spec, "--model", "other.npz")
            self.assertEqual(done.returncode, EXIT_DATA)
            self.assertIn("w.npy: its elements are not little-endian in C order", done.stderr)


class Mapped(Program):
    def test_truncated_while_training__one_message_and_no_partial_files(self):
        x, y = self.save("x.npy", np.tile(X, (2000, 1))), self.save("y.npy", np.tile(Y, 2000))
        training = subprocess.Popen(
            [self.program, "train", "--data", f"npy:{x},{y}", "--mmap", "--epochs", "1000000",
             "--lr", "1e-9", "--checkpoint", "c.npz", "--every", "1", "--model", "m.npz"],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, cwd=self.directory,
        )  # fmt: skip
        try:
            while not (self.directory / "c.npz").exists() and training.poll() is None:
                time.sleep(0.01)
            os.truncate(x, 4096)
            _, messages = training.communicate(timeout=300)
        finally:
            training.kill()
        self.assertEqual(training.returncode, EXIT_DATA, messages)
        self.assertEqual(messages.count("cut short"), 1, messages)
        last = messages.splitlines()[-1]
        self.assertTrue(last.startswith(f"downhill: {x}: cut short while it was mapped"), messages)
        names = sorted(path.name for path in self.directory.iterdir())
        self.assertEqual(names, ["c.npz", "x.npy", "y.npy"])
        np.load(self.directory / "c.npz")["w"]


if __name__ == "__main__":
    Program.program = str(pathlib.Path(sys.argv.pop(1)).resolve())
    unittest.main()
