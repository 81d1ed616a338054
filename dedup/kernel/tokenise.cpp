// Tokens of every script, with their spans in the original string, read from CPython strings in place.
#include "kernel.hpp"

#include <algorithm>

namespace dedup {
namespace {

enum Kind : uint8_t { SEPARATOR, WORD, CHARACTER, MARK, JOINER };

constexpr uint64_t START = 0xCBF29CE484222325ull;  // FNV-1a, over code points instead of bytes
constexpr uint64_t PRIME = 0x100000001B3ull;
constexpr uint32_t CODE_POINT = 0xFFFFFF;
constexpr size_t GRAIN = 1 << 17;  // code points a unit of work: its vectors are small enough to be used again

// The token's hash: 31 bits, and a low bit that tells a character of an unspaced script from a word.
inline uint32_t finish(uint64_t h, bool character) {
    return (static_cast<uint32_t>(mix64(h) >> 32) & ~1u) | static_cast<uint32_t>(character);
}

// The hash of a token while it is read: over the normalised form, with a note where its marks stand out of order.
struct Reading {
    uint64_t hash = START;
    uint32_t last_class = 0;
    bool ordered = true;

    void feed(const Entry &entry, const uint32_t *pool) {
        if (entry.length == 1 && entry.value <= CODE_POINT) {  // one code point that is no combining mark
            last_class = 0;
            hash = (hash ^ entry.value) * PRIME;
            return;
        }
        const uint32_t *values = entry.length == 1 ? &entry.value : pool + entry.value;
        for (size_t k = 0; k < entry.length; ++k) {
            uint32_t combining = values[k] >> 24;
            if (combining && combining < last_class) ordered = false;
            last_class = combining;
            hash = (hash ^ (values[k] & CODE_POINT)) * PRIME;
        }
    }
};

// Canonical ordering (The Unicode Standard, D109): marks between starters, by combining class, stable.
template <class Char>
uint64_t reordered(const Char *text, size_t begin, size_t end, const Characters &characters) {
    std::vector<uint32_t> values;
    for (size_t i = begin; i < end; ++i) {
        uint32_t c = text[i];
        const Entry &entry = characters.entries[static_cast<size_t>(characters.index[c >> 8]) << 8 | (c & 255)];
        const uint32_t *form = entry.length == 1 ? &entry.value : characters.pool.data + entry.value;
        values.insert(values.end(), form, form + entry.length);
    }
    auto starter = [](uint32_t v) { return (v >> 24) == 0; };
    for (auto from = values.begin(); from != values.end();) {
        auto to = std::find_if(from, values.end(), starter);
        std::stable_sort(from, to, [](uint32_t x, uint32_t y) { return (x >> 24) < (y >> 24); });
        from = to == values.end() ? to : to + 1;
    }
    uint64_t h = START;
    for (uint32_t v : values) h = (h ^ (v & CODE_POINT)) * PRIME;
    return h;
}

template <class Char> void one(const Text &source, const Characters &characters, bool spans, Tokens &out) {
    const Char *text = static_cast<const Char *>(source.data);
    const uint16_t *index = characters.index.data;
    const Entry *entries = characters.entries.data;
    const uint32_t *pool = characters.pool.data;
    size_t size = source.size, i = 0;
    while (i < size) {
        uint32_t c = text[i];
        uint16_t page = index[c >> 8];
        if (!page) break;
        const Entry *entry = entries + (static_cast<size_t>(page) << 8 | (c & 255));
        if (entry->kind != WORD && entry->kind != CHARACTER) {  // a mark without a letter belongs to nothing
            ++i;
            continue;
        }
        bool character = entry->kind == CHARACTER;
        size_t begin = i;
        Reading token;
        do {
            token.feed(*entry, pool);
            if (++i == size) break;
            c = text[i];
            page = index[c >> 8];
            if (!page) break;
            entry = entries + (static_cast<size_t>(page) << 8 | (c & 255));
        } while (entry->kind >= MARK || (entry->kind == WORD && !character));
        if (i < size && !page) break;
        uint64_t hash = token.ordered ? token.hash : reordered(text, begin, i, characters);
        out.hashes.push_back(finish(hash, character));
        if (spans) {
            out.starts.push_back(static_cast<uint32_t>(begin));
            out.ends.push_back(static_cast<uint32_t>(i));
        }
    }
    if (i == size) return;
    out.complete = false;
    out.missing.resize(0x1100);
    for (; i < size; ++i) out.missing[static_cast<uint32_t>(text[i]) >> 8] = 1;
}

}  // namespace

std::vector<Tokens> tokenise(View<Text> texts, const Characters &characters, bool spans, unsigned jobs) {
    std::vector<size_t> bounds{0};
    size_t filled = 0;
    for (size_t i = 0; i < texts.size; ++i) {
        filled += texts[i].size;
        if (filled >= GRAIN || i + 1 == texts.size) {
            bounds.push_back(i + 1);
            filled = 0;
        }
    }
    std::vector<Tokens> out(bounds.size() - 1);
    parallel(out.size(), jobs, [&](size_t part) {
        Tokens &tokens = out[part];
        size_t total = 0;
        for (size_t i = bounds[part]; i < bounds[part + 1]; ++i) total += texts[i].size;
        tokens.hashes.reserve(total / 5);
        for (size_t i = bounds[part]; i < bounds[part + 1]; ++i) {
            size_t before = tokens.hashes.size();
            const Text &text = texts[i];
            if (text.width == 1) one<uint8_t>(text, characters, spans, tokens);
            else if (text.width == 2) one<uint16_t>(text, characters, spans, tokens);
            else one<uint32_t>(text, characters, spans, tokens);
            tokens.counts.push_back(static_cast<int64_t>(tokens.hashes.size() - before));
        }
    });
    return out;
}

}  // namespace dedup
