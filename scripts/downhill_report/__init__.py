# SPDX-License-Identifier: MIT
"""The report: load and check results (load), work out what it says (model), put it into words
(words), draw (figures), fill the templates and write (render)."""
