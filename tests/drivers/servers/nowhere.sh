# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# Nobody hears it.
