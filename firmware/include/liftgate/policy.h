/* POLICY of docs/protocol.md, kept in flash in records of one size, and looked up there. */
#ifndef LIFTGATE_POLICY_H
#define LIFTGATE_POLICY_H

#include "liftgate/store.h"

enum {
    LG_LOT_BYTES_MAX = 64,
    LG_KID_TEXT_MAX = 64, /* a kid of 32 bytes in hex */
    LG_DIGEST_BYTES = 32,
    LG_KNOWN_BYTES = 8 /* the beginning of a digest */
};

typedef enum lg_cards { LG_CARDS_OFF = 0, LG_CARDS_KNOWN = 1, LG_CARDS_OPEN = 2 } lg_cards;

/* What is small of it. Its keys and lists stay in flash. */
typedef struct lg_policy {
    uint32_t hours, entries;      /* 0 hours: nothing is decided alone, but exits */
    uint32_t keys, denied, known; /* how many */
    uint8_t cards;
    uint8_t lot_bytes;
    uint8_t lot[LG_LOT_BYTES_MAX];
} lg_policy;

/* What the store holds; a policy of 0 hours where it holds none. */
lg_result lg_policy_load(lg_policy *policy, const lg_store *store);

/* Take the body of a POLICY: check all of it, then keep it under `mark` and load it. Nothing is written where
 * it is what stands there already. LG_REFUSED: it is not a policy; LG_FULL: too long for the store. What was
 * there before holds then. */
lg_result lg_policy_take(lg_policy *policy, lg_store *store, const lg_crypto *crypto, lg_bytes body,
                         const uint8_t mark[LG_MARK_BYTES]);

/* SHA-256 of the kind and what identifies a credential: its name in the lists. */
lg_result lg_policy_digest(const lg_crypto *crypto, uint8_t kind, lg_bytes identity,
                           uint8_t digest[LG_DIGEST_BYTES]);

/* LG_OK: it is on the list; LG_EMPTY: it is not. */
lg_result lg_policy_denies(const lg_policy *policy, const lg_store *store,
                           const uint8_t digest[LG_DIGEST_BYTES]);
lg_result lg_policy_knows(const lg_policy *policy, const lg_store *store,
                          const uint8_t digest[LG_DIGEST_BYTES]);

/* The Ed25519 key of this kid, or LG_EMPTY. */
lg_result lg_policy_key(const lg_policy *policy, const lg_store *store, lg_bytes kid, uint8_t key[32]);

#endif
