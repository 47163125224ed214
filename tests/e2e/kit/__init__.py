# SPDX-License-Identifier: Apache-2.0
"""What the end-to-end tests are written in: real servers, and verbs to play with them."""
