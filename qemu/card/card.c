/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The only place that knows the device, the guest and the host's sound: it
 * carries frames from one to the other and keeps the device on time.
 */
#include "card/card.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audio/driver.h"
#include "audio/midi.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/realtime.h"
#include "card/card_private.h"
#include "card/checkpoint.h"
#include "hw/es1370_state.h"

/* Where each of them enters the mixer. */
static const enum ak4531_input voice_input[PLAYBACK_CHANNELS] = {AK4531_FM, AK4531_VOICE};

/* The chip plays pieces of at most so many frames: 256 bytes. */
enum { MAX_PIECE_FRAMES = 256 };

static const char *const voice_name[PLAYBACK_CHANNELS] = {"dac1", "dac2"};

/* Longer than this the card was not merely late but stopped (the process, or the whole host, was
 * suspended): the lost time is not caught up. */
#define MAX_CATCH_UP_TICKS (ES1370_HZ / 2)

/* Interrupts are at least this far apart, the time the chip needs for one burst of 32 bytes at
 * 44.1 kHz: it bounds what a guest that asks for an interrupt each frame can cost. */
#define MIN_INTERRUPT_NS (180 * NS_PER_US)

/* See patience(). */
#define MIN_PATIENCE_NS (2 * NS_PER_MS)
#define MAX_PATIENCE_NS (50 * NS_PER_MS)

/* How often the clock is corrected. */
#define CORRECTION_NS (50 * NS_PER_MS)

/* The chip's services. */

static bool chip_dma_read(void *opaque, uint64_t address, void *data, size_t len)
{
    struct card *card = opaque;

    return guest_read(card->guest, address, data, len);
}

static bool chip_dma_write(void *opaque, uint64_t address, const void *data, size_t len)
{
    struct card *card = opaque;

    return guest_write(card->guest, address, data, len);
}

static void chip_set_irq(void *opaque, bool asserted)
{
    struct card *card = opaque;

    guest_set_intx(card->guest, asserted);
}

/* What a voice sounds like once its volume has been applied. */
static struct pcm_format stream_format(const struct pcm_format *format)
{
    return (struct pcm_format){.rate = format->rate, .channels = 2, .bits = 16};
}

/* From the start of a channel: its format, and that it runs. */
static void rt_show_start(struct card *card, enum es1370_channel ch,
                          const struct pcm_format *format)
{
    struct stream_status *status = &card->page->streams[ch];

    status_set(&status->rate, format->rate);
    status_set(&status->channels, format->channels);
    status_set(&status->bits, format->bits);
    status_set(&status->running, 1);
}

void rt_card_open_host(struct card *card, enum es1370_channel ch)
{
    if (ch < PLAYBACK_CHANNELS) {
        struct pcm_format to = stream_format(&card->voices[ch].format);

        rt_stream_start(card->voices[ch].stream, &to);
    } else {
        rt_recording_open_source(&card->recording);
    }
}

void rt_card_close_host(struct card *card, enum es1370_channel ch)
{
    if (ch < PLAYBACK_CHANNELS) {
        rt_stream_stop(card->voices[ch].stream);
    } else {
        rt_recording_close_source(&card->recording);
    }
}

static void chip_prepare(void *opaque, enum es1370_channel ch, const struct pcm_format *format)
{
    struct card *card = opaque;

    if (ch < PLAYBACK_CHANNELS) {
        struct pcm_format to = stream_format(format);

        rt_stream_prepare(card->voices[ch].stream, &to);
    } else {
        rt_recording_prepare(&card->recording, format);
    }
}

static void chip_start(void *opaque, enum es1370_channel ch, const struct pcm_format *format)
{
    struct card *card = opaque;
    bool was_running = card->running & 1u << ch;

    card->running |= 1u << ch;
    rt_show_start(card, ch, format);
    if (ch < PLAYBACK_CHANNELS) {
        if (!was_running) {
            rt_volume_start(&card->voices[ch].volume);
        }
        card->voices[ch].format = *format;
        rt_loopback_play(&card->recording.voices[ch], format);
    } else {
        rt_recording_start(&card->recording, format);
    }
    if (!card->paused) {
        rt_card_open_host(card, ch);
    }
}

