/* The board's PSRAM behind the rules of NOR flash. QEMU maps it from a file shared with the host, so what was
 * stored stays there however QEMU ends, down to the byte: kill -9 is a power cut at any instruction. */
#include "board.h"
#include "registers.h"

/* A common serial NOR flash: 256 bytes in 0.7 ms, a block of 4 KiB in 45 ms. Taken at that pace, cuts do
 * happen in the middle of a page and of a block. */
enum { PROGRAM_BYTE_US = 3, ERASE_STEP = 256, ERASE_STEP_US = 2800 };

bool flash_read(uint32_t at, void *out, size_t length)
{
    uint8_t *to = out;

    if (at > FLASH_BYTES || length > FLASH_BYTES - at)
        return false;
    while (length-- > 0)
        *to++ = FLASH_MAPPED[at++];
    return true;
}

bool flash_program(uint32_t at, const void *bytes, size_t length)
{
    const uint8_t *from = bytes;

    if (at % FLASH_PAGE != 0 || length % FLASH_PAGE != 0 || at > FLASH_BYTES || length > FLASH_BYTES - at)
        return false;
    while (length-- > 0) {
        FLASH_MAPPED[at] = FLASH_MAPPED[at] & *from++;
        at++;
        clock_wait_us(PROGRAM_BYTE_US);
    }
    return true;
}

bool flash_erase(uint32_t at)
{
    if (at % FLASH_BLOCK != 0 || at >= FLASH_BYTES)
        return false;
    for (uint32_t done = 0; done < FLASH_BLOCK; done++) {
        FLASH_MAPPED[at + done] = 0xFF;
        if ((done + 1) % ERASE_STEP == 0)
            clock_wait_us(ERASE_STEP_US);
    }
    return true;
}
