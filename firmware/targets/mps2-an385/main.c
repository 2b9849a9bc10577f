/* A gate reader on bare metal: the library, its ports on this board, and one loop. */
#include <mbedtls/memory_buffer_alloc.h>
#include <string.h>

#include "board.h"
#include "console.h"
#include "crypto_mbedtls.h"
#include "liftgate/offline.h"
#include "settings.h"

enum {
    /* The flash, in blocks: settings, policy in two slots of two, then the log. */
    POLICY_FIRST = 1,
    POLICY_BLOCKS = 4,
    LOG_FIRST = POLICY_FIRST + POLICY_BLOCKS,
    LOG_BLOCKS = FLASH_BYTES / FLASH_BLOCK - LOG_FIRST,
    CRYPTO_POOL = 1024, /* of mbed TLS: one HMAC takes some 300 bytes */
    ALONE_MS = 3000,
    HELLO_MS = 1000 /* what says nothing for so long after a HELLO is a line that is not connected yet */
};

typedef struct part {
    uint32_t from;
} part;

static lg_result part_read(void *context, uint32_t at, uint8_t *out, size_t n)
{
    return flash_read(((part *)context)->from + at, out, n) ? LG_OK : LG_FLASH_FAULT;
}

static lg_result part_program(void *context, uint32_t at, const uint8_t *data)
{
    return flash_program(((part *)context)->from + at, data, FLASH_PAGE) ? LG_OK : LG_FLASH_FAULT;
}

static lg_result part_erase(void *context, uint32_t block)
{
    return flash_erase(((part *)context)->from + block * FLASH_BLOCK) ? LG_OK : LG_FLASH_FAULT;
}

static lg_flash part_of_flash(part *place, uint32_t blocks)
{
    return (lg_flash){place, FLASH_PAGE, FLASH_BLOCK, blocks, part_read, part_program, part_erase};
}

static lg_result random_of_host(void *context, uint8_t *out, size_t n)
{
    (void)context;
    return host_random(out, n) ? LG_OK : LG_CRYPTO_FAULT;
}

/* All memory that there is. */
static unsigned char crypto_pool[CRYPTO_POOL];
static uint8_t rx[LG_RX_BYTES_MIN], tx[LG_TX_BYTES_MIN];
static part policy_part = {POLICY_FIRST * FLASH_BLOCK}, log_part = {LOG_FIRST * FLASH_BLOCK};
static settings told;
static lg_crypto crypto = {.random = random_of_host};
static lg_log event_log;
static lg_alone alone;
static lg_offline offline;
static lg_reader reader;
static console lane;

static void on_decision(void *context, const lg_decision *decision)
{
    (void)context;
    console_decision(&lane, decision);
}

static bool on_vend(void *context, uint8_t number, lg_text cause)
{
    (void)context;
    (void)number;
    (void)cause;
    console_say("vend", "");
    return true;
}

static bool on_set_lane(void *context, uint8_t number, uint8_t mode)
{
    (void)context;
    return lg_alone_set_mode(&alone, number, mode) == LG_OK;
}

static bool on_display(void *context, uint8_t number, lg_text text, uint32_t seconds)
{
    (void)context;
    (void)number;
    (void)text;
    (void)seconds;
    console_say("display", "");
    return true;
}

static void on_state(void *context, lg_state state, lg_text why)
{
    (void)context;
    (void)why;
    console_say("state", state == LG_ONLINE ? "online" : state == LG_OFFLINE ? "offline" : "between");
}

static const lg_lane_port lane_port = {NULL, on_decision, on_vend, on_set_lane, on_display, on_state};

static lg_result (*keep_policy)(void *context, lg_bytes body, const char **text);

/* What lg_alone does, said aloud. */
static lg_result on_policy(void *context, lg_bytes body, const char **text)
{
    lg_result result = keep_policy(context, body, text);

    console_say("policy", result == LG_OK ? "taken" : *text);
    return result;
}

static const char *start(uint64_t now_ms)
{
    lg_flash policy_flash = part_of_flash(&policy_part, POLICY_BLOCKS),
             log_flash = part_of_flash(&log_part, LOG_BLOCKS);
    lg_reader_config config = {
        .id = told.id, .software = "liftgate-an385", .rx = rx, .rx_bytes = sizeof rx, .tx = tx};

    mbedtls_memory_buffer_alloc_init(crypto_pool, sizeof crypto_pool);
    crypto_mbedtls(&crypto);
    if (!settings_load(&told))
        return "no settings in flash: see provision.py";
    if (lg_log_mount(&event_log, &log_flash, &crypto, NULL) != LG_OK)
        return "log";
    if (lg_alone_init(&alone, &crypto, &event_log, &policy_flash, told.lanes, told.lane_count) != LG_OK)
        return "policy";
    lg_alone_port(&alone, &offline);
    keep_policy = offline.policy;
    offline.policy = on_policy;
    config.key = (lg_bytes){told.key, told.key_bytes};
    config.tx_bytes = sizeof tx;
    config.alone_ms = ALONE_MS;
    config.backoff_ms_max = 2000; /* a test bench has no thousand neighbours */
    if (lg_reader_init(&reader, &config, &crypto, &lane_port, &offline, &event_log, now_ms) != LG_OK)
        return "reader";
    lg_reader_set_clock(&reader, (uint64_t)host_unix_s() * 1000, now_ms);
    return NULL;
}

/* A UART has no connections: QEMU makes and closes them behind it, and what is sent meanwhile is lost.
 * Whatever came before a HELLO is of an older connection. */
static void keep_connected(uint64_t now_ms)
{
    static uint64_t hello_ms;
    bool unheard = reader.state == LG_AWAIT_CHALLENGE && now_ms - hello_ms >= HELLO_MS;
    uint8_t stale;

    if (unheard || lg_reader_wants_close(&reader))
        lg_reader_disconnected(&reader, now_ms);
    if (!lg_reader_wants_connection(&reader, now_ms))
        return;
    while (uart_read(LINK, &stale, 1) == 1)
        continue;
    hello_ms = now_ms;
    lg_reader_connected(&reader, now_ms);
}

static void move_bytes(uint64_t now_ms)
{
    static uint8_t came[128];
    static size_t n, taken;
    const uint8_t *out;
    size_t length;

    if (taken == n) {
        taken = 0;
        n = uart_read(LINK, came, sizeof came);
    }
    taken += lg_reader_receive(&reader, came + taken, n - taken, now_ms);
    out = lg_reader_output(&reader, &length, now_ms);
    lg_reader_sent(&reader, uart_write(LINK, out, length));
}

int main(void)
{
    const char *trouble;

    clock_start();
    uart_start();
    trouble = start(clock_ms());
    if (trouble != NULL) {
        console_say("broken", trouble);
        host_exit();
    }
    console_start(&lane, &reader, told.lanes[0].number);
    console_say("ready", told.id);
    for (;;) {
        uint64_t now_ms = clock_ms();
        keep_connected(now_ms);
        move_bytes(now_ms);
        console_poll(&lane, now_ms);
        (void)lg_reader_tick(&reader,
                             now_ms); /* the clock wakes us every ms, which is sooner than it asks for */
        __asm__ volatile("wfi");
    }
}
