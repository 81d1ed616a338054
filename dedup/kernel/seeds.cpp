// Periodic text, and the adaptive seeds that passages grow from.
#include "kernel.hpp"

#include <algorithm>
#include <cstring>

namespace dedup {
namespace {

constexpr int64_t GRAIN = 1 << 18;  // tokens a unit of work

// ---- periods -------------------------------------------------------------------------------------------------

constexpr int64_t WINDOW = 8;     // tokens that must repeat before a period is looked at
constexpr size_t MEMORY = 4096;   // places remembered in a document: longer periods are ordinary repeats

void document_periods(const uint32_t *tokens, int64_t document, int64_t begin, int64_t end, int64_t minimum,
                      std::vector<int64_t> &last, std::vector<Period> &out) {
    std::fill(last.begin(), last.end(), -1);
    int64_t floor = begin, seen_period = 0, seen_end = 0;
    for (int64_t i = begin; i + WINDOW <= end; ++i) {
        int64_t &slot = last[mix64(polynomial(tokens + i, WINDOW)) >> 52];
        int64_t before = slot;
        slot = i;
        if (before < floor || std::memcmp(tokens + i, tokens + before, WINDOW * sizeof *tokens) != 0) continue;
        int64_t period = i - before;
        if (period == seen_period && i < seen_end) continue;
        int64_t s = before, e = i + WINDOW;
        while (s > floor && tokens[s - 1] == tokens[s - 1 + period]) --s;
        while (e < end && tokens[e] == tokens[e - period]) ++e;
        if (e - s >= 3 * period && weight(tokens, s + period, e) >= minimum) {
            out.push_back({document, s, e, period});
            floor = e;
            i = e - 1;
        } else {
            seen_period = period;
            seen_end = e;
        }
    }
}

// ---- seeds ---------------------------------------------------------------------------------------------------

constexpr uint8_t ACTIVE = 254;      // in levels, while the index is built: not yet decided
constexpr unsigned SLICE_BITS = 10;  // key: 40 bits of the hash; the top 10 choose the slice, 30 are sorted
constexpr size_t SLICES = size_t{1} << SLICE_BITS;
constexpr size_t ROUND = size_t{1} << 24;  // records held at a time
constexpr size_t SHORTEST = 2, LONGEST = 8;
constexpr int64_t CONTEXT = 32;  // tokens by which places that are still hot are sorted

inline int64_t limit(const int64_t *offsets, size_t count, int64_t position) {  // end of the document there
    return *std::upper_bound(offsets, offsets + count + 1, position);
}

class Builder {
  public:
    Builder(View<uint32_t> tokens, View<int64_t> offsets, uint32_t cap, unsigned jobs)
        : tokens_(tokens), offsets_(offsets), cap_(cap), jobs_(jobs), bounds_(ranges(offsets, GRAIN)) {}

    SeedIndex run(View<uint8_t> posting) {
        index_.slots.assign(tokens_.size, NONE);
        index_.levels.resize(tokens_.size);
        for (size_t i = 0; i < tokens_.size; ++i) index_.levels[i] = posting[i] ? ACTIVE : 0;
        for (size_t k = SHORTEST; k <= LONGEST; ++k) level(k);
        return std::move(index_);
    }

  private:
    struct Slice {
        std::vector<uint32_t> members;
    };

    void level(size_t k) {
        size_t parts = bounds_.size() - 1;
        std::vector<std::vector<uint32_t>> counts(parts, std::vector<uint32_t>(SLICES, 0));
        parallel(parts, jobs_, [&](size_t part) {
            each_active(k, part, [&](int64_t, uint64_t key) { ++counts[part][key >> 30]; });
        });
        std::vector<uint64_t> totals(SLICES, 0);
        for (auto &row : counts)
            for (size_t s = 0; s < SLICES; ++s) totals[s] += row[s];
        for (size_t from = 0, to; from < SLICES; from = to) {
            uint64_t size = 0;
            for (to = from; to < SLICES && (to == from || size + totals[to] <= ROUND); ++to) size += totals[to];
            if (size) round(k, from, to, size, counts);
        }
    }

    // Calls use(position, key) for every undecided place of a part; a place too near its document's end is decided.
    template <class Use> void each_active(size_t k, size_t part, Use use) {
        for (size_t doc = bounds_[part]; doc < bounds_[part + 1]; ++doc) {
            int64_t end = offsets_[doc + 1], last = end - static_cast<int64_t>(k);
            for (int64_t i = offsets_[doc]; i < end; ++i) {
                if (index_.levels[i] != ACTIVE) continue;
                if (i > last) index_.levels[i] = 0;
                else use(i, mix64(polynomial(tokens_.data + i, k)) >> 24);
            }
        }
    }

