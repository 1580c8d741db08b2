# SPDX-License-Identifier: MIT
"""The report: numbers, pages, and every way of being given bad results."""

import copy
import hashlib
import html.parser
import json
import pathlib
import re
import resource
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree

ROOT = pathlib.Path(__file__).resolve().parents[1]
REPORT = ROOT / "scripts" / "report"
sys.path.insert(0, str(ROOT / "scripts"))
from downhill_report import load, render  # noqa: E402

LEVELS = [
    ("scalar", "baseline", None),
    ("auto_avx2", "auto", "avx2"),
    ("avx2", "hand", None),
]
MACHINE = {
    "cpu_name": "Test CPU", "hypervisor": None, "kernel": "Linux", "host_name": "host",
    "packages": 1, "numa_nodes": 1, "cores": 2, "pus": 2, "allowed_cpus": "0-1",
    "memory_bytes": 1 << 34,
    "caches": [{"level": 1, "type": "data", "bytes": 49152, "shared_by_pus": 1}],
    "features": [
        {"name": "avx2", "cpu": True, "os": True, "permitted": True, "disabled": False},
        {"name": "amx-tile", "cpu": True, "os": True, "permitted": None, "disabled": False},
    ],
    "levels": [
        {
            "name": name, "kind": kind, "auto_of": auto_of, "compiled": True, "cpu": True,
            "os": True, "permitted": True, "usable": True, "chosen": name == "avx2", "missing": "",
        }
        for name, kind, auto_of in LEVELS
    ],
}  # fmt: skip
BUILD = {
    "version": "0.1.0", "commit": "0123456789ab", "dirty": False, "compiler": "GNU 12",
    "build_type": "Release", "flags": {"scalar": "-O3"}, "libraries": {"zlib": "1.2"},
}  # fmt: skip
# Medians in ns. step_hinge: 1000, 250, 100: 4 and 10 times scalar, 2.5 times the compiler's.
TIMES = {
    "step_hinge_f32": (1000.0, 250.0, 100.0),
    "chain_hinge_f32": (1000.0, 300.0, 150.0),
    "update_f32": (80.0, 20.0, 19.8),
}


def samples(kernel, isa, shape, median, extra=0.0):
    n, d, c = shape
    name = f"{kernel}/{isa}/n:{n}/d:{d}/c:{c}"
    head = {
        "name": name, "run_name": name, "run_type": "iteration", "kernel": kernel, "isa": isa,
        "threads": 1, "n": n, "d": d, "c": c, "flops": 4000.0, "bytes": 2000.0, "repetitions": 5,
        "time_unit": "ns", "iterations": 10,
    }  # fmt: skip
    times = [median * f for f in (0.98, 0.99, 1.0, 1.01, 1.5 + extra)]
    rows = [
        head | {"repetition_index": i, "real_time": t, "cpu_time": t, "sequence": i}
        for i, t in enumerate(times)
    ]
    for what, value in (("median", median), ("min", times[0]), ("mad", 0.01 * median)):
        rows.append(
            head
            | {"name": f"{name}_{what}", "run_type": "aggregate", "aggregate_name": what}
            | {"real_time": value, "cpu_time": value}
        )
    return rows


def bench(shapes=((256, 3072, 10), (1, 3072, 10))):
    rows = []
    for shape in shapes:
        for kernel, medians in TIMES.items():
            for (isa, _, _), median in zip(LEVELS, medians):
                rows += samples(kernel, isa, shape, median)
    return {
        "schema_version": 1,
        "context": {
            "date": "2026-01-02T03:04:05+0000", "seed": 1, "repetitions": 5, "min_time_s": 0.01,
            "order": "shuffled", "pinned_cpu": 1, "load_avg": [0.9, 0.5, 0.1],
            "cpu_scaling_enabled": False,
        },
        "machine": copy.deepcopy(MACHINE), "build": copy.deepcopy(BUILD),
        "verify": {"seed": 1, "checks": 12345, "failures": 0, "seconds": 1.0},
        "formulas": [{"kernel": k, "flops": "n*d", "bytes": "n", "note": "x"} for k in TIMES],
        "benchmarks": rows, "warnings": [],
    }  # fmt: skip


