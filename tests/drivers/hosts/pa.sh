#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# -audiodev pa into PulseAudio.

# shellcheck disable=SC2034  # conformance.sh reads them
driver=pa server=pulse record_options=,in.name=out.monitor

. "$SRC/tests/drivers/conformance.sh"
