#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# -audiodev pipewire.

# shellcheck disable=SC2034  # conformance.sh reads them
driver=pipewire server=pipewire record_options=,in.name=out.monitor

. "$SRC/tests/drivers/conformance.sh"
