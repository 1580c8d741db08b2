# SPDX-License-Identifier: MIT
"""Compares two builds of the library: builds them (builds), times them in lock-step in several
processes (measure), judges the rows (verdicts) and prints them (output)."""
