# SPDX-License-Identifier: MIT
"""downhill report: time to a target accuracy, training with other libraries, and methods without
epochs."""

import unittest

from report_data import ReportTest, bench, method, peer, peers, train

# The median epoch takes 0.2 s; 83 % are reached after 0.4 s. The median epoch of avx2 takes 0.05 s,
# that of scalar 0.5 s.
TORCH = peer("PyTorch", seconds=(0.1, 0.3, 0.2), accuracies=(0.82, 0.835, 0.829))
SKLEARN = peer("scikit-learn", seconds=(2.0, 2.0, 2.0), accuracies=(0.7, 0.8, 0.81), dtype="f64")


def both_types():
    document = train()
    for run in train()["training"]:
        run |= {"dtype": "u8"}
        for epoch in run["epochs"]:
            epoch["seconds"] /= 2
        document["training"].append(run)
    return document


class EndToEnd(ReportTest):
    def section(self, *documents, drawn=()):
        text = self.markdown(*documents, drawn=drawn)
        return text.split("\n## Training, end to end")[1].split("\n## ")[0]

    def line(self, section, name, loss="hinge"):
        (found,) = (o for o in section.splitlines() if o.startswith(f"| {name} | {loss} |"))
        return [cell.strip() for cell in found.split("|")[3:-1]]

    def test_table__without_other_libraries(self):
        section = self.section(train())
        self.assertIn(
            "| library | loss | s per epoch | to 83 % | to 84 % | test accuracy |", section
        )
        # The third epoch reaches 83 %, after 0.4 + 0.5 + 0.6 s and after 0.05 + 0.04 + 0.9 s.
        self.assertEqual(
            self.line(section, "downhill f32, scalar"),
            ["0.500", "1.50", "not reached in 3 epochs", "83.00 %", "10.0×"],
        )
        self.assertEqual(self.line(section, "downhill f32, avx2")[:2], ["0.0500", "0.990"])
        self.assertIn(
            "An epoch of downhill f32, avx2 takes 0.0500 s (84 % not reached in 3 epochs).", section
        )
        self.assertNotIn("note", section)
        self.assertTrue((self.output / "figures" / "endtoend.svg").exists())

    def test_table__with_other_libraries(self):
        section = self.section(train(), peers(TORCH, SKLEARN), drawn=("endtoend",))
        self.assertEqual(
            self.line(section, "PyTorch 1.2.3"),
            ["0.200", "0.400", "not reached in 3 epochs", "82.90 %", "4.00×"],
        )
        self.assertEqual(self.line(section, "scikit-learn 1.2.3")[1], "not reached in 3 epochs")
        self.assertIn(
            "; PyTorch 1.2.3 takes 4.00× as long; scikit-learn 1.2.3 takes 40.0× as long.", section
        )
        self.assertIn("- PyTorch 1.2.3: how PyTorch does it.", section)
        self.assertIn(
            "Hinge: batch 256, learning rate 0.02, penalty 0.0001, features x/255, 1 thread, "
            "except where a note says otherwise.",
            section,
        )
        drawn = (self.output / "figures" / "endtoend.svg").read_text()
        for name in (
            "downhill f32, avx2",
            "downhill f32, scalar",
            "PyTorch 1.2.3",
            "scikit-learn 1.2.3",
        ):
            self.assertIn(f">{name}</text>", drawn)

    def test_target__reached_by_the_first_epoch_that_equals_it(self):
        document = train()
        for epoch, accuracy in zip(document["training"][1]["epochs"], (0.84, 0.82, 0.83)):
            epoch["test_accuracy"] = accuracy
        found = self.line(self.section(document), "downhill f32, avx2")
        self.assertEqual(found[1:4], ["0.0500", "0.0500", "83.00 %"])

    def test_sentence__time_to_the_target_and_ratio_for_the_same_data_type(self):
        document = both_types()
        for run in document["training"]:
            run["epochs"][2]["test_accuracy"] = 0.84
        fast = TORCH | {"epochs": [dict(e, test_accuracy=0.85) for e in TORCH["epochs"]]}
        section = self.section(document, peers(fast))
        # downhill u8 takes 0.025 s per epoch and 0.495 s to the target, PyTorch 0.2 s and 0.1 s.
        # downhill f32 takes 0.05 s per epoch.
        self.assertIn("An epoch of downhill u8, avx2 takes 0.0250 s (0.495 s to 84 %)", section)
        self.assertIn(
            "PyTorch 1.2.3 takes 8.00× as long (4.00× that of downhill f32, avx2, 0.20× to 84 %)",
            section,
        )
        self.assertEqual(self.line(section, "downhill f32, avx2")[-1], "2.00×")

    def test_missing_libraries__row_with_the_reason(self):
        section = self.section(
            train(), peers(peer("PyTorch"), peer("scikit-learn", missing="<no>"))
        )
        self.assertIn("| PyTorch | hinge | missing: not installed |", section)
        self.assertIn("| scikit-learn | hinge | missing: &lt;no> |", section)
        self.assertNotIn("as long", section)
        self.assertEqual(self.line(section, "downhill f32, avx2")[-1], "1.00×")
        self.assertIn("<td", (self.output / "index.html").read_text())

    def test_settings__only_equal_ones_are_compared(self):
        other = train()
        for run in other["training"]:
            run["lr"] = 0.5
        section = self.section(train(), other, peers(TORCH))
        self.assertEqual(len(self.line(section, "downhill f32, avx2")), 5)  # only one such line
        rounded_to_f32 = train()
        for run in rounded_to_f32["training"]:
            run |= {
                "lr": 0.0199999996,
                "reg": 9.99999975e-05,
                "schedule": "constant",
                "momentum": 0.0,
            }
        section = self.section(rounded_to_f32, peers(TORCH))
        self.assertEqual(self.line(section, "PyTorch 1.2.3")[-1], "4.00×")
        for name, value in (("momentum", 0.9), ("schedule", "cosine"), ("normalize", "center"),
                            ("batch", "all"), ("threads", 2), ("delta", 2.0)):  # fmt: skip
            other = train()
            for run in other["training"]:
                run[name] = value
            section = self.section(other, peers(TORCH))
            self.assertIn("downhill was not trained with these settings.", section)
            self.assertEqual(self.line(section, "PyTorch 1.2.3")[-1], "–", name)

    def test_settings__of_one_loss__are_distinguished(self):
        other = train()
        for run in other["training"]:
            run |= {"lr": 0.5, "momentum": 0.9}
        section = self.section(train(), other)
        self.line(section, "downhill f32, avx2", "hinge, none, batch 256, rate 0.02")
        self.line(section, "downhill f32, avx2", "hinge, none, batch 256, rate 0.5, momentum")

    def test_other_data_set__no_targets(self):
        document = train()
        for run in document["training"]:
            run["dataset"] = "cifar10"
        section = self.section(document)
        self.assertNotIn("to 84 %", section)
        self.assertFalse((self.output / "figures" / "endtoend.svg").exists())

    def test_losses__a_drawing_and_a_sentence_each(self):
        softmax = TORCH | {"loss": "softmax"}
        documents = train(), train("softmax"), peers(TORCH), peers(softmax)
        section = self.section(*documents, drawn=("endtoend",))
        self.assertEqual(section.count("An epoch of downhill f32, avx2 takes"), 2)
        self.assertEqual(section.count("how PyTorch does it"), 1)
        self.assertEqual(
            (self.output / "figures" / "endtoend.svg").read_text().count(">PyTorch 1.2.3<"), 2
        )

    def test_merged_results__with_other_libraries__give_the_same_report(self):
        first = self.markdown(peers(TORCH), train())  # in any order
        self.assertEqual(self.markdown((self.output / "results.json").read_text()), first)
        self.assertIn(
            "scripts/peers.py --loss hinge --normalize none --batch 256 --lr 0.02 --reg 0.0001 "
            "--seed 1 --threads 1 --epochs 3 --json peers-1.json",
            first,
        )

    def test_benchmarks_and_other_libraries__without_training(self):
        section = self.section(bench(), peers(TORCH))
        self.assertIn("downhill was not trained", section)

    def test_other_run_or_bad_rows__refused(self):
        self.refused("holds only other libraries", peers(TORCH))
        self.refused("PyTorch ran on elsewhere, downhill on host", train(),
                     peers(TORCH | {"host_name": "elsewhere"}))  # fmt: skip
        self.refused("training with PyTorch is there twice", train(), peers(TORCH), peers(TORCH))
        for says, changes in (
            ("'version' is a required", {k: v for k, v in TORCH.items() if k != "version"}),
            ("'TensorFlow' is not one of", TORCH | {"library": "TensorFlow"}),
            ("does not match", TORCH | {"version": "$x$"}),
            ("is too short", TORCH | {"epochs": []}),
            ("$.peers_training[0].epochs: ", TORCH | {"missing": "why"}),
            ("greater than the maximum", peer("PyTorch", seconds=(1.0,), accuracies=(83.0,))),
        ):
            self.refused(says, train(), peers(changes))


