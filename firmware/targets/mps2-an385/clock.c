/* SysTick: one interrupt a millisecond. */
#include "board.h"
#include "registers.h"

static volatile uint64_t milliseconds;

void systick_handler(void);

void systick_handler(void)
{
    milliseconds++;
}

void clock_start(void)
{
    SYSTICK_RELOAD = TICKS_PER_MS - 1;
    SYSTICK_NOW = 0;
    SYSTICK_CONTROL = 7; /* core clock, interrupt, on */
}

uint64_t clock_ms(void)
{
    uint64_t now;

    __asm__ volatile("cpsid i" ::: "memory"); /* two words are no atom */
    now = milliseconds;
    __asm__ volatile("cpsie i" ::: "memory");
    return now;
}

void clock_wait_us(uint32_t us)
{
    uint32_t before = SYSTICK_NOW, gone = 0, wanted = us * TICKS_PER_US;

    while (gone < wanted) { /* it counts down, and around */
        uint32_t now = SYSTICK_NOW;
        gone += before >= now ? before - now : before + TICKS_PER_MS - now;
        before = now;
    }
}
