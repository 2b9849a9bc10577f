/* Flash in a file: pages of 64 bytes, blocks of 4 KiB, bits that only an erase sets again. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host.h"

enum { PAGE_BYTES = 64, BLOCK_BYTES = 4096 };

static lg_result file_read(void *context, uint32_t at, uint8_t *out, size_t n)
{
    const flash_file *f = context;
    return pread(f->fd, out, n, (off_t)at) == (ssize_t)n ? LG_OK : LG_FLASH_FAULT;
}

static lg_result put(const flash_file *f, const uint8_t *data, size_t n, uint32_t at)
{
    if (pwrite(f->fd, data, n, (off_t)at) != (ssize_t)n)
        return LG_FLASH_FAULT;
    return f->sync && fdatasync(f->fd) != 0 ? LG_FLASH_FAULT : LG_OK;
}

static lg_result file_program(void *context, uint32_t at, const uint8_t *data)
{
    const flash_file *f = context;
    uint8_t page[PAGE_BYTES];
    if (file_read(context, at, page, sizeof page) != LG_OK)
        return LG_FLASH_FAULT;
    for (size_t i = 0; i < sizeof page; i++)
        page[i] &= data[i];
    return put(f, page, sizeof page, at);
}

static lg_result file_erase(void *context, uint32_t block)
{
    uint8_t blank[BLOCK_BYTES];
    memset(blank, 0xFF, sizeof blank);
    return put(context, blank, sizeof blank, block * BLOCK_BYTES);
}

static lg_result lock(int fd)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (fcntl(fd, F_SETLK, &whole) == 0)
        return LG_OK;
    return errno == EACCES || errno == EAGAIN ? LG_BUSY : LG_FLASH_FAULT;
}

static lg_result lay_out(flash_file *f, uint32_t blocks)
{
    struct stat is;
    if (fstat(f->fd, &is) != 0)
        return LG_FLASH_FAULT;
    if (is.st_size > 0 && is.st_size % BLOCK_BYTES == 0) { /* the size that it was made with */
        f->port.block_count = (uint32_t)(is.st_size / BLOCK_BYTES);
        return LG_OK;
    }
    for (uint32_t block = 0; block < blocks; block++)
        if (file_erase(f, block) != LG_OK)
            return LG_FLASH_FAULT;
    return LG_OK;
}

lg_result flash_file_open(flash_file *f, const char *path, uint32_t blocks, bool sync)
{
    lg_flash port = {f, PAGE_BYTES, BLOCK_BYTES, blocks, file_read, file_program, file_erase};
    f->port = port;
    f->sync = sync;
    f->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (f->fd < 0)
        return LG_FLASH_FAULT;
    lg_result result = lock(f->fd);
    if (result == LG_OK)
        result = lay_out(f, blocks);
    if (result != LG_OK)
        flash_file_close(f);
    return result;
}

void flash_file_close(flash_file *f)
{
    (void)close(f->fd);
    f->fd = -1;
}
