#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# -audiodev alsa into ALSA's null: it takes everything at once, and there is no server that a fault could
# befall, no sink to lose, no format that it does not take. What is recorded is silence.

# shellcheck disable=SC2034  # conformance.sh reads them
driver=alsa server=nowhere options=,out.dev=null faults=(exact)

. "$SRC/tests/drivers/conformance.sh"
