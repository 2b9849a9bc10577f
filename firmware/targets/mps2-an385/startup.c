/* From reset to main: stack, vectors, data, bss. */
#include <stdint.h>

#include "board.h"

extern uint32_t _stack_top[], _data_load[], _data[], _data_end[], _bss[], _bss_end[];

int main(void);
void reset_handler(void);
void systick_handler(void);
void uart0_rx_handler(void);
void uart1_rx_handler(void);

static void fault_handler(void)
{
    /* A reader that cannot go on goes off: what was logged is in flash, and a watchdog would reset real
     * hardware. */
    host_exit();
    for (;;)
        ;
}

/* Where abort() of the crypto libraries ends. */
void _exit(int code);

void _exit(int code)
{
    (void)code;
    fault_handler();
    for (;;)
        ;
}

typedef void (*vector)(void);

__attribute__((section(".vectors"), used)) static const vector vectors[16 + 4] = {
    (vector)(uintptr_t)_stack_top,
    reset_handler,
    fault_handler, /* NMI */
    fault_handler, /* hard fault; the finer ones escalate to it */
    fault_handler,
    fault_handler,
    fault_handler,
    [15] = systick_handler,
    [16] = uart0_rx_handler,
    [18] = uart1_rx_handler,
};

void reset_handler(void)
{
    const uint32_t *from = _data_load;

    for (uint32_t *to = _data; to < _data_end; to++)
        *to = *from++;
    for (uint32_t *to = _bss; to < _bss_end; to++)
        *to = 0;
    main();
    fault_handler();
}
