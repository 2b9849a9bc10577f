"""The free spots of one block: the lowest number is found, taken and released in log64 of the block's size.

A tree of bitmaps, 64 children a word: bit set = free here or below. A heap was the alternative; it needs
36 bytes a spot where this needs an eighth of one, and cannot take a given number (replay does) in less
than linear time.
"""

from liftgate.codecs import raw

_FULL = 0xFFFFFFFFFFFFFFFF


class FreeSpots:
    """The free numbers among 1..count.

    count: spots in the block, >= 0; free: how many of them are free.
    """

    def __init__(self, count: int) -> None:
        self.count = count
        self.free = count
        self.levels: list[bytearray] = []
        bits = max(count, 1)
        while True:
            self.levels.append(_ones(bits if count else 0, bits))
            bits = (bits + 63) >> 6
            if bits == 1:
                break

    def lowest(self) -> int:
        """The lowest free number, or 0."""
        if not self.free:
            return 0
        index = 0
        depth = len(self.levels) - 1
        while depth >= 0:
            index = (index << 6) + raw.lowest_bit(raw.get_word(self.levels[depth], index))
            depth -= 1
        return index + 1

    def is_free(self, number: int) -> bool:
        """Whether `number` exists and is free."""
        if number < 1 or number > self.count:
            return False
        index = number - 1
        return (raw.get_word(self.levels[0], index >> 6) >> (index & 63)) & 1 == 1

    def take(self, number: int) -> bool:
        """Mark `number` taken; False if there is no such free number."""
        if not self.is_free(number):
            return False
        self.free -= 1
        index = number - 1
        for words in self.levels:
            word = raw.get_word(words, index >> 6) & ~raw.bit(index)
            raw.put_word(words, index >> 6, word)
            if word:
                break
            index >>= 6
        return True

    def release(self, number: int) -> bool:
        """Mark `number` free; False if it is free already or beyond the block."""
        if number < 1 or number > self.count or self.is_free(number):
            return False
        self.free += 1
        index = number - 1
        for words in self.levels:
            word = raw.get_word(words, index >> 6)
            raw.put_word(words, index >> 6, word | raw.bit(index))
            if word:
                break
            index >>= 6
        return True


def _ones(count: int, bits: int) -> bytearray:
    """Words for `bits` bits of which the first `count` are set."""
    words = bytearray(8 * ((bits + 63) >> 6))
    for index in range(count >> 6):
        raw.put_word(words, index, _FULL)
    if count & 63:
        raw.put_word(words, count >> 6, (1 << (count & 63)) - 1)
    return words
