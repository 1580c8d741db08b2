# SPDX-License-Identifier: MIT
"""The page of downhill report in a browser: its figures, filters, sorting and colour schemes, and
that it makes no requests."""

import json
import pathlib
import tempfile
import unittest

import browser
from browser import WIDE, brightness
from report_data import full, load, render, train
from selenium.webdriver.common.by import By
from selenium.webdriver.support.select import Select

FIGURES = {
    "topology", "fastest", "speedup", "speedup-1x3072x10", "ladder", "roofline", "batch", "size",
    "threads",
    "peers", "winners", "samples", "strips", "phases", "curves", "endtoend",
}  # fmt: skip


class Page(browser.PageTest, unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        directory = tempfile.TemporaryDirectory()
        cls.addClassCleanup(directory.cleanup)
        out = pathlib.Path(directory.name)
        paths = []
        for name, document in (("a", full()), ("b", train()), ("c", train("softmax"))):
            paths.append(out / f"{name}.json")
            paths[-1].write_text(json.dumps(document))
        render.write(load.load(paths), out / "report")
        cls.open(out / "report" / "index.html")

    def table(self, caption):
        for table in self.browser.find_elements(By.TAG_NAME, "table"):
            found = table.find_element(By.TAG_NAME, "caption").get_attribute("textContent")
            if found.startswith(caption):
                return table
        raise AssertionError(f"no table has the caption {caption!r}")

    def rows(self, table, column):
        """Returns the texts of a column in the rows that are shown."""
        script = """return [...arguments[0].tBodies[0].rows].filter((row) => !row.hidden)
                    .map((row) => row.cells[arguments[1]]?.textContent ?? "")"""
        return self.ask(script, table, column)

    def test_figures__all_present_and_drawn(self):
        self.ask("for (const d of document.querySelectorAll('details')) d.open = true")
        found = self.ask("""return [...document.querySelectorAll("[data-figure]")].map((o) => {
            const svg = o.querySelector("svg"), box = svg.getBoundingClientRect();
            const marks = svg.querySelectorAll("path, use");
            return [o.dataset.figure, box.width, box.height, marks.length,
                    o.getAttribute("aria-label").length];
        })""")  # fmt: skip
        self.assertEqual({name for name, *_ in found}, FIGURES)
        for name, width, height, marks, label in found:
            self.assertGreater(width, 600, name)
            self.assertGreater(height, 60, name)
            self.assertGreater(marks, 5, name)
            self.assertGreater(label, 20, name)

    def test_filter__words_and_choices(self):
        table = self.table("Wall time per call")
        form = table.find_element(By.XPATH, "../preceding-sibling::form")
        every = self.rows(table, 0)
        form.find_element(By.NAME, "words").send_keys("N:256 update")
        shown = self.rows(table, 0)
        self.assertEqual(shown, [name for name in every if "update" in name and "n:256/" in name])
        self.assertEqual(len(shown), 3)
        output = form.find_element(By.TAG_NAME, "output")
        self.assertEqual(output.text, f"3 of {len(every)} rows")
        choice = Select(form.find_element(By.NAME, "ISA level"))
        choice.select_by_visible_text("avx2")
        self.assertEqual(self.rows(table, 0), ["update_f32/avx2/n:256/d:3072/c:10"])
        form.find_element(By.NAME, "words").clear()
        choice.select_by_visible_text("all")
        self.assertEqual(self.rows(table, 0), every)

    def test_sort__by_number_and_by_name(self):
        table = self.table("Wall time per call")
        titles = [th.text for th in table.find_elements(By.CSS_SELECTOR, "thead th")]
        column = titles.index("median µs")
        header = table.find_elements(By.CSS_SELECTOR, "thead th")[column]
        for order, sort in (("ascending", 1), ("descending", -1)):
            header.find_element(By.TAG_NAME, "button").click()
            self.assertEqual(header.get_attribute("aria-sort"), order)
            values = [float(text.replace(",", "")) for text in self.rows(table, column)]
            self.assertEqual(values, sorted(values, key=lambda value: sort * value))
        name = table.find_elements(By.CSS_SELECTOR, "thead th")[0]
        name.find_element(By.TAG_NAME, "button").click()
        self.assertEqual(self.rows(table, 0), sorted(self.rows(table, 0)))
        self.assertIsNone(header.get_attribute("aria-sort"))
        # Sorts by value, not by digits: 2.56 G is more than 12.9 M.
        table = self.table("256×3072×10: samples per second")
        table.find_elements(By.CSS_SELECTOR, "thead th button")[1].click()
        cells = [text.split(",")[0] for text in self.rows(table, 1)]
        unit = {"M": 1e6, "G": 1e9}
        rates = [float(text[:-2]) * unit[text[-1]] for text in cells if text != "–"]
        self.assertEqual(rates, sorted(rates))
        self.assertGreater(len(set(text[-1] for text in cells)), 1)

    def test_dark_scheme__page_and_figures_are_dark(self):
        script = """const style = (o, name) => getComputedStyle(o)[name];
            return [style(document.body, "backgroundColor"),
                    style(document.querySelector("[data-figure=speedup] text"), "fill")];"""
        light = [brightness(colour) for colour in self.ask(script)]
        self.emulate(WIDE, "dark")
        dark = [brightness(colour) for colour in self.ask(script)]
        self.assertGreater(light[0], 0.9)
        self.assertLess(light[1], 0.2)
        self.assertLess(dark[0], 0.2)
        self.assertGreater(dark[1], 0.8)

    def test_print__light_with_all_details_open(self):
        self.emulate(WIDE, "dark", "print")
        self.ask("window.dispatchEvent(new Event('beforeprint'))")
        self.assertEqual(
            self.ask("return document.querySelectorAll('details:not([open])').length"), 0
        )
        background = self.ask("return getComputedStyle(document.body).backgroundColor")
        self.assertGreater(brightness(background), 0.9)
        for hidden in ("nav", "form.filter"):
            displays = self.ask(
                "return [...document.querySelectorAll(arguments[0])]"
                ".map((o) => getComputedStyle(o).display)",
                hidden,
            )
            self.assertEqual(set(displays), {"none"}, hidden)

    def test_figure__saved_in_the_colours_of_the_page(self):
        link = self.browser.find_element(By.CSS_SELECTOR, "#threads figcaption a.file")
        self.assertTrue(link.is_displayed())
        saved = self.browser.execute_async_script(
            """const [link, done] = arguments;
               link.addEventListener("click", (event) => event.preventDefault());
               link.click();
               fetch(link.href).then((file) => file.text()).then(done);""",
            link,
        )
        self.assertIn("<svg", saved)
        self.assertNotIn("var(--", saved)
        self.assertIn("#1c2024", saved)


if __name__ == "__main__":
    unittest.main()
