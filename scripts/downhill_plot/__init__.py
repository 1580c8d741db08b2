# SPDX-License-Identifier: MIT
"""One picture of one file of results, or of a model."""
