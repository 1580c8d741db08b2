# SPDX-License-Identifier: MIT
"""Puts results of several CPUs on one page: distils a run into an entry (distil, ratios,
microarchitecture), reads entries (entry), works out what each CPU feature buys (features, bought,
words), and lays out the page (content, figure, explorer, page)."""
