/* What this board has: two UARTs, a millisecond clock, flash, and its host (QEMU) for what real hardware
 * would have. */
#ifndef BOARD_H
#define BOARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LINK = 0, CONSOLE = 1 }; /* UART0 goes to the engine, UART1 to whoever scans */

void uart_start(void);
/* Take what has come, at most `size` bytes; never waits. */
size_t uart_read(int uart, uint8_t *out, size_t size);
/* Give what fits now, and say how much that was; never waits. */
size_t uart_write(int uart, const uint8_t *bytes, size_t length);

void clock_start(void);
uint64_t clock_ms(void);         /* since power came */
void clock_wait_us(uint32_t us); /* busy */

/* NOR flash, mapped into memory: program only clears bits, erase sets a block's. Both take their time, as
 * real ones do. */
enum { FLASH_BYTES = 256 * 1024, FLASH_BLOCK = 4096, FLASH_PAGE = 16 };
bool flash_read(uint32_t at, void *out, size_t length);
bool flash_program(uint32_t at, const void *bytes, size_t length);
bool flash_erase(uint32_t at);

/* Of the host, by semihosting. */
bool host_random(void *out, size_t length);
uint32_t host_unix_s(void);
void host_exit(void);

#endif
