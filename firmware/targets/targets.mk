# Cortex-M: `make sizes` says what the library takes there, `make image` builds the one for QEMU.

CROSS ?= arm-none-eabi-
# As small as it gets without link-time optimisation, so that each module has a size of its own.
CROSS_FLAGS := -mthumb -Os -ffunction-sections -fdata-sections -MMD
SIZE_CPUS := cortex-m0plus cortex-m4

.PHONY: sizes image

define size_rules
build/size/$(1)/%.o: src/%.c
	@mkdir -p $$(@D)
	$(CROSS)gcc -mcpu=$(1) $(CROSS_FLAGS) $(STRICT) -fcallgraph-info=su -Iinclude -c $$< -o $$@

build/size/$(1)/memory.o: targets/memory.c $(HEADERS)
	@mkdir -p $$(@D)
	$(CROSS)gcc -mcpu=$(1) $(CROSS_FLAGS) $(STRICT) -Iinclude -c $$< -o $$@

sizes: $(patsubst src/%.c,build/size/$(1)/%.o,$(LIBRARY)) build/size/$(1)/memory.o
endef
$(foreach cpu,$(SIZE_CPUS),$(eval $(call size_rules,$(cpu))))

sizes:
	@python3 targets/sizes.py $(addprefix build/size/,$(SIZE_CPUS))

# -- the image: library, board, and of two crypto libraries what they need (fetch_crypto.sh)

BOARD := targets/mps2-an385
IMAGE := build/image/liftgate-an385.elf
MBEDTLS := build/crypto/mbedtls
SODIUM := build/crypto/libsodium/src/libsodium
IMAGE_FLAGS := -mcpu=cortex-m3 $(CROSS_FLAGS)
# Strict but for the assembler in it, and for what the crypto libraries' headers do.
BOARD_FLAGS := $(patsubst -std=c99,-std=gnu99,$(STRICT)) -Iinclude -Isrc -Itargets -I$(BOARD) \
	-isystem $(MBEDTLS)/include -isystem $(SODIUM)/include
MBEDTLS_CONFIG := -DMBEDTLS_CONFIG_FILE='"mbedtls_config.h"'

IMAGE_LIBRARY := $(filter-out src/ntag424.c,$(LIBRARY))
IMAGE_BOARD := $(wildcard $(BOARD)/*.c) targets/crypto_mbedtls.c
IMAGE_MBEDTLS := $(addprefix library/,md.c sha256.c platform.c platform_util.c memory_buffer_alloc.c)
IMAGE_SODIUM := $(addprefix crypto_sign/ed25519/ref10/,open.c sign.c) crypto_core/ed25519/ref10/ed25519_ref10.c \
	crypto_verify/sodium/verify.c crypto_hash/sha512/cp/hash_sha512_cp.c sodium/utils.c
IMAGE_OBJECTS := $(addprefix build/image/,$(IMAGE_LIBRARY:.c=.o) $(IMAGE_BOARD:.c=.o) \
	$(addprefix mbedtls/,$(IMAGE_MBEDTLS:.c=.o)) $(addprefix sodium/,$(IMAGE_SODIUM:.c=.o)))

build/crypto/.fetched: targets/fetch_crypto.sh
	targets/fetch_crypto.sh build/crypto
	@touch $@

build/image/src/%.o: src/%.c
	@mkdir -p $(@D)
	$(CROSS)gcc $(IMAGE_FLAGS) $(STRICT) -Iinclude -c $< -o $@

build/image/targets/%.o: targets/%.c build/crypto/.fetched
	@mkdir -p $(@D)
	$(CROSS)gcc $(IMAGE_FLAGS) $(BOARD_FLAGS) $(MBEDTLS_CONFIG) -c $< -o $@

# Others' sources: their warnings are theirs.
build/image/mbedtls/%.o: build/crypto/.fetched $(BOARD)/mbedtls_config.h
	@mkdir -p $(@D)
	$(CROSS)gcc $(IMAGE_FLAGS) -std=gnu99 -w -I$(MBEDTLS)/include -I$(BOARD) $(MBEDTLS_CONFIG) \
		-c $(MBEDTLS)/$*.c -o $@

# CONFIGURED: what its configure script finds out matters only for code that is not taken here.
build/image/sodium/%.o: build/crypto/.fetched
	@mkdir -p $(@D)
	$(CROSS)gcc $(IMAGE_FLAGS) -std=gnu99 -w -DCONFIGURED=1 -I$(SODIUM)/include -I$(SODIUM)/include/sodium \
		-c $(SODIUM)/$*.c -o $@

$(IMAGE): $(IMAGE_OBJECTS) $(BOARD)/image.ld
	$(CROSS)gcc -mcpu=cortex-m3 -mthumb -nostdlib -Wl,--gc-sections -T $(BOARD)/image.ld $(IMAGE_OBJECTS) \
		-lc_nano -lgcc -o $@
	$(CROSS)size $@

image: $(IMAGE)

# Written by the compiler beside each object.
build/%.d: ;
-include $(shell find build/image build/size -name '*.d' 2>/dev/null)
