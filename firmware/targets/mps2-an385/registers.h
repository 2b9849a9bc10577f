/* Registers: CMSDK UART (Arm DDI 0479), SysTick and NVIC (Armv7-M ARM). */
#ifndef REGISTERS_H
#define REGISTERS_H

#include <stdint.h>

typedef struct {
    volatile uint32_t data, state, control, interrupt, divider;
} cmsdk_uart;

enum {
    UART_TX_FULL = 1,
    UART_RX_FULL = 2,
    UART_TX_ON = 1,
    UART_RX_ON = 2,
    UART_RX_INTERRUPT_ON = 8,
    UART_RX_INTERRUPT = 2
};

#define UART(n) ((cmsdk_uart *)(0x40004000u + 0x1000u * (unsigned)(n)))
#define SYSTICK_CONTROL (*(volatile uint32_t *)0xE000E010u)
#define SYSTICK_RELOAD (*(volatile uint32_t *)0xE000E014u)
#define SYSTICK_NOW (*(volatile uint32_t *)0xE000E018u)
#define NVIC_ENABLE (*(volatile uint32_t *)0xE000E100u)
#define FLASH_MAPPED ((volatile uint8_t *)0x21000000u)

enum { CORE_HZ = 25000000, TICKS_PER_MS = CORE_HZ / 1000, TICKS_PER_US = CORE_HZ / 1000000 };

#endif
