#include "terminal.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

static bool pretty;

void terminal_begin(bool plain)
{
    pretty = !plain && isatty(STDOUT_FILENO);
}

void say(const char *format, ...)
{
    va_list rest;
    va_start(rest, format);
    if (pretty)
        fputs("\r\033[K", stdout); /* the prompt goes, and comes again below */
    vprintf(format, rest);
    fputc('\n', stdout);
    fflush(stdout);
    va_end(rest);
}

static const char *const raised[] = {
    "    \033[1;31m//\033[0m",
    "   \033[1;37m//\033[0m",
    "  \033[1;31m//\033[0m",
    " \033[1;37m//\033[0m                        \033[1;32mgo\033[0m",
};
static const char *const lowered[] = {
    "",
    "",
    "",
    " \033[1;31m===\033[1;37m===\033[1;31m===\033[1;37m===\033[1;31m===\033[1;37m===\033[1;31m===\033[0m|   "
    "\033[1;31mstop\033[0m",
};

void say_barrier(unsigned lane, bool up)
{
    say("barrier %u %s", lane, up ? "up" : "down");
    for (unsigned i = 0; pretty && i < 4; i++)
        printf("  %s\n", up ? raised[i] : lowered[i]);
    if (pretty)
        printf("  [#]\n  [#]  lane %u\n", lane);
    fflush(stdout);
}

void prompt(unsigned lane)
{
    if (pretty)
        printf("lane %u > ", lane);
    fflush(stdout);
}