static void chip_stop(void *opaque, enum es1370_channel ch)
{
    struct card *card = opaque;

    card->running &= ~(1u << ch);
    status_set(&card->page->streams[ch].running, 0);
    if (ch < PLAYBACK_CHANNELS) {
        rt_loopback_pause(&card->recording.voices[ch]);
    } else {
        rt_recording_stop(&card->recording);
    }
    if (!card->paused) {
        rt_card_close_host(card, ch);
    }
}

static void chip_playback(void *opaque, enum es1370_channel ch, const void *data, uint32_t frames)
{
    struct card *card = opaque;
    int16_t louder[2 * MAX_PIECE_FRAMES];

    if (ch < PLAYBACK_CHANNELS) {
        rt_volume_apply(&card->voices[ch].volume, &card->voices[ch].format, data, frames, louder);
        rt_meter_show(&card->voices[ch].meter, louder, frames, card->voices[ch].format.rate,
                      card->page->streams[ch].level);
        rt_stream_write(card->voices[ch].stream, louder, frames);
        rt_loopback_put(&card->recording.voices[ch], data, frames);
    }
}

static void chip_mixer_changed(void *opaque)
{
    struct card *card = opaque;

    for (unsigned i = 0; i < PLAYBACK_CHANNELS; i++) {
        rt_volume_set(&card->voices[i].volume,
                      ak4531_output_gain(&card->chip.codec, voice_input[i], 0),
                      ak4531_output_gain(&card->chip.codec, voice_input[i], 1));
        rt_volume_show(&card->voices[i].volume, card->page->streams[i].gain);
    }
    rt_recording_mix(&card->recording, &card->chip.codec);
}

static void chip_capture(void *opaque, void *data, uint32_t frames)
{
    struct card *card = opaque;

    rt_recording_read(&card->recording, &card->chip, data, frames);
}

static void chip_midi_out(void *opaque, uint8_t byte)
{
    struct card *card = opaque;

    if (card->midi) {
        rt_midi_write(card->midi, byte);
    }
}

static bool chip_midi_in(void *opaque, uint8_t *byte)
{
    struct card *card = opaque;

    return card->midi && rt_midi_read(card->midi, byte);
}

static void chip_midi_listen(void *opaque, bool on)
{
    struct card *card = opaque;

    if (card->midi) {
        rt_midi_listen(card->midi, on);
    }
}

/* The I/O BAR has moved, or is no longer (or again) decoded. */
static void pci_bar_changed(void *opaque, unsigned index, const struct pci_bar *bar)
{
    struct card *card = opaque;

    (void)index;
    if (card->ports_mapped) {
        guest_unmap_ports(card->guest, card->first_port, ES1370_IO_BYTES);
        card->ports_mapped = false;
    }
    if (bar->mapped) {
        card->first_port = (uint16_t)bar->base;
        card->ports_mapped = guest_map_ports(card->guest, card->first_port, ES1370_IO_BYTES);
    }
}

/* What the guest asks, by way of rt_card_serve. */

/* Before each answer the card is brought to the present. One that stands still goes on first: a
 * guest that asks is running, whatever the toolstack, or what was seen of the domain, has said. */
static void rt_attend(struct card *card)
{
    uint64_t now_ns = clock_now_ns();

    rt_card_resume(card, now_ns);
    rt_card_advance(card, now_ns);
    card->unheard_ns = now_ns;
}

static uint32_t config_read(void *opaque, unsigned offset, unsigned bytes)
{
    struct card *card = opaque;
    RT_PATH();

    rt_attend(card);
    return pci_config_read(&card->chip.pci, offset, bytes);
}

