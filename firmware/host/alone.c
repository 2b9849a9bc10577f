/* Decisions alone in liftgate-reader: its policy lies in a flash file beside that of the log. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "program.h"

enum { POLICY_BLOCKS = 4 };

/* `0:entry,1:exit` */
static size_t read_lanes(const char *text, lg_alone_lane *lanes)
{
    static const char *const names[] = {"", "entry", "exit", "both"};
    size_t count = 0;
    while (*text != 0) {
        char *colon;
        unsigned long number = strtoul(text, &colon, 10);
        size_t n = *colon == ':' ? strcspn(colon + 1, ",") : 0;
        uint8_t direction = LG_BOTH;
        while (direction > 0 &&
               (strlen(names[direction]) != n || strncmp(names[direction], colon + 1, n) != 0))
            direction--;
        if (colon == text || number > 255 || direction == 0 || count == LG_LANES_MAX)
            die("--lanes: at most %d of NUMBER:entry, exit or both, with commas between", LG_LANES_MAX);
        lanes[count].number = (uint8_t)number;
        lanes[count++].direction = direction;
        text = colon + 1 + n;
        text += *text == ',';
    }
    return count;
}

/* What lg_alone does, said aloud. */
static lg_result on_policy(void *context, lg_bytes body, const char **text)
{
    program *p = context;
    lg_result result = p->keep.policy(p->keep.context, body, text);
    say("policy %s", result == LG_OK ? "taken" : *text);
    return result;
}

static void on_scan(void *context, const lg_alone_scan *scan, lg_alone_answer *answer)
{
    program *p = context;
    p->keep.decide(p->keep.context, scan, answer);
}

static void on_connected(void *context, uint64_t at_ms)
{
    program *p = context;
    p->keep.connected(p->keep.context, at_ms);
}

const lg_offline *begin_alone(program *p, const options *o)
{
    char path[OPTION_BYTES_MAX + 8];
    lg_alone_lane lanes[LG_LANES_MAX];
    size_t count = read_lanes(option(o, "lanes"), lanes);
    if (count == 0)
        return NULL;
    for (size_t i = 0; i < count; i++)
        p->lanes[lanes[i].number].here = true;
    snprintf(path, sizeof path, "%s.policy", option(o, "flash"));
    lg_result result =
        flash_file_open(&p->policy_flash, path, POLICY_BLOCKS, strcmp(option(o, "sync"), "yes") == 0);
    if (result == LG_OK)
        result = lg_alone_init(&p->alone, host_crypto(), &p->log, &p->policy_flash.port, lanes, count);
    if (result != LG_OK)
        die("%s: no policy can be kept there", path);
    lg_alone_port(&p->alone, &p->keep);
    lg_offline told = {p, on_policy, on_scan, on_connected};
    p->offline = told;
    return &p->offline;
}
