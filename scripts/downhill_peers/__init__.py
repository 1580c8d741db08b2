# SPDX-License-Identifier: MIT
"""Other libraries, trained on what downhill trains on; see scripts/peers.py."""
