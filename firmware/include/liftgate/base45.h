/* Base45 (RFC 9285): the text of dense QR codes. */
#ifndef LIFTGATE_BASE45_H
#define LIFTGATE_BASE45_H

#include <stddef.h>
#include <stdint.h>

/* Decode `length` characters into `out`, which holds `size` bytes; `out` may not overlap `text`.
 * Returns the number of bytes, or -1: a character that is not base45, a group above 65535 (255 for the last
 * two), a length that no encoder makes, or `out` too small. */
int lg_base45_decode(const uint8_t *text, size_t length, uint8_t *out, size_t size);

#endif
