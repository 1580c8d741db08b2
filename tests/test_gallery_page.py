# SPDX-License-Identifier: MIT
"""The committed page of downhill gallery in a browser: the first table without scripts, the
explorer and its addresses, details that links open, colour schemes, print, and that it makes no
requests."""

import unittest
import urllib.parse

import browser
from browser import WIDE, brightness
from gallery_data import COMMITTED
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.select import Select

VIEWS = ("absolute", "samples", "clock", "roof", "buys")


EMERALD = "Intel Emerald Rapids"


class Page(browser.PageTest, unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.open(COMMITTED / "index.html")

    def visit(self, fragment):
        self.browser.get("about:blank")
        self.browser.get(f"{self.address}#{urllib.parse.quote(fragment, safe='=/')}")

    def select(self, name):
        return Select(self.browser.find_element(By.CSS_SELECTOR, f"#choice [name={name}]"))

    def cell(self, heading, cpu):
        """Returns the text of a cell of the explorer's table."""
        found = self.explored()
        (columns,) = (v for k, v in found.items() if k in ("ISA level or library", "feature"))
        return dict(zip(columns, found[heading]))[cpu]

    def explored(self):
        """Returns heading -> texts of the cells of the explorer's table."""
        script = """return [...document.querySelectorAll("#explored tr")].map((row) =>
                    [...row.cells].map((cell) => cell.innerText.replace(/\\s+/g, " ")))"""
        return {cells[0]: cells[1:] for cells in self.ask(script)}

    def test_first_screen__the_whole_first_table(self):
        bottom = self.ask(
            "return document.getElementById('answer').getBoundingClientRect().bottom"
        )  # fmt: skip
        self.assertLess(bottom, 900)

    def test_without_scripts__first_table_and_notice_are_there(self):
        self.browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
        try:
            self.browser.get(self.address)
            line = self.browser.find_element(By.ID, "avx512vnni")
            self.assertIn("1.29×", line.text)
            self.assertFalse(self.browser.find_element(By.ID, "choice").is_displayed())
            self.assertTrue(self.browser.find_element(By.CLASS_NAME, "noscript").is_displayed())
        finally:
            self.browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})

    def test_explorer__every_view_has_figures_for_every_cpu(self):
        for view in VIEWS:
            self.visit(f"explorer=step_hinge_f32/256×3072×10/hot/1/{view}")
            found = self.explored()
            self.assertEqual(self.select("view").first_selected_option.get_attribute("value"), view)
            line = "AVX2 over scalar code" if view == "buys" else "avx2"
            self.assertGreaterEqual(len(found[line]), 5, view)
            for cell in found[line]:
                self.assertRegex(cell, r"^[\d.]+( [kMG])?( †)? ", view)

    def test_explorer__figures_are_those_of_the_entries(self):
        # 256 × 784 × 10 scores on bytes at avx512vnni on Emerald Rapids, from its entry by hand.
        self.visit("explorer=score_u8/256×3072×10/hot/1/absolute")
        self.assertTrue(self.cell("avx512vnni", EMERALD).startswith("253 "))  # 15731200 / 62239
        self.visit("explorer=score_u8/256×3072×10/hot/1/samples")
        self.assertTrue(self.cell("avx512vnni", EMERALD).startswith("4.11 M "))  # 256 / 62239 ns
        self.visit("explorer=score_u8/256×3072×10/hot/1/buys")
        self.assertTrue(self.cell("AVX512-VNNI over AVX-512", EMERALD).startswith("1.68 "))

    def test_explorer__missing_figures_say_why(self):
        self.visit("explorer=score_u8/256×3072×10/hot/1/absolute")
        cells = dict(zip(self.explored()["ISA level or library"], self.explored()["avx512vnni"]))
        self.assertEqual(cells["AMD Zen 4"], "version 7dd3820 has no avx512vnni")
        self.assertEqual(cells["AMD Zen 3"], "no AVX-512 here")
        self.assertTrue(self.cell("avx2", "AMD Zen 4").endswith("has no score_u8"))
        self.visit("explorer=score_f32/1×3072×10/cold/1/absolute")
        self.assertTrue(self.cell("openblas", EMERALD).startswith("skipped: buffers"))

    def test_explorer__names_the_bound_and_the_machines_of_one_pass(self):
        self.visit("explorer=step_hinge_f32/256×3072×10/hot/1/roof")
        self.assertRegex(self.cell("auto_avx2", EMERALD), r", FMA$")
        note = self.browser.find_element(By.ID, "explained").text
        self.assertIn(f"{EMERALD}, AMD Zen 4, AMD Zen 3, AMD Zen 1: measured in one pass", note)

    def test_explorer__keyboard_changes_table_and_address(self):
        self.visit("")
        kernel = self.browser.find_element(By.CSS_SELECTOR, "#choice [name=kernel]")
        kernel.send_keys("grad_u8")
        kernel.send_keys(Keys.TAB)
        self.assertIn("#explorer=grad_u8/", urllib.parse.unquote(self.browser.current_url))
        caption = self.browser.find_element(By.CSS_SELECTOR, "#explored caption").text
        self.assertTrue(caption.startswith("grad_u8 "), caption)
        # The address leads to the same choice.
        address = self.browser.current_url
        self.browser.get("about:blank")
        self.browser.get(address)
        self.assertEqual(self.select("kernel").first_selected_option.text, "grad_u8")

    def test_explorer__unknown_choice_falls_back(self):
        self.visit("explorer=nothing/1×2×3/warm/9/unknown")
        self.assertGreater(len(self.explored()), 3)
        self.assertEqual(self.browser.get_log("browser"), [])

    def test_link_of_a_feature__opens_its_rows(self):
        self.visit("")
        self.browser.find_element(By.CSS_SELECTOR, "#avx512vnni a").click()
        details = self.browser.find_element(By.CSS_SELECTOR, "#feature-avx512vnni details")
        self.assertIsNotNone(details.get_attribute("open"))
        self.assertIn("scores on bytes", details.text)

    def test_dark_scheme__page_figure_and_cells_are_dark(self):
        script = """const style = (o, name) => getComputedStyle(document.querySelector(o))[name];
            return [style("body", "backgroundColor"), style("#answer td.m5", "backgroundColor"),
                    style("[data-figure] text[font-weight]", "fill")];"""
        light = [brightness(colour) for colour in self.ask(script)]
        self.emulate(WIDE, "dark")
        dark = [brightness(colour) for colour in self.ask(script)]
        self.assertTrue(light[0] > 0.9 and light[1] > 0.6 and light[2] < 0.2, light)
        self.assertTrue(dark[0] < 0.2 and dark[1] < 0.4 and dark[2] > 0.8, dark)

    def test_print__light_with_all_details_open_and_no_controls(self):
        self.emulate(WIDE, "dark", "print")
        self.ask("window.dispatchEvent(new Event('beforeprint'))")
        script = "return document.querySelectorAll('details:not([open])').length"
        self.assertEqual(self.ask(script), 0)
        background = self.ask("return getComputedStyle(document.body).backgroundColor")
        self.assertGreater(brightness(background), 0.9)
        self.assertFalse(self.browser.find_element(By.ID, "choice").is_displayed())
        self.assertTrue(self.browser.find_element(By.ID, "explored").is_displayed())

    def test_tables__headings_have_a_scope_and_scrolled_regions_get_the_focus(self):
        script = "return document.querySelectorAll('th:not([scope])').length"
        self.assertEqual(self.ask(script), 0)
        script = "return document.querySelectorAll('.scroll:not([tabindex=\"0\"])').length"
        self.assertEqual(self.ask(script), 0)


if __name__ == "__main__":
    unittest.main()
