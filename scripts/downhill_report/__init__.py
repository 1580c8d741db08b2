# SPDX-License-Identifier: MIT
"""The report: load and check results (load), work out what it says (model), draw (figures), write
(render)."""
