/* CMSDK UARTs: received by interrupt into a ring, sent by polling. */
#include "board.h"
#include "registers.h"

enum { UARTS = 2, RING = 512, BAUD = 921600 };

/* One writer (the interrupt) and one reader (main): each moves its own index only. A full ring turns the
 * interrupt off, so the byte stays in the UART and the sender is held back; uart_read turns it on again. */
static struct {
    volatile uint8_t bytes[RING];
    volatile uint16_t head, tail;
} rings[UARTS];

void uart0_rx_handler(void);
void uart1_rx_handler(void);

void uart_start(void)
{
    for (int i = 0; i < UARTS; i++) {
        UART(i)->divider = CORE_HZ / BAUD;
        UART(i)->control = UART_TX_ON | UART_RX_ON | UART_RX_INTERRUPT_ON;
    }
    NVIC_ENABLE = 1u << 0 | 1u << 2;
}

static void receive(int uart)
{
    uint16_t next = (uint16_t)((rings[uart].head + 1) % RING);

    UART(uart)->interrupt = UART_RX_INTERRUPT;
    if ((UART(uart)->state & UART_RX_FULL) == 0)
        return;
    if (next == rings[uart].tail) {
        UART(uart)->control = UART_TX_ON | UART_RX_ON;
        return;
    }
    rings[uart].bytes[rings[uart].head] = (uint8_t)UART(uart)->data;
    rings[uart].head = next;
}

void uart0_rx_handler(void)
{
    receive(LINK);
}

void uart1_rx_handler(void)
{
    receive(CONSOLE);
}

/* There is room again for the byte that found the ring full. Interrupts are off meanwhile, or the next byte
 * could be put before it; they are allowed again at the UART first, or it would be waited for in vain. */
static void take_held(int uart)
{
    __asm__ volatile("cpsid i" ::: "memory");
    UART(uart)->control = UART_TX_ON | UART_RX_ON | UART_RX_INTERRUPT_ON;
    rings[uart].bytes[rings[uart].head] = (uint8_t)UART(uart)->data;
    rings[uart].head = (uint16_t)((rings[uart].head + 1) % RING);
    __asm__ volatile("cpsie i" ::: "memory");
}

size_t uart_read(int uart, uint8_t *out, size_t size)
{
    size_t taken = 0;
    uint16_t tail = rings[uart].tail;

    while (taken < size && tail != rings[uart].head) {
        out[taken++] = rings[uart].bytes[tail];
        tail = (uint16_t)((tail + 1) % RING);
        rings[uart].tail = tail;
    }
    if ((UART(uart)->control & UART_RX_INTERRUPT_ON) == 0 && taken > 0)
        take_held(uart);
    return taken;
}

size_t uart_write(int uart, const uint8_t *bytes, size_t length)
{
    size_t given = 0;

    while (given < length && (UART(uart)->state & UART_TX_FULL) == 0)
        UART(uart)->data = bytes[given++];
    return given;
}