    void round(size_t k, size_t from, size_t to, uint64_t size, const std::vector<std::vector<uint32_t>> &counts) {
        size_t parts = bounds_.size() - 1, wide = to - from;
        std::vector<uint64_t> starts(wide + 1, 0), records(size);
        std::vector<std::vector<uint64_t>> places(parts, std::vector<uint64_t>(wide));
        uint64_t at = 0;
        for (size_t s = 0; s < wide; ++s) {
            starts[s] = at;
            for (size_t part = 0; part < parts; ++part) {
                places[part][s] = at;
                at += counts[part][from + s];
            }
        }
        starts[wide] = at;
        parallel(parts, jobs_, [&](size_t part) {
            auto &place = places[part];
            each_active(k, part, [&](int64_t i, uint64_t key) {
                size_t s = key >> 30;
                if (s >= from && s < to)
                    records[place[s - from]++] = (key & 0x3FFFFFFF) << 32 | static_cast<uint32_t>(i);
            });
        });
        std::vector<Slice> slices(wide);
        parallel(wide, jobs_, [&](size_t s) {
            sort(records.data() + starts[s], starts[s + 1] - starts[s]);
            group(k, records.data() + starts[s], starts[s + 1] - starts[s], slices[s]);
        });
        append(slices);
    }

    static void sort(uint64_t *records, size_t count) {  // by the key, positions stay in order
        if (count < 256) {
            std::sort(records, records + count);
            return;
        }
        std::vector<uint64_t> other(count);
        uint64_t *from = records, *to = other.data();
        for (unsigned shift = 32; shift < 62; shift += 10) {
            uint32_t places[1024] = {};
            for (size_t i = 0; i < count; ++i) ++places[from[i] >> shift & 1023];
            uint32_t at = 0;
            for (uint32_t &place : places) {
                uint32_t n = place;
                place = at;
                at += n;
            }
            for (size_t i = 0; i < count; ++i) to[places[from[i] >> shift & 1023]++] = from[i];
            std::swap(from, to);
        }
        std::memcpy(records, from, count * sizeof *records);
    }

    void group(size_t k, uint64_t *records, size_t count, Slice &slice) {
        for (size_t from = 0, to; from < count; from = to) {
            for (to = from + 1; to < count && records[to] >> 32 == records[from] >> 32;) ++to;
            size_t size = to - from;
            if (size > cap_ && k < LONGEST) continue;
            uint8_t level = size == 1 ? 0 : size > cap_ ? HOT : static_cast<uint8_t>(k);
            if (level == HOT) neighbours(records + from, size);
            for (size_t i = from; i < to; ++i) {
                uint32_t position = static_cast<uint32_t>(records[i]);
                index_.levels[position] = level;
                if (!level) continue;
                slice.members.push_back(position | (i + 1 == to ? LAST : 0));
            }
        }
    }

    // Sorts the places of a hot shingle by the tokens that follow it, so that those alike longest stand together.
    void neighbours(uint64_t *records, size_t count) const {
        auto less = [this](uint64_t x, uint64_t y) {
            uint32_t a = static_cast<uint32_t>(x), b = static_cast<uint32_t>(y);
            int64_t a_end = std::min<int64_t>(a + CONTEXT, limit(offsets_.data, offsets_.size - 1, a));
            int64_t b_end = std::min<int64_t>(b + CONTEXT, limit(offsets_.data, offsets_.size - 1, b));
            const uint32_t *t = tokens_.data;
            int64_t i = a + LONGEST, j = b + LONGEST;
            for (; i < a_end && j < b_end; ++i, ++j)
                if (t[i] != t[j]) return t[i] < t[j];
            if ((i < a_end) != (j < b_end)) return j < b_end;
            return a < b;
        };
        std::sort(records, records + count, less);
    }

    void append(std::vector<Slice> &slices) {
        std::vector<size_t> starts(slices.size() + 1, index_.members.size());
        for (size_t s = 0; s < slices.size(); ++s) starts[s + 1] = starts[s] + slices[s].members.size();
        index_.members.resize(starts.back());
        parallel(slices.size(), jobs_, [&](size_t s) {
            size_t at = starts[s];
            for (uint32_t member : slices[s].members) {
                index_.members[at] = member;
                index_.slots[member & ~LAST] = static_cast<uint32_t>(at++);
            }
        });
    }

    View<uint32_t> tokens_;
    View<int64_t> offsets_;
    uint32_t cap_;
    unsigned jobs_;
    std::vector<size_t> bounds_;
    SeedIndex index_;
};

}  // namespace

std::vector<Period> periods(View<uint32_t> tokens, View<int64_t> offsets, int64_t minimum, unsigned jobs) {
    auto bounds = ranges(offsets, GRAIN);
    std::vector<std::vector<Period>> parts(bounds.size() - 1);
    parallel(parts.size(), jobs, [&](size_t part) {
        std::vector<int64_t> last(MEMORY);
        for (size_t doc = bounds[part]; doc < bounds[part + 1]; ++doc)
            document_periods(tokens.data, static_cast<int64_t>(doc), offsets[doc], offsets[doc + 1], minimum, last,
                             parts[part]);
    });
    std::vector<Period> all;
    for (auto &part : parts) all.insert(all.end(), part.begin(), part.end());
    return all;
}

SeedIndex seed_index(View<uint32_t> tokens, View<int64_t> offsets, View<uint8_t> posting, uint32_t cap,
                     unsigned jobs) {
    return Builder(tokens, offsets, cap, jobs).run(posting);
}

}  // namespace dedup
