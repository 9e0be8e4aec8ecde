#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# -audiodev none: nothing can befall it.

# shellcheck disable=SC2034  # conformance.sh reads them
driver=none server=nowhere faults=(exact)

. "$SRC/tests/drivers/conformance.sh"