class OtherMethods(ReportTest):
    def test_methods_without_epochs__table(self):
        text = self.markdown(
            train(), method("lbfgs", loss="softmax"), method("random-search", scale=1e-4)
        )
        self.assertIn("| lbfgs | softmax | avx2 | 21 | 1.50 | 3.250 | 61.00 % |", text)
        self.assertIn("| random-search | hinge | avx2 | 21 | 1.50 | 3.250 | 61.00 % |", text)
        self.assertIn("--loss softmax --dtype f32 --normalize none --reg 0.0001 --delta 1 --seed 1 "
                      "--method lbfgs --iterations 7", text)  # fmt: skip
        self.assertIn("--method random-search --tries 7 --scale 0.0001 --json", text)

    def test_method_without_points__report_is_written(self):
        results = method("numerical", points=[], test_accuracy=None, h=1e-3, difference="centred",
                         coordinates=100, numerical_s=None, lr=0.02)  # fmt: skip
        text = self.markdown(results)
        self.assertIn("| numerical | hinge | avx2 | 21 | 1.50 | – | – |", text)
        self.assertNotIn("figures/phases.svg", text)
        self.assertIn("--lr 0.02 --difference centred --h 0.001 --coordinates 100", text)

    def test_same_settings_twice__refused(self):
        self.refused("is there twice", method("lbfgs"), method("lbfgs"))
        self.markdown(method("random-search", scale=1e-4), method("random-search", scale=1e-3))

    def test_sgd__every_setting_is_shown(self):
        document = train()
        for run in document["training"]:
            run |= {
                "method": "sgd", "batch": "all", "schedule": "cosine", "momentum": 0.9,
                "nesterov": True,
                "validation": 0.1, "n_validation": 6000, "best_epoch": 2, "stopped_early": True,
                "normalize": "raw-center",
            }  # fmt: skip
            for epoch in run["epochs"]:
                epoch["validation_accuracy"] = None
        text = self.markdown(document)
        self.assertIn("batch all", text)
        self.assertIn(
            "Nesterov momentum 0.9, learning rate schedule cosine, 6000 validation samples", text
        )
        self.assertIn(
            "--batch all --lr 0.02 --schedule cosine --momentum 0.9 --validation 0.1 --nesterov",
            text,
        )

    def test_schema__refuses_invalid_runs(self):
        def damaged(document, **changes):
            document["training"][0] |= changes
            return document

        for says, document in (
            ("'some' does not match", damaged(train(), batch="some")),
            ("'annealing' is not one of", damaged(method("lbfgs"), method="annealing")),
            ("'tried' is a required", damaged(train(), method="lbfgs")),
            ("'batch' is a required", damaged(method("lbfgs"), method="sgd")),
            ("0 is less than the minimum", damaged(train(), best_epoch=0)),
            ("'linear' is not one of", damaged(train(), schedule="linear")),
        ):
            self.refused(says, document)


if __name__ == "__main__":
    unittest.main()
