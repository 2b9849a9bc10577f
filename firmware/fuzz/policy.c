/* POLICY bodies: taken or refused, and then asked. What is kept must be found again after a power cut. */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "flash_sim.h"
#include "host.h"
#include "liftgate/policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t mark[LG_MARK_BYTES];
    uint8_t digest[LG_DIGEST_BYTES] = {0}, key[32];
    flash_sim sim;
    lg_store store;
    lg_policy policy, again;

    flash_sim_make(&sim, 16, 1024, 4, 1);
    lg_flash flash = flash_sim_port(&sim);
    CHECK(lg_store_mount(&store, &flash) == LG_OK);
    lg_result result = lg_policy_take(&policy, &store, host_crypto(), (lg_bytes){data, size}, mark);
    if (result == LG_OK) {
        CHECK(lg_store_mount(&store, &flash) == LG_OK);
        CHECK(lg_policy_load(&again, &store) == LG_OK);
        CHECK(memcmp(&policy, &again, sizeof policy) == 0);
        CHECK(lg_policy_denies(&policy, &store, digest) != LG_FLASH_FAULT);
        CHECK(lg_policy_knows(&policy, &store, digest) != LG_FLASH_FAULT);
        CHECK(lg_policy_key(&policy, &store, (lg_bytes){(const uint8_t *)"k1", 2}, key) != LG_FLASH_FAULT);
    } else {
        CHECK(result == LG_REFUSED || result == LG_FULL);
    }
    flash_sim_free(&sim);
    return 0;
}
