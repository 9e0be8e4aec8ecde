/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A card written down, and one that goes on from there. */
#include "card/card_private.h"
#include "card/checkpoint.h"
#include "card/snapshot.h"
#include "hw/es1370_state.h"

/* The sections of a saved card. */
static const char chip_section[] = "chip";
static const char time_section[] = "time";   /* the clock, and how long ago it was used for what */
static const char volume_section[] = "volu"; /* where each voice's volume is on its way */
static const char *const ring_section[PLAYBACK_CHANNELS] = {
    "dac1", "dac2"}; /* what the voice has played, and the host not yet */

enum { RING_FRAME_BYTES = 4 };

static uint64_t age(uint64_t now_ns, uint64_t then_ns)
{
    return now_ns > then_ns ? now_ns - then_ns : 0;
}

/* 16-bit stereo, as the stream has it. The host goes on taking frames meanwhile. */
static void save_ring(struct snapshot_writer *w, const struct stream *stream)
{
    uint32_t frames = rt_stream_unplayed(stream, NULL, UINT32_MAX);
    void *to = snapshot_room(w, (size_t)frames * RING_FRAME_BYTES);

    if (to) {
        uint32_t left = rt_stream_unplayed(stream, to, frames);

        snapshot_give_back(w, (size_t)(frames - left) * RING_FRAME_BYTES);
    }
}

/* The card as it was left by rt_card_advance; rings: with what waits for the host. */
static size_t rt_write(const struct card *card, bool rings, void *buffer, size_t size)
{
    uint64_t now_ns = card->paused ? card->paused_ns : card->advanced_ns;
    size_t chip_bytes = card->chip_bytes;
    struct snapshot_writer w;
    void *room;

    snapshot_begin(&w, buffer, size);
    snapshot_section(&w, chip_section);
    room = snapshot_room(&w, chip_bytes);
    es1370_save(&card->chip, room, room ? chip_bytes : 0);

    snapshot_section(&w, time_section);
    snapshot_put(&w, (uint32_t)card->clock.ppb, 4);
    snapshot_put(&w, sample_clock_fraction(&card->clock, now_ns), 8);
    snapshot_put(&w, age(now_ns, card->corrected_ns), 8);
    snapshot_put(&w, age(now_ns, card->interrupted_ns), 8);

    snapshot_section(&w, volume_section);
    for (unsigned i = 0; i < PLAYBACK_CHANNELS; i++) {
        const struct volume *v = &card->voices[i].volume;

        snapshot_put(&w, v->changed, 1);
        snapshot_put(&w, v->ramp_left, 4);
        snapshot_put(&w, (uint64_t)v->side[0].gain, 8);
        snapshot_put(&w, (uint64_t)v->side[1].gain, 8);
    }

    for (unsigned i = 0; i < PLAYBACK_CHANNELS; i++) {
        snapshot_section(&w, ring_section[i]);
        if (rings) {
            save_ring(&w, card->voices[i].stream);
        }
    }
    return snapshot_end(&w);
}

size_t card_save(struct card *card, uint64_t now_ns, void *buffer, size_t size)
{
    rt_card_advance(card, now_ns);
    return rt_write(card, true, buffer, size);
}

void rt_card_keep_after(struct card *card, const struct guest_answer *answer)
{
    struct checkpoint *c = card->checkpoint;

    if (c) {
        size_t size = rt_write(card, false, rt_checkpoint_room(c), CHECKPOINT_BYTES);

        rt_checkpoint_commit(c, size, answer);
    }
}

/* What of a saved card is not the chip's. */
struct surroundings {
    struct sample_clock clock;
    uint64_t corrected_ns, interrupted_ns;
    struct volume volumes[PLAYBACK_CHANNELS]; /* but for the targets: the mixer has them */
};

static bool load_surroundings(struct surroundings *s, uint64_t now_ns,
                              struct snapshot_section *time, struct snapshot_section *volumes)
{
    int32_t ppb = (int32_t)snapshot_get(time, 4);
    uint64_t fraction = snapshot_get(time, 8);
    bool good = sample_clock_resume(&s->clock, ES1370_HZ, now_ns, ppb, fraction);

    s->corrected_ns = age(now_ns, snapshot_get(time, 8));
    s->interrupted_ns = age(now_ns, snapshot_get(time, 8));
    for (unsigned i = 0; i < PLAYBACK_CHANNELS; i++) {
        bool changed = snapshot_get(volumes, 1) != 0;
        uint32_t ramp_left = (uint32_t)snapshot_get(volumes, 4);
        uint64_t left = snapshot_get(volumes, 8);
        uint64_t right = snapshot_get(volumes, 8);

        good &= volume_resume(&s->volumes[i], changed, ramp_left, left, right);
    }
    return good && !time->exhausted && time->size == 0 && !volumes->exhausted && volumes->size == 0;
}

/* The streams have been started anew: what waited for the host comes first. Where they wait for the
 * card to go on, it is a run of its own, and played as that of any card that is paused. */
static void load_ring(struct card *card, enum es1370_channel voice,
                      const struct snapshot_section *ring)
{
    uint32_t frames = (uint32_t)(ring->size / RING_FRAME_BYTES);

    if (!(card->running & 1u << voice) || frames == 0) {
        return;
    }
    if (card->paused) {
        rt_card_open_host(card, voice);
    }
    rt_stream_write(card->voices[voice].stream, ring->bytes, frames);
    if (card->paused) {
        rt_card_close_host(card, voice);
    }
}

bool card_load(struct card *card, uint64_t now_ns, const void *buffer, size_t size, struct err *err)
{
    struct surroundings surroundings = {.corrected_ns = 0};
    struct snapshot_section chip, time, volumes, rings[PLAYBACK_CHANNELS];
    struct snapshot snapshot;
    const char *why;
    bool whole;

    if (!snapshot_open(&snapshot, buffer, size, err)) {
        return false;
    }
    whole = snapshot_find(&snapshot, chip_section, &chip) &&
            snapshot_find(&snapshot, time_section, &time) &&
            snapshot_find(&snapshot, volume_section, &volumes) &&
            load_surroundings(&surroundings, now_ns, &time, &volumes);
    for (unsigned i = 0; i < PLAYBACK_CHANNELS; i++) {
        whole = whole && snapshot_find(&snapshot, ring_section[i], &rings[i]) &&
                rings[i].size % RING_FRAME_BYTES == 0;
    }
    if (!whole) {
        return err_set(err, "the saved sound card is incomplete or not one of this program's: "
                            "boot the guest anew");
    }
    why = es1370_load(&card->chip, chip.bytes, chip.size);
    if (why) {
        return err_set(err, "%s, or boot the guest anew", why);
    }
    card->clock = surroundings.clock;
    card->chip_ticks = 0;
    card->advanced_ns = now_ns;
    card->corrected_ns = surroundings.corrected_ns;
    card->interrupted_ns = surroundings.interrupted_ns;
    card->unheard_ns = now_ns;
    card->paused_ns = now_ns;
    for (unsigned i = 0; i < PLAYBACK_CHANNELS; i++) {
        struct volume *v = &card->voices[i].volume;

        for (unsigned side = 0; side < 2; side++) {
            surroundings.volumes[i].side[side].target = v->side[side].target;
        }
        *v = surroundings.volumes[i];
        load_ring(card, i, &rings[i]);
    }
    return true;
}
