// Tokens of every script, with their spans in the original string, read from CPython strings in place.
#include "kernel.hpp"

#include <algorithm>
#include <cstring>
#if defined(_MSC_VER)
#include <intrin.h>
#endif

namespace dedup {
namespace {

enum Kind : uint8_t { SEPARATOR, WORD, CHARACTER, MARK, JOINER };

constexpr uint32_t CODE_POINT = 0xFFFFFF;
constexpr size_t RUN_LENGTH = 1 << 17;  // code points a unit of work: its vectors are small enough to be used again

// ---- the hash of a token -------------------------------------------------------------------------------------

constexpr uint64_t ONES = 0x0101010101010101ull;  // the lowest bit of every byte

inline size_t lowest_bit(uint64_t bits) {  // bits != 0
#if defined(_MSC_VER)
    unsigned long place;
    _BitScanForward64(&place, bits);
    return place;
#else
    return static_cast<size_t>(__builtin_ctzll(bits));
#endif
}

// Eight bytes as a number, the first one lowest.
inline uint64_t load64(const uint8_t *bytes) {
    uint64_t value;
    std::memcpy(&value, bytes, sizeof value);
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    value = __builtin_bswap64(value);
#endif
    return value;
}

// The token's hash: 31 bits, and a low bit that tells a character of an unspaced script from a word.
inline uint32_t finish(uint64_t h, bool character) {
    return (static_cast<uint32_t>(mix64(h) >> 32) & ~1u) | static_cast<uint32_t>(character);
}

// The polynomial over a token's UTF-8, eight bytes a term.
class Polynomial {
  public:
    void feed(uint32_t c) {
        if (c < 0x80) return byte(c);
        if (c < 0x800) byte(0xC0 | c >> 6);
        else {
            if (c < 0x10000) byte(0xE0 | c >> 12);
            else {
                byte(0xF0 | c >> 18);
                byte(0x80 | (c >> 12 & 63));
            }
            byte(0x80 | (c >> 6 & 63));
        }
        byte(0x80 | (c & 63));
    }
    uint64_t value() const { return filled_ ? hash_ * BASE + term_ : hash_; }

  private:
    void byte(uint64_t b) {
        term_ |= b << filled_;
        filled_ = (filled_ + 8) & 63;
        if (filled_) return;
        hash_ = hash_ * BASE + term_;
        term_ = 0;
    }
    uint64_t hash_ = 0, term_ = 0;
    unsigned filled_ = 0;
};

// ---- text of any script --------------------------------------------------------------------------------------

// A token while it is read: its normalised form, with a note where its marks stand out of order.
struct Reading {
    Polynomial hash;
    uint32_t last_class = 0;
    bool ordered = true;

    void feed(const Entry &entry, const uint32_t *pool) {
        if (entry.length == 1 && entry.value <= CODE_POINT) {  // one code point that is no combining mark
            last_class = 0;
            hash.feed(entry.value);
            return;
        }
        const uint32_t *values = entry.length == 1 ? &entry.value : pool + entry.value;
        for (size_t k = 0; k < entry.length; ++k) {
            uint32_t combining = values[k] >> 24;
            if (combining && combining < last_class) ordered = false;
            last_class = combining;
            hash.feed(values[k] & CODE_POINT);
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
    Polynomial hash;
    for (uint32_t v : values) hash.feed(v & CODE_POINT);
    return hash.value();
}

// Where a text's tokens go.
struct Sink {
    const Characters &characters;
    bool spans;
    std::vector<uint32_t> hashes, starts, ends;
    std::vector<uint8_t> missing;  // by page: a table that was needed and is not there

    void token(uint32_t hash, size_t begin, size_t end) {
        hashes.push_back(hash);
        if (!spans) return;
        starts.push_back(static_cast<uint32_t>(begin));
        ends.push_back(static_cast<uint32_t>(end));
    }
};

// The tokens that lie in text[i, end): no token may begin before i or go on after end.
template <class Char> void any_script(const Char *text, size_t i, size_t end, Sink &sink) {
    const uint16_t *index = sink.characters.index.data;
    const Entry *entries = sink.characters.entries.data;
    const uint32_t *pool = sink.characters.pool.data;
    while (i < end) {
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
            if (++i == end) break;
            c = text[i];
            page = index[c >> 8];
            if (!page) break;
            entry = entries + (static_cast<size_t>(page) << 8 | (c & 255));
        } while (entry->kind >= MARK || (entry->kind == WORD && !character));
        if (i < end && !page) break;
        uint64_t hash = token.ordered ? token.hash.value() : reordered(text, begin, i, sink.characters);
        sink.token(finish(hash, character), begin, i);
    }
    if (i == end) return;
    sink.missing.resize(0x1100);
    for (; i < end; ++i) sink.missing[static_cast<uint32_t>(text[i]) >> 8] = 1;
}

// ---- plain words: ASCII letters and digits between ASCII separators, most of most texts ------------------------

// A stretch of text as bytes: 0 for an ASCII separator, a lower-case letter or digit, OTHER for what is not ASCII.
class Window {
  public:
    static constexpr size_t SIZE = 4096;
    static constexpr uint8_t OTHER = 0x80;

