# SPDX-License-Identifier: MIT
"""Compares runs: reads them (runs), checks that they are comparable (guard), judges differences
(verdicts, statistics), also of levels within one run (levels, winners), tabulates several machines
(matrix) and formats the result (output)."""
