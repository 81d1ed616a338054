// Tokens of every script, with their spans in the original string, read from CPython strings in place.
#include "kernel.hpp"

#include <algorithm>

namespace dedup {
namespace {

enum Kind : uint8_t { SEPARATOR, WORD, CHARACTER, MARK, JOINER };

constexpr uint64_t START = 0xCBF29CE484222325ull;  // FNV-1a, over code points instead of bytes
constexpr uint64_t PRIME = 0x100000001B3ull;
constexpr uint32_t CODE_POINT = 0xFFFFFF;
constexpr size_t GRAIN = 1 << 20;  // code points a unit of work

// The token's hash: 31 bits, and a low bit that tells a character of an unspaced script from a word.
inline uint32_t finish(uint64_t h, bool character) {
    return (static_cast<uint32_t>(mix64(h) >> 32) & ~1u) | static_cast<uint32_t>(character);
}

template <class Char> class Tokeniser {
  public:
    Tokeniser(const Characters &characters, bool spans, Tokens &out)
        : characters_(characters), spans_(spans), out_(out) {}

    void run(const Char *text, size_t size) {
        text_ = text;
        open_ = false;
        const uint16_t *index = characters_.index.data;
        const Entry *entries = characters_.entries.data;
        for (size_t i = 0; i < size; ++i) {
            uint32_t c = text[i];
            uint16_t page = index[c >> 8];
            if (!page) {
                missing(text, i, size);
                return;
            }
            const Entry &entry = entries[static_cast<size_t>(page) << 8 | (c & 255)];
            switch (entry.kind) {
            case SEPARATOR:
                if (open_) close(i);
                continue;
            case WORD:
                if (!open_ || character_) start(i, false);
                break;
            case CHARACTER:
                start(i, true);
                break;
            default:  // a mark or a joiner belongs to the token before it, and to nothing without one
                if (!open_) continue;
            }
            feed(entry);
        }
        if (open_) close(size);
    }

  private:
    void start(size_t at, bool character) {
        if (open_) close(at);
        open_ = true;
        character_ = character;
        begin_ = at;
        hash_ = START;
        last_class_ = 0;
        ordered_ = true;
    }

    void feed(const Entry &entry) {
        if (entry.length == 1) {
            value(entry.value);
            return;
        }
        for (size_t k = 0; k < entry.length; ++k) value(characters_.pool[entry.value + k]);
    }

    void value(uint32_t v) {
        uint32_t combining = v >> 24;
        if (combining && combining < last_class_) ordered_ = false;
        last_class_ = combining;
        hash_ = (hash_ ^ (v & CODE_POINT)) * PRIME;
    }

    void close(size_t end) {
        out_.hashes.push_back(finish(ordered_ ? hash_ : reordered(end), character_));
        if (spans_) {
            out_.starts.push_back(static_cast<uint32_t>(begin_));
            out_.ends.push_back(static_cast<uint32_t>(end));
        }
        open_ = false;
    }

    // Canonical ordering (The Unicode Standard, D109): marks between starters, by combining class, stable.
    uint64_t reordered(size_t end) const {
        std::vector<uint32_t> values;
        for (size_t i = begin_; i < end; ++i) {
            uint32_t c = text_[i];
            const Entry &entry = characters_.entries[static_cast<size_t>(characters_.index[c >> 8]) << 8 | (c & 255)];
            if (entry.length == 1) values.push_back(entry.value);
            else
                for (size_t k = 0; k < entry.length; ++k) values.push_back(characters_.pool[entry.value + k]);
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

    void missing(const Char *text, size_t from, size_t size) {
        out_.complete = false;
        out_.missing.resize(0x1100);
        for (size_t i = from; i < size; ++i) out_.missing[static_cast<uint32_t>(text[i]) >> 8] = 1;
    }

    const Characters &characters_;
    bool spans_;
    Tokens &out_;
    const Char *text_ = nullptr;
    bool open_ = false, character_ = false, ordered_ = true;
    size_t begin_ = 0;
    uint64_t hash_ = 0;
    uint32_t last_class_ = 0;
};

template <class Char> void one(const Text &text, const Characters &characters, bool spans, Tokens &out) {
    Tokeniser<Char>(characters, spans, out).run(static_cast<const Char *>(text.data), text.size);
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
        tokens.hashes.reserve(total / 4);
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
