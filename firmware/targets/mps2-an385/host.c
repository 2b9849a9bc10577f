/* Semihosting (Arm's "Semihosting for AArch32 and AArch64"): what QEMU's board lacks is asked of the machine
 * that QEMU runs on. A true random number generator, for one: here it is the host's /dev/urandom. On your own
 * board this is the file to replace: its TRNG, its battery-backed clock. */
#include "board.h"

enum {
    SYS_OPEN = 1,
    SYS_CLOSE = 2,
    SYS_READ = 6,
    SYS_TIME = 0x11,
    SYS_EXIT = 0x18,
    MODE_RB = 1,
    EXITED = 0x20026
};

static int32_t call(int32_t operation, uintptr_t argument)
{
    register int32_t r0 __asm__("r0") = operation;
    register uintptr_t r1 __asm__("r1") = argument;

    __asm__ volatile("bkpt 0xAB" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
}

bool host_random(void *out, size_t length)
{
    static const char path[] = "/dev/urandom";
    uintptr_t open[3] = {(uintptr_t)path, MODE_RB, sizeof path - 1};
    int32_t file = call(SYS_OPEN, (uintptr_t)open);
    uintptr_t read[3] = {(uintptr_t)file, (uintptr_t)out, length};
    int32_t missing;

    if (file < 0)
        return false;
    missing = call(SYS_READ, (uintptr_t)read);
    call(SYS_CLOSE, (uintptr_t)read); /* its first word is the file, as SYS_CLOSE wants it */
    return missing == 0;
}

uint32_t host_unix_s(void)
{
    return (uint32_t)call(SYS_TIME, 0);
}

void host_exit(void)
{
    call(SYS_EXIT, EXITED);
}