    // What stands for an ASCII character or OTHER.
    static uint8_t folded(uint8_t c) {
        uint8_t lower = static_cast<uint8_t>(c | 0x20);
        bool letter = static_cast<uint8_t>(lower - 'a') < 26;
        bool as_it_is = static_cast<uint8_t>(c - '0') < 10 || c >= OTHER;
        return static_cast<uint8_t>(letter ? lower : as_it_is ? c : 0);
    }

    // Reads up to SIZE code points; keeps those up to the last ASCII separator, or all where the text ends.
    template <class Char> void read(const Char *text, size_t left) {
        size_ = std::min(left, SIZE);
        for (size_t i = 0; i < size_; ++i) bytes_[i] = static_cast<uint8_t>(text[i] < OTHER ? text[i] : OTHER);
        for (size_t i = 0; i < size_; ++i) bytes_[i] = folded(bytes_[i]);
        if (size_ < left)
            while (size_ && bytes_[size_ - 1]) --size_;
        std::memset(bytes_ + size_, 0, 64);
        find_edges();
    }
    size_t size() const { return size_; }

    // Calls word(begin, end, hash) or other(begin, end) for each run without an ASCII separator.
    template <class Word, class Other> void runs(Word word, Other other) const {
        for (size_t k = 0; k < count_; k += 2) {
            size_t begin = edges_[k], end = edges_[k + 1];
            const uint8_t *from = bytes_ + begin;
            size_t length = end - begin;
            uint64_t hash = 0, all = 0;
            for (; length > 8; length -= 8, from += 8) {
                uint64_t term = load64(from);
                hash = hash * BASE + term;
                all |= term;
            }
            uint64_t last = load64(from) & ~uint64_t{0} >> (64 - 8 * length);
            if (((all | last) & OTHER * ONES) == 0) word(begin, end, hash * BASE + last);
            else other(begin, end);
        }
    }

  private:
    // The places where words begin and end, in turn.
    void find_edges() {
        count_ = 0;
        uint64_t inside = 0;
        for (size_t base = 0; base <= size_; base += 64) {
            uint64_t mask = 0;
            for (size_t i = 0; i < 64; i += 8) {
                uint64_t eight = load64(bytes_ + base + i);
                eight |= (eight & 0x7F7F7F7F7F7F7F7Fu) + 0x7F7F7F7F7F7F7F7Fu;  // the top bit of a byte that is not 0
                mask |= ((eight >> 7 & ONES) * 0x0102040810204080u >> 56) << i;
            }
            uint64_t edges = mask ^ (mask << 1 | inside);
            inside = mask >> 63;
            for (; edges; edges &= edges - 1) edges_[count_++] = static_cast<uint16_t>(base + lowest_bit(edges));
        }
    }

    size_t size_ = 0, count_ = 0;
    uint16_t edges_[SIZE + 64];
    uint8_t bytes_[SIZE + 128];
};

template <class Char> void one(const Char *text, size_t size, Sink &sink) {
    Window window;
    for (size_t i = 0; i < size;) {
        window.read(text + i, size - i);
        window.runs(
            [&](size_t begin, size_t end, uint64_t hash) { sink.token(finish(hash, false), i + begin, i + end); },
            [&](size_t begin, size_t end) { any_script(text, i + begin, i + end, sink); });
        i += window.size();
        if (window.size()) continue;
        size_t begin = i;  // a run longer than the window: as far as the next separator
        while (i < size && (text[i] >= Window::OTHER || Window::folded(static_cast<uint8_t>(text[i])))) ++i;
        any_script(text, begin, i, sink);
    }
}

inline void one(const Text &text, Sink &sink) {
    if (text.width == 1) one(static_cast<const uint8_t *>(text.data), text.size, sink);
    else if (text.width == 2) one(static_cast<const uint16_t *>(text.data), text.size, sink);
    else one(static_cast<const uint32_t *>(text.data), text.size, sink);
}

}  // namespace

// Some consecutive texts, and their tokens once they have been read.
struct Tokeniser::Run {
    std::vector<Text> texts;
    std::vector<int64_t> counts;
    std::vector<uint64_t> digests;
    std::vector<uint32_t> hashes, starts, ends;
    std::vector<uint8_t> missing;
    bool done = false;

