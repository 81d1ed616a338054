// Exact figures about sets of shingles.
#include "shingles.hpp"

namespace dedup {

void overlaps(View<uint32_t> tokens, View<int64_t> offsets, size_t ngram, View<int64_t> pairs, unsigned jobs,
              int64_t *out) {
    each_pair(tokens, offsets, ngram, pairs, jobs, [&](size_t i, Texts &texts, const HashSet &first, HashSet &second) {
        auto other = static_cast<size_t>(pairs[2 * i + 1]);
        int64_t shared = 0;
        second.clear(texts.size(other));
        for (uint64_t h : texts.shingles(other))
            if (second.insert(h)) shared += first.contains(h);
        out[3 * i] = shared;
        out[3 * i + 1] = static_cast<int64_t>(first.size());
        out[3 * i + 2] = static_cast<int64_t>(second.size());
    });
}

// Sets a byte to 1 that other threads may set to 1 at the same time.
static void mark(uint8_t *byte) {
    static_assert(sizeof(std::atomic<uint8_t>) == 1, "an atomic byte is a byte");
    reinterpret_cast<std::atomic<uint8_t> *>(byte)->store(1, std::memory_order_relaxed);
}

void explained(View<uint32_t> tokens, View<int64_t> offsets, size_t ngram, View<int64_t> pairs, unsigned jobs,
               uint8_t *out) {
    each_pair(tokens, offsets, ngram, pairs, jobs, [&](size_t i, Texts &texts, const HashSet &kept, HashSet &) {
        auto copy = static_cast<size_t>(pairs[2 * i + 1]);
        uint8_t *marks = out + offsets[copy];
        size_t length = std::min(ngram, texts.size(copy));
        for (uint64_t h : texts.shingles(copy)) {
            if (kept.contains(h))
                for (size_t k = 0; k < length; ++k) mark(marks + k);
            ++marks;
        }
    });
}

void sampled(View<uint32_t> tokens, View<int64_t> offsets, size_t ngram, View<int64_t> pairs, size_t count,
             unsigned jobs, int64_t *out) {
    std::vector<uint32_t> numbers(offsets.size, NONE);  // of the documents whose sketch is needed
    for (size_t i = 1; i < pairs.size; i += 2) numbers[static_cast<size_t>(pairs[i])] = 0;
    uint32_t needed = 0;
    for (uint32_t &number : numbers)
        if (number != NONE) number = needed++;
    std::vector<uint64_t> sketches(needed * count);
    auto parts = ranges(offsets, GRAIN);
    parallel(parts.size() - 1, jobs, [&](size_t part) {
        Texts texts(tokens, offsets, ngram);
        Lowest smallest(count);
        for (size_t doc = parts[part]; doc < parts[part + 1]; ++doc)
            if (numbers[doc] != NONE) smallest.of(texts.shingles(doc), sketches.data() + numbers[doc] * count);
    });
    each_pair(tokens, offsets, ngram, pairs, jobs, [&](size_t i, Texts &, const HashSet &first, HashSet &) {
        const uint64_t *sketch = sketches.data() + numbers[static_cast<size_t>(pairs[2 * i + 1])] * count;
        const uint64_t *end = std::find(sketch, sketch + count, NO_HASH);
        out[2 * i] = std::count_if(sketch, end, [&](uint64_t h) { return first.contains(h); });
        out[2 * i + 1] = end - sketch;
    });
}

void recurrences(View<uint32_t> tokens, View<int64_t> spans, View<int64_t> bounds, size_t length, unsigned jobs,
                 int64_t *out) {
    constexpr size_t GROUPS = 64;  // a unit of work
    size_t count = bounds.size - 1;
    parallel((count + GROUPS - 1) / GROUPS, jobs, [&](size_t part) {
        std::vector<std::pair<uint64_t, uint32_t>> shingles;  // with the span that holds them
        for (size_t group = part * GROUPS; group < std::min(count, (part + 1) * GROUPS); ++group) {
            shingles.clear();
            for (int64_t span = bounds[group]; span < bounds[group + 1]; ++span) {
                int64_t ends[] = {spans[2 * span], spans[2 * span + 1]};
                Texts one(tokens, {ends, 2}, length);
                for (uint64_t h : one.shingles(0)) shingles.push_back({h, static_cast<uint32_t>(span - bounds[group])});
            }
            std::sort(shingles.begin(), shingles.end());
            for (size_t from = 0, to; from < shingles.size(); from = to) {
                for (to = from + 1; to < shingles.size() && shingles[to].first == shingles[from].first;) ++to;
                for (size_t i = from; i < to; ++i)
                    out[bounds[group] + shingles[i].second] += static_cast<int64_t>(to - from - 1);
            }
        }
    });
}

}  // namespace dedup
