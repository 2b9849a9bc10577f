/* Block 0: ["LGR1"][length of id][id, 64][length of key][key, 64][lanes][number, direction: 8 times][CRC-32].
 */
#include "settings.h"

#include <string.h>

#include "board.h"
#include "bytes.h"

enum {
    ID_AT = 5,
    KEY_AT = ID_AT + LG_ID_BYTES_MAX + 1,
    LANES_AT = KEY_AT + LG_KEY_BYTES_MAX + 1,
    CRC_AT = LANES_AT + 2 * LG_LANES_MAX,
    SETTINGS_BYTES = CRC_AT + 4
};

bool settings_load(settings *out)
{
    uint8_t bytes[SETTINGS_BYTES];

    if (!flash_read(0, bytes, sizeof bytes) || memcmp(bytes, "LGR1", 4) != 0 ||
        lg_crc32(0, bytes, CRC_AT) != lg_load32(bytes + CRC_AT))
        return false;
    if (bytes[ID_AT - 1] > LG_ID_BYTES_MAX || bytes[KEY_AT - 1] > LG_KEY_BYTES_MAX ||
        bytes[LANES_AT - 1] > LG_LANES_MAX)
        return false;
    memset(out, 0, sizeof *out);
    memcpy(out->id, bytes + ID_AT, bytes[ID_AT - 1]);
    out->key_bytes = bytes[KEY_AT - 1];
    memcpy(out->key, bytes + KEY_AT, out->key_bytes);
    out->lane_count = bytes[LANES_AT - 1];
    for (size_t i = 0; i < out->lane_count; i++) {
        out->lanes[i].number = bytes[LANES_AT + 2 * i];
        out->lanes[i].direction = bytes[LANES_AT + 2 * i + 1];
    }
    return true;
}
