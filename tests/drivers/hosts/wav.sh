#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# -audiodev wav. There is no server to kill, no sink to lose, and a file takes any format; but its folder
# can be missing. It does not record.

# shellcheck disable=SC2034  # conformance.sh reads them
driver=wav server=file options=,path=sink/out faults=(exact no_server)

. "$SRC/tests/drivers/conformance.sh"