def train(loss="hinge"):
    def run(isa, seconds):
        return {
            "isa": isa, "loss": loss, "dataset": "fashion-mnist", "test_set": "test files",
            "n_train": 60000, "n_test": 10000, "d": 784, "c": 10, "batch": 256, "lr": 0.02,
            "reg": 1e-4, "delta": 1.0, "seed": 1, "threads": 1, "first_loss": 9.0,
            "epochs": [
                {"epoch": e, "seconds": s, "train_loss": 1 / e, "test_accuracy": 0.8 + e / 100,
                 "samples_per_s": 60000 / s}
                for e, s in enumerate(seconds, 1)
            ],
            "test_accuracy": 0.83, "seconds": sum(seconds),
            "phases": {"gather_s": 0.1, "score_s": 0.5, "loss_s": 0.1, "grad_s": 0.2,
                       "update_s": 0.05, "other_s": 0.05},
        }  # fmt: skip

    return {
        "schema_version": 1, "machine": copy.deepcopy(MACHINE), "build": copy.deepcopy(BUILD),
        "training": [run("scalar", [0.4, 0.5, 0.6]), run("avx2", [0.05, 0.04, 0.9])],
        "warnings": [],
    }  # fmt: skip


class Page(html.parser.HTMLParser):
    """Checks that tags nest, and gathers ids, table texts and what would be fetched."""

    VOID = {"meta", "link", "input", "br", "path", "use", "rect", "circle", "line"}

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.stack, self.ids, self.fetched, self.text = [], [], [], []
        self.feed(text)
        assert not self.stack, f"not closed: {self.stack}"

    def handle_starttag(self, tag, attributes):
        self.note(attributes)
        if tag not in self.VOID:
            self.stack.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.note(attributes)

    def note(self, attributes):
        for key, value in attributes:
            if key == "id":
                self.ids.append(value)
            if key in ("src", "href", "xlink:href") and not value.startswith(("#", "data:")):
                self.fetched.append(value)

    def handle_endtag(self, tag):
        if tag in self.VOID:
            return
        assert self.stack and self.stack[-1] == tag, f"</{tag}> closes {self.stack[-3:]}"
        self.stack.pop()

    def handle_data(self, data):
        self.text.append(data)


class ReportTest(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)
        self.output = self.directory / "out"

    def write(self, name, document):
        path = self.directory / name
        path.write_text(document if isinstance(document, str) else json.dumps(document))
        return path

    def run_report(self, *paths, options=()):
        command = [REPORT, "--output", self.output, *options, *paths]
        return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)

    def report(self, *documents):
        """In this process: starting matplotlib anew takes longer than a report does."""
        paths = [self.write(f"in{i}.json", document) for i, document in enumerate(documents)]
        render.write(load.load(paths), self.output)
        return self.output

    def markdown(self, *documents):
        return (self.report(*documents) / "report.md").read_text()

    def refused(self, says, *documents, code=3):
        paths = [self.write(f"in{i}.json", document) for i, document in enumerate(documents)]
        done = self.run_report(*paths)
        self.assertEqual(done.returncode, code, done.stderr)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        self.assertTrue(done.stderr.startswith("downhill: report: "), done.stderr)
        self.assertIn(says, done.stderr)
        self.assertFalse(self.output.exists(), "something was written")


