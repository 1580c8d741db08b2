# SPDX-License-Identifier: MIT
"""Opens a page in a headless browser, with the checks that hold for every page.
DOWNHILL_SCREENSHOTS=DIR saves a picture per width and scheme."""

import json
import os
import pathlib

from selenium import webdriver
from selenium.webdriver.chrome.service import Service

WIDE, NARROW = 1280, 400


def open_browser():
    options = webdriver.ChromeOptions()
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    options.binary_location = "/usr/bin/chromium"
    return webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)


def brightness(colour):
    """Returns the brightness of "rgb(r, g, b)", from 0 for black to 1 for white."""
    parts = colour[colour.index("(") + 1 : colour.index(")")].split(",")
    return sum(float(part) for part in parts[:3]) / 3 / 255


class PageTest:
    """A test case of one page, which setUpClass() opens."""

    @classmethod
    def open(cls, path):
        cls.address = pathlib.Path(path).as_uri()
        cls.browser = open_browser()
        cls.addClassCleanup(cls.browser.quit)

    def setUp(self):
        self.emulate(WIDE, "light")
        self.browser.get_log("browser"), self.browser.get_log("performance")
        self.browser.get(self.address)

    def emulate(self, width, scheme, media="screen"):
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        self.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        feature = {"name": "prefers-color-scheme", "value": scheme}
        self.browser.execute_cdp_cmd(
            "Emulation.setEmulatedMedia", {"media": media, "features": [feature]}
        )

    def ask(self, script, *arguments):
        return self.browser.execute_script(script, *arguments)

    def keep(self, name):
        """Saves a picture of the whole page if DOWNHILL_SCREENSHOTS is set."""
        if directory := os.environ.get("DOWNHILL_SCREENSHOTS"):
            height = self.ask("return document.documentElement.scrollHeight")
            width = self.ask("return window.innerWidth")
            size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
            self.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
            self.browser.save_screenshot(str(pathlib.Path(directory) / f"{name}.png"))

    def test_console_and_network__no_messages_and_no_requests(self):
        self.ask("for (const d of document.querySelectorAll('details')) d.open = true")
        self.assertEqual(self.browser.get_log("browser"), [])
        requested = set()
        for entry in self.browser.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                requested.add(message["params"]["request"]["url"])
        self.assertEqual({url for url in requested if not url.startswith("data:")}, {self.address})

    def test_widths__only_tables_and_figures_scroll(self):
        for width in (WIDE, NARROW):
            for scheme in ("light", "dark"):
                self.emulate(width, scheme)
                self.keep(f"{type(self).__name__}-{scheme}-{width}")
                self.emulate(width, scheme)
                overflow = self.ask(
                    "return document.documentElement.scrollWidth - window.innerWidth"
                )
                self.assertLessEqual(overflow, 0, f"{width} px")