static void config_write(void *opaque, unsigned offset, unsigned bytes, uint32_t value)
{
    struct card *card = opaque;
    RT_PATH();

    rt_attend(card);
    pci_config_write(&card->chip.pci, offset, bytes, value);
}

static uint32_t port_read(void *opaque, uint16_t port, unsigned bytes)
{
    struct card *card = opaque;
    RT_PATH();

    rt_attend(card);
    return es1370_read(&card->chip, (uint16_t)(port - card->first_port), bytes);
}

static void port_write(void *opaque, uint16_t port, unsigned bytes, uint32_t value)
{
    struct card *card = opaque;
    RT_PATH();

    rt_attend(card);
    es1370_write(&card->chip, (uint16_t)(port - card->first_port), bytes, value);
}

static void request_begun(void *opaque)
{
    struct card *card = opaque;

    if (card->checkpoint) {
        rt_checkpoint_begin(card->checkpoint);
    }
}

static void request_done(void *opaque, const struct guest_answer *answer)
{
    rt_card_keep_after(opaque, answer);
}

/* The shorter of what playing and recording ask for. */
static uint64_t fetch_interval(const struct audio_settings *settings)
{
    uint64_t out = audio_chunk_ns(settings), in = settings->in_latency_us * NS_PER_US / 5;

    in = in > NS_PER_MS / 2 ? in : NS_PER_MS / 2;
    return in < out ? in : out;
}

struct card *card_create(const struct audio_settings *settings, struct status_page *page,
                         uint64_t now_ns, struct err *err)
{
    struct card *card = calloc(1, sizeof(*card));
    const struct es1370_host host = {
        .opaque = card,
        .dma_read = chip_dma_read,
        .dma_write = chip_dma_write,
        .set_irq = chip_set_irq,
        .prepare = chip_prepare,
        .start = chip_start,
        .stop = chip_stop,
        .playback = chip_playback,
        .capture = chip_capture,
        .mixer_changed = chip_mixer_changed,
        .midi_out = chip_midi_out,
        .midi_in = chip_midi_in,
        .midi_listen = chip_midi_listen,
    };

    if (!card) {
        err_set(err, "no memory for a sound card");
        return NULL;
    }
    card->page = page;
    status_set(&page->card_pid, getpid());
    for (unsigned i = 0; i < PLAYBACK_CHANNELS; i++) {
        card->voices[i].stream = stream_open(settings, voice_name[i], &page->streams[i], err);
        if (!card->voices[i].stream) {
            card_destroy(card);
            return NULL;
        }
    }
    if (!recording_open(&card->recording, settings, &page->streams[ES1370_ADC], err)) {
        card_destroy(card);
        return NULL;
    }
    es1370_init(&card->chip, &host);
    card->chip_bytes = es1370_save(&card->chip, NULL, 0);
    card->chip.pci.opaque = card;
    card->chip.pci.bar_changed = pci_bar_changed;
    sample_clock_start(&card->clock, ES1370_HZ, now_ns);
    card->fetch_ns = fetch_interval(settings);
    card->advanced_ns = now_ns;
    card->corrected_ns = now_ns;
    return card;
}

/* People connect the port when they like, so it is there from the start. A guest without MIDI is
 * the rule, and a host without no fault. */
static void open_midi(struct card *card, uint16_t domid)
{
    char name[32];
    struct err err;

    if (!midi_driver) {
        return;
    }
    snprintf(name, sizeof(name), "qemu-dm %u", domid);
    card->midi = midi_port_open(midi_driver, name, &err);
    if (!card->midi) {
        log_info("no MIDI: %s", err.text);
    }
}

static struct guest_device device_of(struct card *card)
{
    return (struct guest_device){
        .opaque = card,
        .config_read = config_read,
        .config_write = config_write,
        .port_read = port_read,
        .port_write = port_write,
        .begun = request_begun,
        .done = request_done,
    };
}

