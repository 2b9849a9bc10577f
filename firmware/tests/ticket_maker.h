/* Makes tickets, good and bad ones, with an encoder that shares nothing with the library. */
#ifndef TICKET_MAKER_H
#define TICKET_MAKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct ticket_spec {
    const char *kid;
    uint64_t cti;
    const char *lot;
    uint32_t nbf_s, exp_s;
    bool single_use;
    bool mac;          /* a COSE_Mac0 with any 8 bytes */
    bool tagged;       /* 61 and 18 before it */
    bool kid_unsigned; /* in the header that nobody vouches for */
    bool doubled_exp;  /* the claim a second time, later */
} ticket_spec;

enum { TOKEN_MAX = 512 };

/* The public key of the pair that all tickets are signed with. */
void maker_public_key(uint8_t key[32]);
/* Returns the token's length. */
size_t make_ticket(const ticket_spec *spec, uint8_t token[TOKEN_MAX]);

#endif
