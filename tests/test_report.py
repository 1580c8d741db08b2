# SPDX-License-Identifier: MIT
"""downhill report: its page, Markdown and figures for valid results."""

import html.parser
import pathlib
import re
import subprocess
import unittest
import xml.etree.ElementTree

from report_data import (
    REPORT,
    ReportTest,
    bench,
    errors,
    render,
    samples,
    train,
)
from downhill_report.figures.style import colours_of
from downhill_report.rows import Level


class Page(html.parser.HTMLParser):
    """Checks that tags nest. Collects ids, text and the addresses that a browser would fetch."""

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


class GoodResults(ReportTest):
    def test_page__is_complete_and_fetches_nothing(self):
        out = self.report(bench(), train(), train("softmax"))
        text = (out / "index.html").read_text()
        page = Page(text)
        self.assertEqual(len(page.ids), len(set(page.ids)), "an id occurs twice")
        self.assertEqual(page.fetched, [])
        self.assertNotRegex(re.sub(r'xmlns(:\w+)?="[^"]*"', "", text), r"https?://")
        for section in ("fastest", "machine", "proof", "speedup", "roofline", "nofaster", "fused",
                        "training", "rows", "method", "warnings", "reproduce"):  # fmt: skip
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
            figures,
            {
                "fastest",
                "speedup",
                "speedup-1x3072x10",
                "ladder",
                "roofline",
                "winners",
                "strips",
                "phases",
                "curves",
                "endtoend",
            },
        )
        self.assertEqual(text.count("<figure>"), len(figures))
        for path in (out / "figures").iterdir():
            self.assertNotIn("var(--", path.read_text())
            background = xml.etree.ElementTree.parse(path).getroot()[0]
            self.assertEqual(background.get("fill"), "#ffffff")
        # No placeholder colour is left in the page or in a figure file.
        for path in [out / "index.html", *(out / "figures").iterdir()]:
            self.assertNotRegex(path.read_text(), r"#0[0abc]000|#01010|#02020|#03030|#fdfefe")

    def test_numbers__computed_from_the_samples(self):
        markdown = self.markdown(bench(), train())
        # 4000 operations per call, which takes 1000, 250 and 100 ns.
        self.assertIn(
            "| step_hinge_f32 | 256×3072×10 | 4.00 (1.00×) | 16.0 (4.00×) | 40.0 (10.0×) |",
            markdown,
        )
        self.assertIn(
            "| step_hinge_f32/avx2/n:256/d:3072/c:10 | 0.1000 | – | 0.09800 | 1.00 | 5 | – "
            "| 40.00 | 20.00 | 2,560 | 10.0× | 2.50× |",
            markdown,
        )
        self.assertIn(
            "- **10.0×** minibatch step 256×3072×10, avx2: over scalar code (6.53 to 15.3)",
            markdown,
        )
        self.assertIn(
            "- **2.50×** minibatch step 256×3072×10, avx2: over the compiler's best", markdown
        )
        # The median epoch takes 0.5 s with scalar and 0.05 s with avx2.
        self.assertIn("| hinge | avx2 | 0.0500 | 1,200,000 | 10.0× | 83.00 % | 10.0 % |", markdown)

    def test_no_faster__lists_rows_within_three_percent(self):
        markdown = self.markdown(bench())
        section = markdown.split("## No faster")[1].split("## ")[0]
        self.assertIn("update_f32/avx2/n:256/d:3072/c:10 | 0.0198 | 1.01× (", section)
        self.assertIn("2 of 6 hand-written rows", section)
        self.assertNotIn("step_hinge", section)

    def test_no_faster__no_row_and_no_compiler_rows(self):
        document = bench()
        document["benchmarks"] = [r for r in document["benchmarks"] if "update" not in r["name"]]
        section = self.markdown(document).split("## No faster")[1].split("## ")[0]
        self.assertIn("in this run all 4 hand-written rows are at least 3 % faster", section)
        document["benchmarks"] = [r for r in document["benchmarks"] if "auto" not in r["isa"]]
        section = self.markdown(document).split("## No faster")[1].split("## ")[0]
        self.assertIn("No hand-written row has a compiler's row", section)

    def test_peers__compared_with_our_best_level(self):
        document = bench(shapes=((256, 3072, 10),))
        document["peers"] = [
            {"name": "blis", "library": "libblis.so.4", "version": "BLIS 0.9", "missing": ""},
            {"name": "onednn", "library": "libdnnl.so.2", "version": "", "missing": "not there"},
        ]
        document["benchmarks"] += samples("step_hinge_f32", "blis", (256, 3072, 10), 200.0)
        text = self.markdown(document)
        # 4000 operations per call: 100 ns with avx2, 200 ns with the library.
        self.assertIn("| step_hinge_f32 | 256×3072×10 | avx2 | 40.0 | 20.0 | – | 2.00× (", text)
        self.assertIn("| onednn | skipped: not there |", text)
        self.assertIn("--peers", text)
        self.assertNotIn("blis", text[text.index("results:begin") : text.index("results:end")])

    def test_threads__compared_with_one(self):
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
        self.assertIn(
            "| step_hinge_f32 | 256×3072×10 | avx2 | 2 | 0.0600 | 0.100 | 1.67× (", section
        )
        # The headline reports one thread only.
        self.assertEqual(
            text[: text.index("## ")], self.markdown(bench(((256, 3072, 10),))).split("## ")[0]
        )

    def test_bf16__compared_with_the_best_level_of_f32(self):
        shape = (256, 3072, 10)
        self.assertNotIn("## bf16", self.markdown(bench()))
        document = bench(shapes=(shape,))
        document["benchmarks"] += samples("step_hinge_bf16", "avx2", shape, 50.0)
        section = self.markdown(document).split("## bf16")[1].split("\n## ")[0]
        self.assertIn("| f32 | µs | bf16, avx2 |\n|", section)
        self.assertIn("| step_hinge_bf16 | 256×3072×10 | avx2 | 0.100 | 2.00× (", section)

    def test_ladder__every_level_has_a_column(self):
        document = bench()
        avx2 = document["machine"]["levels"][2]
        document["machine"]["levels"] += [
            avx2 | {"name": "avxvnni", "chosen": False},
            avx2 | {"name": "avx512", "chosen": False, "usable": False, "missing": "avx512f (CPU)"},
        ]
        for entry in document["benchmarks"]:
            entry |= {"attainable_gflop_per_s": 50.0, "bound": "FMA"}
        section = self.markdown(document).split("## ISA ladder")[1].split("\n## ")[0]
        self.assertIn("| kernel | scalar | auto_avx2 | avx2 | avxvnni | avx512 |\n|", section)
        # A call on 256 samples takes 1000, 250 and 100 ns, at 4, 16 and 40 GFLOP/s.
        cells = "256 M, 8 % | 1.02 G, 32 % | 2.56 G, 80 % | ← avx2 | – |"
        self.assertIn(f"| step_hinge_f32 | {cells}", section)
        self.assertNotIn("chain", section)
        self.assertIn("avx512 is not usable here: avx512f (CPU).", section)

    def test_ceilings__shares_and_roofs(self):
        document = bench(shapes=((256, 3072, 10),))
        self.markdown(document, drawn=("roofline",))
        self.assertNotIn("GB/s", (self.output / "figures" / "roofline.svg").read_text())
        document["ceilings"] = {
            "clock_ghz": 3.0,
            "fma_f32_gflop_per_s": {"avx2": 100.0, "avx512": 104.0},
            "dot_bf16_gflop_per_s": {"avx512bf16": 208.0, "amx": None},
            "u8_gop_per_s": {"avx2": {"weights": 300.0, "dscores": 600.0}, "amx": None},
            "read": [
                {"level": "L1", "holds_bytes": 32768, "tested_bytes": 16384,
                 "read_gb_per_s": 200.0},
                {"level": "DRAM", "holds_bytes": None, "tested_bytes": 1 << 28,
                 "read_gb_per_s": 20.0},
            ],
        }  # fmt: skip
        for row in document["benchmarks"]:
            if row["isa"] == "avx2":
                row |= {"attainable_gflop_per_s": 80.0, "bound": "DRAM"}
        text = self.markdown(document, drawn=("roofline",))
        row = next(
            line for line in text.splitlines() if line.startswith("| step_hinge_f32/avx2/n:256")
        )
        self.assertTrue(row.endswith("| 50.0 % | DRAM |"), row)
        roofline = (self.output / "figures" / "roofline.svg").read_text()
        for line in (
            "| clock | 3.00 GHz |",
            "| f32 FMA, avx2 | 100 GFLOP/s |",
            "| pairs of bf16, avx512bf16 | 208 GFLOP/s |",
            "| byte x 8 bits, avx2 | 600 GFLOP/s |",
            "| reading, L1 | 200 GB/s |",
        ):
            self.assertIn(line, text)
        self.assertNotIn("bf16, amx", text)
        for roof in ("L1 200 GB/s", "DRAM 20 GB/s", "FMA 100"):
            self.assertIn(roof, roofline)

    def test_training__other_settings__not_compared(self):
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

    def test_training__settings_and_commands_to_reproduce(self):
        on_bytes = train()
        for run in on_bytes["training"]:
            run |= {
                "dtype": "u8", "normalize": "standardize", "shuffle": "batch", "threads": 2,
                "data": "cifar10:my pictures", "mmap": True, "epochs_asked": 100,
            }  # fmt: skip
        # Results of versions before u8 training have no dtype.
        text = self.markdown(train(), on_bytes)
        self.assertIn(
            "u8 features, normalised (standardize), whole minibatches shuffled, 2 threads", text
        )
        commands = text.split("## Reproduce")[1]
        numbers = "--batch 256 --lr 0.02 --reg 0.0001 --delta 1 --seed 1"
        self.assertIn(
            f"train --isa all --loss hinge --dtype f32 {numbers} --epochs 3 --json train-1.json",
            commands,
        )
        self.assertIn(
            "train --isa all --data 'cifar10:my pictures' --mmap --loss hinge --dtype u8 "
            f"--normalize standardize --shuffle batch {numbers} --threads 2 --epochs 100 --json "
            "train-2.json",
            commands,
        )

    def test_colours__a_level_and_its_auto_level_share_a_hue(self):
        names = ("avx2", "avxvnni", "avx512", "avx512vnni", "avx512bf16", "amx")
        autos = [Level(f"auto_{name}", "auto", name) for name in ("avx2", "avx512")]
        levels = [Level("scalar", "baseline", None), *autos]
        levels += [Level(name, "hand", None) for name in names]
        found = colours_of(levels)
        self.assertEqual(len(set(found.values())), len(levels))
        fewer = colours_of([level for level in levels if level.name != "avxvnni"])
        for name in ("scalar", "avx2", "auto_avx2", "avx512", "auto_avx512"):
            self.assertEqual(fewer[name], found[name])

    def test_curves__drawn_once_if_levels_agree(self):
        self.assertIn("all 2 levels agree", self.markdown(train()))
        document = train()
        document["training"][1]["epochs"][1]["train_loss"] += 1e-3
        self.assertIn("the levels differ", self.markdown(document))

    def test_title__in_page_and_markdown(self):
        path = self.write("r.json", train())
        done = self.run_report(path, options=("--title", "A <b>name</b>"))
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        page = (self.output / "index.html").read_text()
        self.assertEqual(page.count("A &lt;b&gt;name&lt;/b&gt;"), 2)
        self.assertTrue(
            (self.output / "report.md")
            .read_text()
            .startswith("<!-- Written by downhill report. -->\n\n# A &lt;b")
        )

    def test_shapes__not_drawn__are_named(self):
        shapes = [(n, 3072, 10) for n in (1, 2, 3, 4, 5, 6, 7, 8, 256)]
        markdown = self.markdown(bench(shapes))
        self.assertEqual(len(list((self.output / "figures").glob("speedup*"))), 8)
        self.assertIn("Not drawn: 8×3072×10.", (self.output / "index.html").read_text())
        # The figure of the main shape has no shape in its name.
        self.assertIn("Speed-up at 256×3072×10](figures/speedup.svg)", markdown)

    def test_no_timed_row__report_is_written(self):
        document = bench()
        row = {k: v for k, v in document["benchmarks"][0].items() if "time" not in k}
        row |= {"error_occurred": True, "error_message": "skipped: out of memory"}
        document["benchmarks"] = [row]
        self.markdown(document)
        text = (self.output / "index.html").read_text()
        self.assertIn("skipped: out of memory", text)
        self.assertIn("No row was timed", text)

    def test_no_row_for_the_roofline__stated(self):
        document = bench()
        document["benchmarks"] = [o for o in document["benchmarks"] if o["isa"] == "auto_avx2"]
        section = self.markdown(document).split("## Roofline")[1].split("\n## ")[0]
        self.assertIn("No row is drawn here.", section)
        self.assertNotIn("No row was timed", section)

    def test_fused_step__compared_with_the_chain(self):
        markdown = self.markdown(bench())
        self.assertIn("| 256×3072×10 | avx2 | 0.100 | 0.150 | 1.50× (", markdown)

    def test_skipped_row__shown_with_its_reason(self):
        document = bench()
        row = {k: v for k, v in document["benchmarks"][0].items() if "time" not in k}
        row |= {"name": "grad_f32/avx2/n:9/d:9/c:9", "run_name": "grad_f32/avx2/n:9/d:9/c:9"}
        row |= {"kernel": "grad_f32", "isa": "avx2", "n": 9, "d": 9, "c": 9}
        row |= {"error_occurred": True, "error_message": "skipped: out of memory"}
        document["benchmarks"].append(row)
        markdown = self.markdown(document)
        self.assertIn("| grad_f32/avx2/n:9/d:9/c:9 | skipped: out of memory |", markdown)
        self.assertIn("skipped: out of memory", (self.output / "index.html").read_text())

    def test_warnings__derived_from_the_results(self):
        document = bench()
        document["build"]["dirty"] = True
        document["machine"]["hypervisor"] = "KVM"
        document["context"]["cpu_scaling_enabled"] = True
        document["context"]["load_avg"] = [7.5, 1, 1]
        document["warnings"] = ["the program's own"]
        for row in document["benchmarks"]:
            if row["run_name"] == "update_f32/scalar/n:1/d:3072/c:10":
                row["real_time"] *= 1 + 0.2 * (row.get("repetition_index", 0) % 2)
        text = self.markdown(document).split("## Warnings")[1]
        for words in ("uncommitted", "virtual (KVM)", "clock frequency", "7.5", "program's own",
                      "above 5%", "update_f32/scalar/n:1"):  # fmt: skip
            self.assertIn(words, text)

    def test_merged_results__give_the_same_report(self):
        done = self.run_report(self.write("b.json", bench()), self.write("t.json", train()))
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn(f"{self.output / 'index.html'}, with report.md", done.stdout)
        first = {p.name: p.read_bytes() for p in self.output.rglob("*.*")}
        merged = self.write("merged.json", first["results.json"].decode())
        self.assertEqual(self.run_report(merged).returncode, 0)
        self.assertEqual(first, {p.name: p.read_bytes() for p in self.output.rglob("*.*")})

    def test_training_only_and_benchmarks_only(self):
        self.assertIn("Training", self.markdown(train()))
        self.assertNotIn("Training, end", self.markdown(bench()))

    def test_text__is_escaped(self):
        document = bench()
        document["machine"]["host_name"] = "<script>alert(1)</script>|x"
        out = self.report(document)
        page = (out / "index.html").read_text()
        self.assertNotIn("<script>alert", page)
        self.assertIn("&lt;script&gt;alert", page)
        self.assertNotIn("<script>", (out / "report.md").read_text())

    def test_default_output__directory_next_to_the_results(self):
        path = self.write("r.x.json", bench())
        (self.directory / "index.html").write_text("a page of mine")
        done = subprocess.run([REPORT, path], capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(
            sorted(p.name for p in (self.directory / "r.x.report").iterdir()),
            ["figures", "index.html", "report.md", "results.json"],
        )
        self.assertEqual(
            sorted(p.name for p in self.directory.iterdir()),
            ["index.html", "r.x.json", "r.x.report"],
        )
        compressed = self.directory / "r.json.gz"
        compressed.touch()
        self.assertEqual(render.directory_of(compressed), self.directory / "r.report")
        for name in ("/dev/stdin", "/proc/self/fd/0", str(self.directory)):
            with self.assertRaisesRegex(errors.BadOutput, "give --output DIR"):
                render.directory_of(pathlib.Path(name))


if __name__ == "__main__":
    unittest.main()