bool card_plug(struct card *card, uint16_t domid, uint8_t slot, struct err *err)
{
    const struct guest_device device = device_of(card);

    open_midi(card, domid);
    card->guest = guest_open(domid, slot, &device, err);
    return card->guest != NULL;
}

void card_keep_in(struct card *card, struct checkpoint *checkpoint)
{
    card->checkpoint = checkpoint;
}

bool card_take_over(struct card *card, uint16_t domid, uint8_t slot, uint16_t server_id,
                    uint64_t now_ns, struct err *err)
{
    const struct guest_device device = device_of(card);
    uint8_t state[CHECKPOINT_BYTES];
    struct guest_answer last;
    size_t size = checkpoint_read(card->checkpoint, state, &last);

    open_midi(card, domid);
    card->guest = guest_take_over(domid, slot, server_id, &device, &last, err);
    /* One that died before it was ever asked has left no state, and is as at power on. */
    if (!card->guest || (size > 0 && !card_load(card, now_ns, state, size, err))) {
        return false;
    }
    /* The dead card may have changed the line after it kept its state. */
    guest_set_intx(card->guest, card->chip.irq);
    return true;
}

struct guest *card_guest(struct card *card)
{
    return card->guest;
}

int card_event_fd(const struct card *card)
{
    return card->midi ? midi_port_fd(card->midi) : -1;
}

void card_destroy(struct card *card)
{
    if (!card) {
        return;
    }
    /* The guest first: a domain that is being destroyed waits for its last mapping to go. */
    guest_close(card->guest);
    for (unsigned i = 0; i < PLAYBACK_CHANNELS; i++) {
        if (card->voices[i].stream) {
            stream_close(card->voices[i].stream);
        }
    }
    recording_close(&card->recording);
    if (card->midi) {
        midi_port_close(card->midi);
    }
    free(card);
}

/* The host's sink sets the pace: of the stream that plays, DAC2 (the one guests use) first. Its
 * source does where none plays. */
static void rt_correct_clock(struct card *card, uint64_t now_ns)
{
    struct capture *capture = card->recording.capture;
    unsigned i = PLAYBACK_CHANNELS;

    if (now_ns - card->corrected_ns < CORRECTION_NS) {
        return;
    }
    card->corrected_ns = now_ns;
    while (i > 0 && !(card->running & 1u << (i - 1))) {
        i--;
    }
    if (card->running & 1u << ES1370_ADC) {
        rt_capture_follow(capture, i == 0);
    }
    if (i > 0) {
        sample_clock_set_ppm(&card->clock, now_ns, rt_stream_clock_ppm(card->voices[i - 1].stream));
    } else if (card->running) {
        sample_clock_set_ppm(&card->clock, now_ns, rt_capture_clock_ppm(capture));
    }
}

static void rt_show_late_guest(struct card *card)
{
    for (enum es1370_channel ch = 0; ch < ES1370_CHANNELS; ch++) {
        status_set(&card->page->streams[ch].interrupts_late, card->chip.channel[ch].late);
        status_set(&card->page->streams[ch].interrupts_merged, card->chip.channel[ch].merged);
    }
}

