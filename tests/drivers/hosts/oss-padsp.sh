#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# -audiodev oss under padsp: OSS in the library, PulseAudio behind it.

# shellcheck disable=SC2034  # conformance.sh reads them
driver=oss server=pulse record_options= wrapper=(padsp pulseaudio-utils)

. "$SRC/tests/drivers/conformance.sh"
