/* CRC-32 by half bytes: 64 bytes of table. LG_CRC_BITWISE does without; many microcontrollers have it in
 * hardware, and a port may then leave this file out and bring its own lg_crc32. */
#include "liftgate/wire.h"

#ifdef LG_CRC_BITWISE

uint32_t lg_crc32(uint32_t crc, const uint8_t *data, size_t n)
{
    crc = ~crc;
    for (size_t i = 0; i < n; i++) {
        crc ^= data[i];
        for (int bit = 0; bit < 8; bit++)
            crc = (crc >> 1) ^ (0xEDB88320u & (0u - (crc & 1u)));
    }
    return ~crc;
}

#else

static const uint32_t half_byte[16] = {
    0x00000000, 0x1DB71064, 0x3B6E20C8, 0x26D930AC, 0x76DC4190, 0x6B6B51F4, 0x4DB26158, 0x5005713C,
    0xEDB88320, 0xF00F9344, 0xD6D6A3E8, 0xCB61B38C, 0x9B64C2B0, 0x86D3D2D4, 0xA00AE278, 0xBDBDF21C,
};

uint32_t lg_crc32(uint32_t crc, const uint8_t *data, size_t n)
{
    crc = ~crc;
    for (size_t i = 0; i < n; i++) {
        crc ^= data[i];
        crc = (crc >> 4) ^ half_byte[crc & 15u];
        crc = (crc >> 4) ^ half_byte[crc & 15u];
    }
    return ~crc;
}

#endif
