/* Not run: the sizes of these are what sizes.py reads from the object file. */
#include "liftgate/offline.h"

extern char memory_reader[], memory_buffers[], memory_log[], memory_alone[];

char memory_reader[sizeof(lg_reader)];
char memory_buffers[LG_RX_BYTES_MIN + LG_TX_BYTES_MIN];
char memory_log[sizeof(lg_log)];
char memory_alone[sizeof(lg_alone)];