    void read(const Characters &tables, bool spans) {
        Sink sink{tables, spans, {}, {}, {}, {}};
        size_t total = 0;
        for (const Text &text : texts) total += text.size;
        sink.hashes.reserve(total / 5);
        counts.clear();
        digests.clear();
        for (const Text &text : texts) {
            size_t before = sink.hashes.size();
            one(text, sink);
            size_t count = sink.hashes.size() - before;
            counts.push_back(static_cast<int64_t>(count));
            digests.push_back(mix64(polynomial(sink.hashes.data() + before, count) ^ count));
        }
        hashes = std::move(sink.hashes);
        starts = std::move(sink.starts);
        ends = std::move(sink.ends);
        missing = std::move(sink.missing);
    }
};

Tokeniser::Tokeniser(bool spans, unsigned workers) : spans_(spans), most_workers_(workers) {}

Tokeniser::~Tokeniser() { close(); }

void Tokeniser::close() {
    {
        std::lock_guard<std::mutex> lock(guard_);
        closing_ = true;
    }
    ready_.notify_all();
    workers_.join();
}

void Tokeniser::add(View<Text> texts) {
    constexpr size_t PATIENCE = 32;  // runs that may wait for each thread
    size_t waiting;
    {
        std::lock_guard<std::mutex> lock(guard_);
        size_t filled = RUN_LENGTH;
        try {
            for (const Text &text : texts) {
                if (filled >= RUN_LENGTH) {
                    runs_.push_back(std::make_unique<Run>());
                    waiting_.push_back(runs_.back().get());
                    filled = 0;
                }
                runs_.back()->texts.push_back(text);
                filled += text.size;
            }
        } catch (...) {  // some of the texts are there and others are not: there will be no result
            failure_ = std::current_exception();
            throw;
        }
        waiting = waiting_.size();
        while (workers_.size() < std::min<size_t>(most_workers_, waiting + active_))
            if (!workers_.start([this] { serve(); })) most_workers_ = static_cast<unsigned>(workers_.size());
    }
    ready_.notify_all();
    size_t most = PATIENCE * workers_.size();
    if (waiting > most) work(most);
}

size_t Tokeniser::done() {
    std::lock_guard<std::mutex> lock(guard_);
    for (; done_runs_ < runs_.size() && runs_[done_runs_]->done; ++done_runs_)
        done_texts_ += runs_[done_runs_]->texts.size();
    return done_texts_;
}

std::vector<uint8_t> Tokeniser::missing() {
    std::lock_guard<std::mutex> lock(guard_);
    std::vector<uint8_t> pages;
    for (const Run *run : aside_) {
        pages.resize(run->missing.size());
        for (size_t i = 0; i < pages.size(); ++i) pages[i] |= run->missing[i];
    }
    return pages;
}

void Tokeniser::use(const Characters &tables) {
    std::lock_guard<std::mutex> lock(guard_);
    tables_ = tables;
    waiting_.insert(waiting_.end(), aside_.begin(), aside_.end());
    aside_.clear();
    ready_.notify_all();
}

// Reads on the caller's thread until at most so many runs wait.
void Tokeniser::work(size_t most) {
    std::unique_lock<std::mutex> lock(guard_);
    while (waiting_.size() > most) {
        Run *run = waiting_.front();
        waiting_.pop_front();
        read(run, lock);
    }
}

// What a worker does.
void Tokeniser::serve() {
    std::unique_lock<std::mutex> lock(guard_);
    for (;;) {
        ready_.wait(lock, [&] { return !waiting_.empty() || closing_; });
        if (closing_) return;
        Run *run = waiting_.front();
        waiting_.pop_front();
        read(run, lock);
    }
}

// Reads a run, without the lock that is held before and after.
void Tokeniser::read(Run *run, std::unique_lock<std::mutex> &lock) {
    ++active_;
    Characters tables = tables_;
    lock.unlock();
    std::exception_ptr failure;
    try {
        run->read(tables, spans_);
    } catch (...) {
        failure = std::current_exception();
    }
    lock.lock();
    --active_;
    try {
        if (failure) failure_ = failure;
        else if (run->missing.empty()) run->done = true;
        else aside_.push_back(run);
    } catch (...) {
        failure_ = std::current_exception();
    }
    if (!active_) idle_.notify_all();
}

void Tokeniser::finish() {
    for (bool all = false; !all;) {
        work(0);
        std::unique_lock<std::mutex> lock(guard_);
        idle_.wait(lock, [&] { return !waiting_.empty() || !active_; });
        all = waiting_.empty();
    }
    if (failure_) std::rethrow_exception(failure_);
    if (!aside_.empty()) return;
    finished_ = true;
    close();
}

std::vector<int64_t> Tokeniser::counts() const {
    std::vector<int64_t> all;
    for (const auto &run : runs_) all.insert(all.end(), run->counts.begin(), run->counts.end());
    return all;
}

std::vector<uint64_t> Tokeniser::digests() const {
    std::vector<uint64_t> all;
    for (const auto &run : runs_) all.insert(all.end(), run->digests.begin(), run->digests.end());
    return all;
}

void Tokeniser::gather(Column column, View<int64_t> order, View<int64_t> offsets, unsigned jobs,
                       uint32_t *out) const {
    std::vector<const uint32_t *> from;  // of every text
    for (const auto &run : runs_) {
        const uint32_t *next = (column == HASHES ? run->hashes : column == STARTS ? run->starts : run->ends).data();
        for (int64_t count : run->counts) {
            from.push_back(next);
            next += count;
        }
    }
    auto bounds = ranges(offsets, GRAIN);
    parallel(bounds.size() - 1, jobs, [&](size_t part) {
        for (size_t i = bounds[part]; i < bounds[part + 1]; ++i)
            std::copy_n(from.at(static_cast<size_t>(order[i])), offsets[i + 1] - offsets[i], out + offsets[i]);
    });
}

namespace {

// Fills in the lines of places (start, end, line, line of the end): those of the starts and of the last code points.
template <class Char> void count_lines(const Char *text, size_t count, int64_t *places) {
    std::vector<std::pair<int64_t, size_t>> asked;  // a place in the text, where its line goes
    for (size_t i = 0; i < count; ++i) {
        asked.push_back({places[4 * i], 4 * i + 2});
        asked.push_back({places[4 * i + 1] - 1, 4 * i + 3});
    }
    std::sort(asked.begin(), asked.end());
    int64_t at = 0, line = 1;
    for (auto [place, to] : asked) {
        line += std::count(text + at, text + place, static_cast<Char>('\n'));
        at = place;
        places[to] = line;
    }
}

}  // namespace

std::vector<uint8_t> locate(View<Text> texts, View<int64_t> bounds, View<int64_t> spans, const Characters &tables,
                            unsigned jobs, int64_t *out) {
    std::vector<uint8_t> missing;
    std::mutex guard;
    parallel(texts.size, jobs, [&](size_t i) {
        const Text &text = texts[i];
        Sink sink{tables, true, {}, {}, {}, {}};
        one(text, sink);
        if (!sink.missing.empty()) {
            std::lock_guard<std::mutex> lock(guard);
            missing.resize(sink.missing.size());
            for (size_t page = 0; page < missing.size(); ++page) missing[page] |= sink.missing[page];
            return;
        }
        auto count = static_cast<size_t>(bounds[i + 1] - bounds[i]);
        int64_t *places = out + 4 * bounds[i];
        for (size_t k = 0; k < count; ++k) {
            size_t span = 2 * (static_cast<size_t>(bounds[i]) + k);
            places[4 * k] = sink.starts.at(static_cast<size_t>(spans[span]));
            places[4 * k + 1] = sink.ends.at(static_cast<size_t>(spans[span + 1] - 1));
        }
        if (text.width == 1) count_lines(static_cast<const uint8_t *>(text.data), count, places);
        else if (text.width == 2) count_lines(static_cast<const uint16_t *>(text.data), count, places);
        else count_lines(static_cast<const uint32_t *>(text.data), count, places);
    });
    return missing;
}

}  // namespace dedup
