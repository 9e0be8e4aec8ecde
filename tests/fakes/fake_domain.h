/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A domain's state without Xen: implements xen/domain.h.
 *
 * It is what the test last said: by fake_domain_state, or, for tests of whole
 * processes, in the file that FAKE_DOMAIN_STATE names: "runs", "stopped" or
 * "unknown". It runs where nothing has been said.
 */
#ifndef FAKES_FAKE_DOMAIN_H
#define FAKES_FAKE_DOMAIN_H

#include "xen/domain.h"

extern enum domain_state fake_domain_state;

#endif
