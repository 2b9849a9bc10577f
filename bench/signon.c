/* Sign-on: HELLO, CHALLENGE, AUTH, WELCOME; both sides prove that they know the key. */
#define _GNU_SOURCE
#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <sys/random.h>

#include "loadgen.h"

enum { LABEL_BYTES = 17, MAC_BYTES = 32 };

static void dialogue_mac(const struct connection *c, const char *label, uint8_t *mac)
{
    uint8_t text[LABEL_BYTES + sizeof c->hello + sizeof c->challenge], *p = text;
    memcpy(p, label, LABEL_BYTES);
    p += LABEL_BYTES;
    memcpy(p, c->hello, c->hello_bytes);
    p += c->hello_bytes;
    memcpy(p, c->challenge, c->challenge_bytes);
    HMAC(EVP_sha256(), opt.key, KEY_BYTES, text, (size_t)(p - text) + c->challenge_bytes, mac, NULL);
}

void say_hello(struct connection *c)
{
    uint8_t frame[256], *body = frame + HEADER_BYTES, *p = body, nonce[16];
    char id[24];
    if (getrandom(nonce, sizeof nonce, 0) != sizeof nonce)
        fail("getrandom: %s", strerror(errno));
    c->boot = 1 + (uint64_t)c->index; /* a reader with a lasting log: its numbering goes on from run to run */
    snprintf(id, sizeof id, "bench-%05u", c->index);
    *p++ = 0x97, *p++ = 1;
    p = put_uint(put_str(p, id), c->boot);
    *p++ = 0x91, *p++ = 1;
    p = put_bin(p, nonce, sizeof nonce);
    p = put_uint(put_str(p, "liftgate loadgen"), FRAME_BYTES_MAX - HEADER_BYTES);
    c->hello_bytes = (uint32_t)(p - body);
    memcpy(c->hello, body, c->hello_bytes);
    send_bytes(c, frame, seal_frame(frame, HELLO, 1, c->hello_bytes));
    c->state = HELLO_SENT;
}

void on_challenge(struct connection *c, const uint8_t *frame, size_t body_bytes)
{
    uint8_t mac[MAC_BYTES], auth[HEADER_BYTES + 3 + MAC_BYTES];
    if (c->state != HELLO_SENT || body_bytes > sizeof c->challenge)
        fail("CHALLENGE out of place on connection %u", c->index);
    memcpy(c->challenge, frame + HEADER_BYTES, body_bytes);
    c->challenge_bytes = (uint32_t)body_bytes;
    dialogue_mac(c, "liftgate-1 client", mac);
    auth[HEADER_BYTES] = 0x91;
    put_bin(auth + HEADER_BYTES + 1, mac, sizeof mac);
    send_bytes(c, auth, seal_frame(auth, AUTH, 2, 3 + sizeof mac));
    c->state = AUTH_SENT;
}

void become_ready(struct connection *c)
{
    c->state = READY;
    run.progress_ns = now_ns();
    run.opening--;
    run.opened++;
}

void on_welcome(struct connection *c, const uint8_t *body, size_t body_bytes)
{
    uint8_t mac[MAC_BYTES];
    uint64_t done_to = 0, in_flight_max = 0;
    dialogue_mac(c, "liftgate-1 engine", mac);
    if (c->state != AUTH_SENT || body_bytes < 36 || body[1] != 0xC4 || body[2] != MAC_BYTES ||
        CRYPTO_memcmp(body + 3, mac, MAC_BYTES))
        fail("WELCOME out of place or with a wrong MAC on connection %u", c->index);
    const uint8_t *end = body + body_bytes, *p = take_uint(body + 35, end, &done_to);
    if (!p || p >= end || *p != 0x90 || !take_uint(p + 1, end, &in_flight_max))
        fail("WELCOME on connection %u: no gaps were left, and it needs in_flight_max", c->index);
    c->next_no = done_to;
    if (in_flight_max < (uint64_t)opt.in_flight && c->slots)
        fail("the engine takes %llu in flight, %d wanted", (unsigned long long)in_flight_max, opt.in_flight);
    become_ready(c);
}
