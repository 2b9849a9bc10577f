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
    lg_alone_port(&p->alone, &p->offline);
    return &p->offline;
}
