/* What a person sees: plain lines, or a barrier where standard output is a terminal. */
#ifndef LIFTGATE_TERMINAL_H
#define LIFTGATE_TERMINAL_H

#include <stdbool.h>

/* plain: no colours and no drawing, also on a terminal. */
void terminal_begin(bool plain);
/* One line for one thing that happened; written out at once. */
void say(const char *format, ...);
/* The barrier of a lane went up or down: a line, and a picture. */
void say_barrier(unsigned lane, bool up);
void prompt(unsigned lane);

#endif
