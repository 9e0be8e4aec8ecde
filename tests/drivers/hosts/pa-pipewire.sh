#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# -audiodev pa into PipeWire, in PulseAudio's place.

# shellcheck disable=SC2034  # conformance.sh reads them
driver=pa server=pipewire record_options=,in.name=out.monitor

. "$SRC/tests/drivers/conformance.sh"