class GoodResults(ReportTest):
    def test_page__is_whole_and_fetches_nothing(self):
        out = self.report(bench(), train(), train("softmax"))
        text = (out / "index.html").read_text()
        page = Page(text)
        self.assertEqual(len(page.ids), len(set(page.ids)), "an id occurs twice")
        self.assertEqual(page.fetched, [])
        self.assertNotRegex(re.sub(r'xmlns(:\w+)?="[^"]*"', "", text), r"https?://")
        for section in ("machine", "proof", "speedup", "roofline", "nofaster", "fused", "training",
                        "rows", "method", "warnings", "reproduce"):  # fmt: skip
            self.assertIn(section, page.ids)
        self.assertEqual(text.count("<table"), text.count("<caption>"))
        self.assertEqual(text.count("<figure>"), text.count('role="img" aria-label="'))
        self.assertIn("12,345 checks", text)
        markdown = (out / "report.md").read_text()
        for section in ("Machine and build", "Proof", "Speed-up", "Roofline", "No faster", "Fused",
                        "Training", "All rows", "Method", "Warnings", "Reproduce"):  # fmt: skip
            self.assertIn(f"\n## {section}", markdown)
        for linked in re.findall(r"\]\((figures/[^)]*)\)", markdown):
            self.assertTrue((out / linked).is_file(), linked)
        self.assertLess(
            markdown.index("<!-- results:begin -->"), markdown.index("<!-- results:end -->")
        )
        figures = {path.stem for path in (out / "figures").iterdir()}
        self.assertEqual(
            figures, {"speedup", "speedup-1x3072x10", "roofline", "phases", "curves"}
        )
        self.assertEqual(text.count("<figure>"), len(figures))
        for path in (out / "figures").iterdir():
            self.assertNotIn("var(--", path.read_text())
            background = xml.etree.ElementTree.parse(path).getroot()[0]
            self.assertEqual(background.get("fill"), "#ffffff")
        # No stand-in colour is left, in the page or in a file.
        for path in [out / "index.html", *(out / "figures").iterdir()]:
            self.assertNotRegex(path.read_text(), r"#0[0ab]000|#01010|#02020|#03030|#fdfefe")

    def test_numbers__are_those_of_the_samples(self):
        markdown = (self.report(bench(), train()) / "report.md").read_text()
        # 4000 operations in 1000, 250 and 100 ns.
        self.assertIn(
            "| step_hinge_f32 | 256×3072×10 | 4.00 (1.00×) | 16.0 (4.00×) | 40.0 (10.0×) |",
            markdown,
        )
        self.assertIn(
            "| step_hinge_f32/avx2/n:256/d:3072/c:10 | 0.1000 | 0.09800 | 1.00 | 40.00 | 20.00 "
            "| 2,560,000,000 | 10.0× | 2.50× |",
            markdown,
        )
        self.assertIn("- **10.0×** minibatch step 256×3072×10, avx2: over scalar code", markdown)
        self.assertIn(
            "- **2.50×** minibatch step 256×3072×10: over the compiler's best", markdown
        )
        # 0.5 s against 0.05 s, the medians of the epochs.
        self.assertIn("| hinge | avx2 | 0.0500 | 1,200,000 | 10.0× | 83.00 % | 10.0 % |", markdown)

    def test_no_faster__lists_what_is_within_three_percent(self):
        markdown = (self.report(bench()) / "report.md").read_text()
        section = markdown.split("## No faster")[1].split("## ")[0]
        self.assertIn("update_f32/avx2/n:256/d:3072/c:10 | 0.0198 | 1.01× (", section)
        self.assertIn("2 of 6 hand-written rows", section)
        self.assertNotIn("step_hinge", section)

    def test_no_faster__none_and_nothing_to_compare(self):
        document = bench()
        document["benchmarks"] = [r for r in document["benchmarks"] if "update" not in r["name"]]
        section = self.markdown(document).split("## No faster")[1].split("## ")[0]
        self.assertIn("None: all 4 hand-written rows", section)
        document["benchmarks"] = [r for r in document["benchmarks"] if "auto" not in r["isa"]]
        section = self.markdown(document).split("## No faster")[1].split("## ")[0]
        self.assertIn("No hand-written row has one", section)

    def test_peers__beside_our_best(self):
        document = bench(shapes=((256, 3072, 10),))
        document["peers"] = [
            {"name": "blis", "library": "libblis.so.4", "version": "BLIS 0.9", "missing": ""},
            {"name": "onednn", "library": "libdnnl.so.2", "version": "", "missing": "not there"},
        ]
        document["benchmarks"] += samples("step_hinge_f32", "blis", (256, 3072, 10), 200.0)
        text = self.markdown(document)
        # 4000 operations in 100 and in 200 ns.
        self.assertIn("| step_hinge_f32 | 256×3072×10 | avx2 | 40.0 | 20.0 | – | 2.00× (", text)
        self.assertIn("- onednn: skipped: not there", text)
        self.assertIn("--peers", text)
        self.assertNotIn("blis", text[text.index("results:begin") : text.index("results:end")])

    def test_threads__beside_one(self):
        self.assertNotIn("## Threads", self.markdown(bench()))
        document = bench(shapes=((256, 3072, 10),))
        many = samples("step_hinge_f32", "avx2", (256, 3072, 10), 60.0)
        for row in many:
            row["threads"] = 2
            for part in ("name", "run_name"):
                row[part] = row[part].replace("c:10", "c:10/threads:2")
        document["benchmarks"] += many
        text = self.markdown(document)
        section = text.split("## Threads")[1].split("\n## ")[0]
        self.assertIn("| step_hinge_f32 | 256×3072×10 | avx2 | 2 | 0.0600 | 0.100 | 1.67× (", section)
        # The headline is of one thread.
        self.assertEqual(
            text[: text.index("## ")], self.markdown(bench(((256, 3072, 10),))).split("## ")[0]
        )

    def test_bf16__beside_the_best_of_f32(self):
        shape = (256, 3072, 10)
        self.assertNotIn("## bf16", self.markdown(bench()))
        document = bench(shapes=(shape,))
        document["benchmarks"] += samples("step_hinge_bf16", "avx2", shape, 50.0)
        section = self.markdown(document).split("## bf16")[1].split("\n## ")[0]
        self.assertIn("| f32 | µs | bf16, avx2 |\n|", section)
        self.assertIn("| step_hinge_bf16 | 256×3072×10 | avx2 | 0.100 | 2.00× (", section)

    def test_ladder__every_level_has_a_place(self):
        document = bench()
        none = document["machine"]["levels"][2]
        document["machine"]["levels"] += [
            none | {"name": "avxvnni", "chosen": False},
            none | {"name": "avx512", "chosen": False, "usable": False, "missing": "avx512f (CPU)"},
        ]
        for entry in document["benchmarks"]:
            entry |= {"attainable_gflop_per_s": 50.0, "bound": "FMA"}
        section = self.markdown(document).split("## ISA ladder")[1].split("\n## ")[0]
        self.assertIn("| kernel | scalar | auto_avx2 | avx2 | avxvnni | avx512 |\n|", section)
        # 256 samples in 1000, 250 and 100 ns; 4, 16 and 40 GFLOP/s.
        cells = "256 M, 8 % | 1.02 G, 32 % | 2.56 G, 80 % | ← avx2 | – |"
        self.assertIn(f"| step_hinge_f32 | {cells}", section)
        self.assertNotIn("chain", section)
        self.assertIn("avx512 is not usable here: avx512f (CPU).", section)

    def test_ceilings__shares_and_roofs(self):
        document = bench(shapes=((256, 3072, 10),))
        self.markdown(document)
        self.assertNotIn("GB/s", (self.output / "figures" / "roofline.svg").read_text())
        document["ceilings"] = {
            "clock_ghz": 3.0,
            "fma_f32_gflop_per_s": {"avx2": 100.0, "avx512": 104.0},
            "dot_bf16_gflop_per_s": {"avx512bf16": 208.0, "amx": None},
            "u8_gop_per_s": {"avx2": {"weights": 300.0, "dscores": 600.0}, "amx": None},
            "read": [
                {"level": "L1", "holds_bytes": 32768, "tested_bytes": 16384, "read_gb_per_s": 200.0},
                {"level": "DRAM", "holds_bytes": None, "tested_bytes": 1 << 28,
                 "read_gb_per_s": 20.0},
            ],
        }  # fmt: skip
        for row in document["benchmarks"]:
            if row["isa"] == "avx2":
                row |= {"attainable_gflop_per_s": 80.0, "bound": "DRAM"}
        text = self.markdown(document)
        row = next(
            line for line in text.splitlines() if line.startswith("| step_hinge_f32/avx2/n:256")
        )
        self.assertTrue(row.endswith("| 50.0 % DRAM |"), row)
        roofline = (self.output / "figures" / "roofline.svg").read_text()
        for line in ("| clock | 3.00 GHz |", "| f32 FMA, avx2 | 100 GFLOP/s |",
                     "| pairs of bf16, avx512bf16 | 208 GFLOP/s |", "| byte x 8 bits, avx2 | 600 GFLOP/s |", "| reading L1 | 200 GB/s |"):  # fmt: skip
            self.assertIn(line, text)
        self.assertNotIn("bf16, amx", text)
        for roof in ("L1 200 GB/s", "DRAM 20 GB/s", "FMA avx2, FMA avx512 100 GFLOP/s",
                     "BF16 avx512bf16 208 GFLOP/s"):  # fmt: skip
            self.assertIn(roof, roofline)

    def test_training__of_other_settings_is_not_compared(self):
        other = train()
        for run in other["training"]:
            run["batch"] = 32
            for epoch in run["epochs"]:
                epoch["seconds"] *= 2
        other["training"] = other["training"][1:]
        section = self.markdown(train(), other).split("## Training")[1]
        rows = [line.split("|")[3:6] for line in section.splitlines() if line.startswith("| hinge")]
        self.assertEqual([cells[2].strip() for cells in rows], ["1.00×", "10.0×", "–"])
        self.assertIn("batch 32", section)

    def test_training__says_how_and_how_to_do_it_again(self):
        bytes_ = train()
        for run in bytes_["training"]:
            run |= {
                "dtype": "u8", "normalize": "standardize", "shuffle": "batch", "threads": 2,
                "data": "cifar10:my pictures", "mmap": True, "epochs_asked": 100,
            }  # fmt: skip
        text = self.markdown(train(), bytes_)  # the first from before there were bytes
        self.assertIn(
            "u8 features, normalised (standardize), whole minibatches shuffled, 2 threads", text
        )
        again = text.split("## Reproduce")[1]
        numbers = "--batch 256 --lr 0.02 --reg 0.0001 --delta 1 --seed 1"
        self.assertIn(
            f"train --isa all --loss hinge --dtype f32 {numbers} --epochs 3 --json train-1.json", again
        )
        self.assertIn(
            "train --isa all --data 'cifar10:my pictures' --mmap --loss hinge --dtype u8 --normalize "
            f"standardize --shuffle batch {numbers} --threads 2 --epochs 100 --json train-2.json",
            again,
        )

    def test_curves__are_drawn_once_where_levels_agree(self):
        self.assertIn("all 2 levels agree", self.markdown(train()))
        document = train()
        document["training"][1]["epochs"][1]["train_loss"] += 1e-3
        self.assertIn("the levels differ", self.markdown(document))

    def test_title__heads_page_and_markdown(self):
        path = self.write("r.json", train())
        done = self.run_report(path, options=("--title", "A <b>name</b>"))
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        page = (self.output / "index.html").read_text()
        self.assertEqual(page.count("A &lt;b&gt;name&lt;/b&gt;"), 2)
        self.assertTrue((self.output / "report.md").read_text().startswith("# A &lt;b"))

    def test_shapes__that_are_not_drawn_are_named(self):
        shapes = [(n, 3072, 10) for n in (1, 2, 3, 4, 5, 6, 7, 8, 256)]
        out = self.report(bench(shapes))
        self.assertEqual(len(list((out / "figures").glob("speedup*"))), 8)
        self.assertIn("Not drawn: 8×3072×10.", (out / "index.html").read_text())
        # The figure without a shape in its name is the main one.
        self.assertIn("Speed-up at 256×3072×10](figures/speedup.svg)",
                      (out / "report.md").read_text())  # fmt: skip

    def test_nothing_timed__is_a_report_all_the_same(self):
        document = bench()
        row = {k: v for k, v in document["benchmarks"][0].items() if "time" not in k}
        row |= {"error_occurred": True, "error_message": "skipped: out of memory"}
        document["benchmarks"] = [row]
        text = (self.report(document) / "index.html").read_text()
        self.assertIn("skipped: out of memory", text)
        self.assertIn("No row was timed", text)

    def test_fused__against_chain(self):
        markdown = (self.report(bench()) / "report.md").read_text()
        self.assertIn("| 256×3072×10 | avx2 | 0.100 | 0.150 | 1.50× (", markdown)

    def test_skipped_row__is_shown_with_its_reason(self):
        document = bench()
        row = {k: v for k, v in document["benchmarks"][0].items() if "time" not in k}
        row |= {"name": "grad_f32/avx2/n:9/d:9/c:9", "run_name": "grad_f32/avx2/n:9/d:9/c:9"}
        row |= {"kernel": "grad_f32", "isa": "avx2", "n": 9, "d": 9, "c": 9}
        row |= {"error_occurred": True, "error_message": "skipped: out of memory"}
        document["benchmarks"].append(row)
        out = self.report(document)
        self.assertIn("skipped: out of memory", (out / "index.html").read_text())
        self.assertIn("| grad_f32/avx2/n:9/d:9/c:9 | skipped: out of memory |",
                      (out / "report.md").read_text())  # fmt: skip

    def test_warnings__derived(self):
        document = bench()
        document["build"]["dirty"] = True
        document["machine"]["hypervisor"] = "KVM"
        document["context"]["cpu_scaling_enabled"] = True
        document["context"]["load_avg"] = [7.5, 1, 1]
        document["warnings"] = ["the program's own"]
        for row in document["benchmarks"]:
            if row["run_name"] == "update_f32/scalar/n:1/d:3072/c:10":
                row["real_time"] *= 1 + 0.2 * (row.get("repetition_index", 0) % 2)
        text = (self.report(document) / "report.md").read_text().split("## Warnings")[1]
        for words in ("uncommitted", "virtual (KVM)", "clock frequency", "7.5", "program's own",
                      "above 5%", "update_f32/scalar/n:1"):  # fmt: skip
            self.assertIn(words, text)

    def test_merged_results__read_back_to_the_same_report(self):
        done = self.run_report(self.write("b.json", bench()), self.write("t.json", train()))
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn(f"{self.output / 'index.html'}, with report.md", done.stdout)
        first = {p.name: p.read_bytes() for p in self.output.rglob("*.*")}
        merged = self.write("merged.json", first["results.json"].decode())
        self.assertEqual(self.run_report(merged).returncode, 0)
        self.assertEqual(first, {p.name: p.read_bytes() for p in self.output.rglob("*.*")})

    def test_training_alone_and_benchmarks_alone(self):
        self.assertIn("Training", (self.report(train()) / "report.md").read_text())
        self.assertNotIn("Training, end", (self.report(bench()) / "report.md").read_text())

    def test_text__cannot_become_markup(self):
        document = bench()
        document["machine"]["host_name"] = "<script>alert(1)</script>|x"
        out = self.report(document)
        page = (out / "index.html").read_text()
        self.assertNotIn("<script>alert", page)
        self.assertIn("&lt;script&gt;alert", page)
        self.assertNotIn("<script>", (out / "report.md").read_text())

    def test_size__a_thousand_rows_stay_below_two_megabytes(self):
        shapes = [(n, d, 10) for n in (1, 32, 256, 1000) for d in range(100, 128)]
        out = self.report(bench(shapes))
        self.assertGreater(len(shapes) * len(TIMES) * len(LEVELS), 1000)
        self.assertLess((out / "index.html").stat().st_size, 2_000_000)

    def test_default_output__is_where_the_results_are(self):
        path = self.write("r.json", bench())
        done = subprocess.run([REPORT, path], capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertTrue((self.directory / "index.html").exists())


class BadResults(ReportTest):
    def test_usage__two(self):
        for options in ((), ("--nonsense", "x.json")):
            done = subprocess.run([REPORT, *options], capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 2)
            self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        done = subprocess.run([REPORT, "--help"], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0)
        self.assertIn("usage: downhill report", done.stdout)

    def test_files_that_are_no_results(self):
        self.refused("not JSON", "{")
        self.refused("not JSON", "")
        self.refused("schema_version is None", "[]")
        self.refused("schema_version is None", "{}")
        for number in ("NaN", "-Infinity", "1e999", "9" * 400):
            self.refused("not JSON", json.dumps(bench()).replace("2000.0", number, 1))
        self.refused("not JSON", "[" * 100000)
        self.refused("not JSON", json.dumps(bench()).replace('"Test CPU"', '"\\ud800"'))

    def test_no_file(self):
        done = self.run_report(self.directory / "nowhere.json")
        self.assertEqual(done.returncode, 3)
        self.assertIn("nowhere.json: No such file", done.stderr)

    def test_other_schema_version(self):
        self.refused("schema_version is 2", bench() | {"schema_version": 2})

    def test_damaged_documents(self):
        def damaged(change):
            document = bench()
            change(document)
            return document

        for says, change in (
            ("'build' is a required property", lambda d: d.pop("build")),
            ("'context' is a dependency", lambda d: d.pop("context")),
            ("[] is too short", lambda d: d.update(benchmarks=[])),
            ("'isa' is a dependency of 'kernel'", lambda d: d["benchmarks"][3].pop("isa")),
            ("no entry says of which kernel", lambda d: [e.pop("kernel") for e in d["benchmarks"][:9]]),
            ("'real_time' is a required", lambda d: d["benchmarks"][3].pop("real_time")),
            ("not of type 'integer'", lambda d: d["benchmarks"][3].update(n="1")),
            ("less than the minimum", lambda d: d["benchmarks"][3].update(real_time=-1)),
            ("no level 'avx9'", lambda d: d["benchmarks"][3].update(isa="avx9")),
            ("is there twice", lambda d: d["benchmarks"].append(d["benchmarks"][5])),
        ):
            self.refused(says, damaged(change))
        document = bench()
        for row in document["benchmarks"][:8]:
            row["kernel"] = "$\\frac{$"
        self.refused("is no name of a kernel", document)
        document = bench()
        sample = dict(document["benchmarks"][0])
        document["benchmarks"].append(sample)
        self.refused("is there twice", document)
        sample["run_name"] = "another"  # the same kernel, level and shape
        self.refused("is there twice", document)
        document = train()
        document["training"][0]["isa"] = "avx9"
        self.refused("no level 'avx9'", document)
        document = train()
        document["training"][0]["loss"] = "log"
        self.refused("'log' is not one of", document)
        document = {k: v for k, v in train().items() if k != "training"}
        self.refused("neither benchmarks nor training", document)

    def test_peer_that_is_not_listed(self):
        document = bench()
        document["peers"] = []
        document["benchmarks"] += samples("step_hinge_f32", "blis", (256, 3072, 10), 200.0)
        self.refused("no level 'blis'", document)

    def test_files_that_do_not_belong_together(self):
        other = train()
        other["machine"]["cpu_name"] = "Another"
        self.refused("machine.cpu_name differs", bench(), other)
        other = train()
        other["build"]["commit"] = "fedcba"
        self.refused("build.commit differs", bench(), other)
        other = train()
        other["build"]["dirty"] = True
        self.refused("build.dirty differs", bench(), other)
        for key, value in (("host_name", "elsewhere"), ("levels", MACHINE["levels"][:2])):
            other = bench()
            other["machine"][key] = value
            self.refused(f"machine.{key} differs", train(), other)
        self.refused("a second run of benchmarks", bench(), bench())
        self.refused("is there twice", train(), train())

    def test_one_bad_file_of_many__leaves_an_earlier_report_alone(self):
        out = self.report(bench())
        state = lambda: {p.name: (p.stat().st_mtime_ns, hashlib.sha1(p.read_bytes()).digest())
                         for p in out.rglob("*.*")}  # fmt: skip
        before = state()
        done = self.run_report(self.write("good.json", bench()), self.write("bad.json", "{"))
        self.assertEqual(done.returncode, 3)
        self.assertRegex(done.stderr, r"^downhill: report: \S*bad\.json: .+; .+\n$")
        self.assertEqual(state(), before)

    def test_full_disk__leaves_an_earlier_report_alone(self):
        out = self.report(bench())
        state = lambda: {p.name: (p.stat().st_mtime_ns, p.read_bytes()) for p in out.rglob("*.*")}
        before = state()
        path = self.write("r.json", train())
        # The figures fit, the page does not.
        limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (40000, 40000))
        done = subprocess.run(
            [REPORT, "-o", out, path], capture_output=True, text=True, preexec_fn=limit
        )
        self.assertEqual(done.returncode, 70)
        self.assertRegex(done.stderr, r"^downhill: report: .+: cannot write: .+; .+\n$")
        self.assertEqual(state(), before)

    def test_figures_of_an_earlier_report__go(self):
        out = self.report(bench())
        self.assertTrue((out / "figures" / "speedup.svg").exists())
        (out / "figures" / "mine.svg").write_text("<svg/>")
        self.assertEqual(self.run_report(self.write("t.json", train())).returncode, 0)
        self.assertFalse((out / "figures" / "speedup.svg").exists())
        self.assertTrue((out / "figures" / "curves.svg").exists())
        self.assertTrue((out / "figures" / "mine.svg").exists())

    def test_output_that_cannot_be_written(self):
        path = self.write("r.json", bench())
        self.output.write_text("a file, not a directory")
        done = self.run_report(path)
        self.assertEqual(done.returncode, 70)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        self.assertEqual(self.output.read_text(), "a file, not a directory")


class Documents(unittest.TestCase):
    def test_readme__shows_the_table_of_the_example(self):
        def block(path):
            text = path.read_text()
            return text[text.index("<!-- results:begin -->") : text.index("<!-- results:end -->")]

        example = block(ROOT / "reports" / "example" / "report.md")
        self.assertIn("| step_hinge_f32 |", example)
        self.assertEqual(block(ROOT / "README.md"), example, "run scripts/example")


if __name__ == "__main__":
    unittest.main()