uint64_t rt_card_advance(struct card *card, uint64_t now_ns)
{
    uint64_t ticks = sample_clock_ticks(&card->clock, now_ns);
    uint64_t elapsed = ticks - card->chip_ticks;
    uint64_t wake = UINT64_MAX, event, midi;
    RT_PATH();

    if (card->paused) {
        return UINT64_MAX;
    }
    if (!card->chip.irq) {
        card->unheard_ns = now_ns;
    }
    event = es1370_next_event(&card->chip);
    if (elapsed >= event) {
        uint64_t due = sample_clock_when(&card->clock, card->chip_ticks + event);

        rt_recent_add(&card->page->interrupts_late_us, (now_ns - due) / NS_PER_US);
        card->interrupted_ns = now_ns;
    }
    card->chip_ticks = ticks;
    card->advanced_ns = now_ns;
    es1370_advance(&card->chip, elapsed < MAX_CATCH_UP_TICKS ? elapsed : MAX_CATCH_UP_TICKS);
    rt_show_late_guest(card);
    rt_correct_clock(card, now_ns);

    if (card->running) {
        wake = now_ns + card->fetch_ns;
    }
    midi = es1370_midi_due(&card->chip);
    if (midi != UINT64_MAX) {
        uint64_t due = sample_clock_when(&card->clock, ticks + midi);

        wake = due < wake ? due : wake;
    }
    event = es1370_next_event(&card->chip);
    if (event != UINT64_MAX) {
        uint64_t due = sample_clock_when(&card->clock, ticks + event);

        if (due < card->interrupted_ns + MIN_INTERRUPT_NS) {
            due = card->interrupted_ns + MIN_INTERRUPT_NS;
        }
        /* An interrupt fetches too: one that is due soon after the next fetch replaces it. */
        wake = due < wake || due - wake < card->fetch_ns / 2 ? due : wake;
    }
    return wake;
}

void rt_card_pause(struct card *card, uint64_t now_ns)
{
    RT_PATH();

    if (card->paused) {
        return;
    }
    rt_card_advance(card, now_ns);
    card->paused = true;
    card->paused_ns = now_ns;
    status_set(&card->page->paused, 1);
    for (enum es1370_channel ch = 0; ch < ES1370_CHANNELS; ch++) {
        if (card->running & 1u << ch) {
            rt_card_close_host(card, ch);
        }
    }
}

void rt_card_resume(struct card *card, uint64_t now_ns)
{
    uint64_t still_ns = now_ns - card->paused_ns;
    RT_PATH();

    if (!card->paused) {
        return;
    }
    card->paused = false;
    status_set(&card->page->paused, 0);
    /* All of the card's times move on by the time that it stood still. */
    sample_clock_delay(&card->clock, still_ns);
    card->corrected_ns += still_ns;
    card->interrupted_ns += still_ns;
    card->unheard_ns = now_ns;
    for (enum es1370_channel ch = 0; ch < ES1370_CHANNELS; ch++) {
        if (card->running & 1u << ch) {
            rt_card_open_host(card, ch);
        }
    }
}

/*
 * Half of the shortest period whose end the guest has not acknowledged. A guest keeps at least two
 * periods in its buffer, so that the next one is sound that it has meant to play, and only after it
 * comes what has been heard before: the other half is left for the question and its answer. But
 * never so short that a guest on a busy host is doubted at each interrupt, nor longer than a sound
 * that goes on after a pause passes for one that ends with it.
 */
static uint64_t patience(const struct card *card)
{
    uint64_t ns = MAX_PATIENCE_NS;

    for (enum es1370_channel ch = 0; ch < ES1370_CHANNELS; ch++) {
        const struct es1370_dma *d = &card->chip.channel[ch];

        if (d->pending) {
            uint64_t ticks = (d->sample_count + UINT64_C(1)) * es1370_frame_time(&card->chip, ch);
            uint64_t half = ticks * (NS_PER_S / 2) / ES1370_HZ;

            ns = half < ns ? half : ns;
        }
    }
    return ns > MIN_PATIENCE_NS ? ns : MIN_PATIENCE_NS;
}

uint64_t rt_card_unheard(const struct card *card, uint64_t *patience_ns)
{
    if (card->paused || !card->running || !card->chip.irq) {
        return UINT64_MAX;
    }
    *patience_ns = patience(card);
    return card->unheard_ns;
}

void rt_card_serve(struct card *card)
{
    RT_PATH();

    guest_serve(card->guest);
}

void rt_card_keep(struct card *card)
{
    RT_PATH();

    rt_card_keep_after(card, NULL);
}
