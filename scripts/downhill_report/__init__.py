# SPDX-License-Identifier: MIT
"""The report: loads and checks results (load), derives what it shows (model), puts that into words
(content), draws figures (figures), fills the templates and writes the files (render)."""
