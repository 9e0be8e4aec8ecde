/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the parts of the card know of each other: card.c runs it, saved_card.c saves and loads it.
 */
#ifndef CARD_CARD_PRIVATE_H
#define CARD_CARD_PRIVATE_H

#include "audio/meter.h"
#include "audio/stream.h"
#include "audio/volume.h"
#include "card/card.h"
#include "card/recording.h"
#include "card/sample_clock.h"
#include "card/status_page.h"
#include "hw/es1370.h"
#include "xen/guest.h"

#define PLAYBACK_CHANNELS 2u /* ES1370_DAC1, ES1370_DAC2 */

struct card {
    struct es1370 chip;
    size_t chip_bytes; /* that its saved state takes */
    struct sample_clock clock;
    uint64_t chip_ticks;  /* of clock, up to which the chip has been advanced */
    uint64_t advanced_ns; /* when that was */
    uint64_t corrected_ns;
    uint64_t interrupted_ns; /* when a period last ended */
    uint64_t fetch_ns;       /* while a channel runs frames go to and from the host this often */
    uint64_t unheard_ns;     /* the guest has asked for nothing, while an interrupt waited, since */
    unsigned running;        /* channels, a bit each */

    bool paused;        /* it stands still, its streams stopped, */
    uint64_t paused_ns; /* as it was then */

    struct {
        struct stream *stream;
        struct volume volume;
        struct meter meter;
        struct pcm_format format; /* the guest's; to the stream it is 16-bit stereo */
    } voices[PLAYBACK_CHANNELS];
    struct recording recording;
    struct status_page *page; /* what others see; never read here */
    struct midi_port *midi;   /* NULL: the host has none */

    struct checkpoint *checkpoint; /* NULL: nowhere */
    struct guest *guest;
    uint16_t first_port; /* of the I/O BAR where ports_mapped */
    bool ports_mapped;
};

/* Keeps the state, after that answer; NULL: after none. */
void rt_card_keep_after(struct card *card, const struct guest_answer *answer);

/* The host's end of a channel: the stream that a voice plays to, the source that is recorded. */
void rt_card_open_host(struct card *card, enum es1370_channel ch);
void rt_card_close_host(struct card *card, enum es1370_channel ch);

#endif
