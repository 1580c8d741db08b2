# SPDX-License-Identifier: MIT
"""Trains other libraries on the same data as downhill; see scripts/peers.py."""
