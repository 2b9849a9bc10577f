/* Options from the command line and a small file, and the few things that every host program says the same
 * way. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "host.h"

void die(const char *format, ...)
{
    va_list rest;
    va_start(rest, format);
    vfprintf(stderr, format, rest);
    va_end(rest);
    fputc('\n', stderr);
    exit(1);
}

static void wrong(const char *what, const char *name)
{
    fprintf(stderr, "%s: %s (--help lists the options)\n", what, name);
    exit(2);
}

static size_t index_of(const options *o, const char *name)
{
    for (size_t i = 0; i < o->count; i++)
        if (strcmp(o->specs[i].name, name) == 0)
            return i;
    return SIZE_MAX;
}

static void set(options *o, const char *name, const char *value)
{
    size_t i = index_of(o, name);
    if (i == SIZE_MAX)
        wrong("no such option", name);
    if (strlen(value) >= OPTION_BYTES_MAX)
        wrong("value is too long", name);
    strcpy(o->values[i], value);
}

static void help(const options *o, const char *about)
{
    printf("%s\n\n", about);
    for (size_t i = 0; i < o->count; i++)
        printf("  --%-12s %s%s%s%s\n", o->specs[i].name, o->specs[i].help, *o->specs[i].initial ? " [" : "",
               o->specs[i].initial, *o->specs[i].initial ? "]" : "");
    exit(0);
}

static char *trimmed(char *text)
{
    while (*text == ' ' || *text == '\t')
        text++;
    size_t n = strlen(text);
    while (n > 0 && strchr(" \t\r\n", text[n - 1]))
        text[--n] = 0;
    return text;
}

static void read_file(options *o, const char *path)
{
    char line[2 * OPTION_BYTES_MAX];
    FILE *file = fopen(path, "r");
    if (!file)
        wrong("cannot be read", path);
    while (fgets(line, sizeof line, file)) {
        line[strcspn(line, "#")] = 0;
        char *equals = strchr(line, '=');
        if (!equals && *trimmed(line))
            wrong("no `name = value`", line);
        if (!equals)
            continue;
        *equals = 0;
        set(o, trimmed(line), trimmed(equals + 1));
    }
    fclose(file);
}

void options_read(options *o, const option_spec *specs, size_t count, int argc, char **argv,
                  const char *about)
{
    o->specs = specs;
    o->count = count;
    for (size_t i = 0; i < count; i++)
        strcpy(o->values[i], specs[i].initial);
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0)
            help(o, about);
        if (strncmp(argv[i], "--", 2) != 0 || index_of(o, argv[i] + 2) == SIZE_MAX)
            wrong("no such option", argv[i]);
        if (i + 1 == argc)
            wrong("needs a value", argv[i]);
        if (strcmp(argv[i], "--config") == 0)
            read_file(o, argv[i + 1]);
        set(o, argv[i] + 2, argv[i + 1]);
        i++;
    }
}

const char *option(const options *o, const char *name)
{
    return o->values[index_of(o, name)];
}

bool option_set(const options *o, const char *name)
{
    return *option(o, name) != 0;
}

uint32_t option_number(const options *o, const char *name)
{
    char *end = NULL;
    const char *text = option(o, name);
    unsigned long value = strtoul(text, &end, 10);
    if (*text == 0 || *end != 0 || *text == '-' || value > UINT32_MAX)
        wrong("not a number", name);
    return (uint32_t)value;
}

static int digit(char c)
{
    const char *digits = "0123456789abcdef";
    const char *found = c ? strchr(digits, c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c) : NULL;
    return found ? (int)(found - digits) : -1;
}

size_t from_hex(const char *hex, uint8_t *out, size_t room)
{
    size_t n = strlen(hex);
    if (n % 2 != 0 || n / 2 > room)
        return SIZE_MAX;
    for (size_t i = 0; i < n / 2; i++) {
        int high = digit(hex[2 * i]), low = digit(hex[2 * i + 1]);
        if (high < 0 || low < 0)
            return SIZE_MAX;
        out[i] = (uint8_t)(high << 4 | low);
    }
    return n / 2;
}

uint64_t host_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t host_now_ms(void)
{
    return host_now_ns() / 1000000u;
}

uint64_t host_clock_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u;
}
