# SPDX-License-Identifier: MIT
"""Draws one picture of a results file or a model."""
