/* The lane's side of the image: what a person at the barrier does comes in as lines, what the barrier does
 * goes out.
 *
 *   card 04A1B2    ticket LG1:…    plate B-AB 123    tag 2 …hex…    pass    status
 *
 * The first lane of the settings is meant; another one by `lane 2` before. One line of output each:
 *
 *   scan NO | refused WHY                    (recorded in flash, or not)
 *   decision NO open|refuse|pay REASON engine|alone TEXT
 *   passage NO    state STATE WHY    status …
 */
#ifndef CONSOLE_H
#define CONSOLE_H

#include "liftgate/reader.h"

typedef struct console {
    lg_reader *reader;
    uint8_t lane;
    bool has_session;
    uint8_t session[16];
    char line[640];
    size_t n;
} console;

void console_start(console *to, lg_reader *reader, uint8_t lane);
/* Take what came on the UART; act on each whole line. */
void console_poll(console *to, uint64_t now_ms);
void console_decision(console *to, const lg_decision *decision);
void console_say(const char *word, const char *more);

#endif
