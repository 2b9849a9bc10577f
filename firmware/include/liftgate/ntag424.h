/* NTAG 424 DNA secure unique messages (SUN): what a tag mirrors into its URL, checked. Optional: the core
 * does not use it, for a tag's keys belong in the engine. It is here for readers whose maker puts them into a
 * secure element. */
#ifndef LIFTGATE_NTAG424_H
#define LIFTGATE_NTAG424_H

#include "liftgate/port.h"

enum { LG_UID_BYTES = 7, LG_PICC_BYTES = 16, LG_SDMMAC_BYTES = 8 };

typedef struct lg_tag {
    uint8_t uid[LG_UID_BYTES];
    uint32_t counter; /* 24 bits: accept it only above the last one seen of this uid */
} lg_tag;

/* Find PICC data and MAC in a token of kind 3: 24 bytes as they are, or a URL or its query in ASCII with hex
 * under these names ("e", "c"). False where it is neither. */
bool lg_sun_token(lg_bytes token, const char *picc_name, const char *mac_name, uint8_t picc[LG_PICC_BYTES],
                  uint8_t mac[LG_SDMMAC_BYTES]);

/* Decrypt `picc` and check `mac`. `mac_input` is what the tag's SDMMACInputOffset names, often nothing.
 * LG_BAD: no data of a tag that mirrors uid and counter, so most likely a foreign key; LG_REFUSED: the MAC is
 * wrong. */
lg_result lg_sun_check(const lg_crypto *crypto, const uint8_t meta_key[16], const uint8_t file_key[16],
                       const uint8_t picc[LG_PICC_BYTES], lg_bytes mac_input,
                       const uint8_t mac[LG_SDMMAC_BYTES], lg_tag *tag);

/* The same for a tag that mirrors uid and counter in the clear: `tag` says them. */
lg_result lg_sun_check_plain(const lg_crypto *crypto, const uint8_t file_key[16], const lg_tag *tag,
                             lg_bytes mac_input, const uint8_t mac[LG_SDMMAC_BYTES]);

/* Decrypt mirrored file data of a message that was checked; `in.n` is a multiple of 16, as much goes to
 * `out`. */
lg_result lg_sun_file_data(const lg_crypto *crypto, const uint8_t file_key[16], const lg_tag *tag,
                           lg_bytes in, uint8_t *out);

#endif
