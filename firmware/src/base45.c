#include "liftgate/base45.h"

#include <string.h>

static int value_of(uint8_t character)
{
    /* The alphabet's order is the value. 45 steps at worst, for 500 characters once a ticket: a table of 256
     * bytes would cost more code than it saves time. */
    static const char alphabet[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";
    const char *found = character == 0 ? NULL : strchr(alphabet, character);

    return found == NULL ? -1 : (int)(found - alphabet);
}

/* The number that two or three characters stand for, or -1. */
static int32_t group(const uint8_t *text, size_t length)
{
    int32_t number = 0;

    for (size_t i = length; i-- > 0;) {
        int value = value_of(text[i]);
        if (value < 0)
            return -1;
        number = number * 45 + value;
    }
    return number;
}

int lg_base45_decode(const uint8_t *text, size_t length, uint8_t *out, size_t size)
{
    size_t used = 0;

    if (length % 3 == 1)
        return -1;
    for (size_t at = 0; at < length; at += 3) {
        size_t characters = length - at < 3 ? 2 : 3;
        int32_t number = group(text + at, characters);
        if (number < 0 || number > (characters == 3 ? 0xFFFF : 0xFF) || size - used < characters - 1)
            return -1;
        if (characters == 3)
            out[used++] = (uint8_t)(number >> 8);
        out[used++] = (uint8_t)number;
    }
    return (int)used;
}
