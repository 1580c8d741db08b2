# SPDX-License-Identifier: MIT
"""Comparing runs: read them (runs), may they be compared (guard), what differs (verdicts, statistics),
several machines side by side (matrix), and in words and files (output)."""
