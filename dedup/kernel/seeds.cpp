// Periodic text, and the adaptive seeds that passages grow from.
#include "kernel.hpp"

#include <algorithm>
#include <cstring>

namespace dedup {
namespace {

// ---- periods -------------------------------------------------------------------------------------------------

constexpr int64_t WINDOW = 8;     // tokens that must repeat before a period is looked at
constexpr int64_t DROP = 16;      // by which a period's score may fall before it ends
constexpr int64_t BRIDGED = 64;   // the longest period that may be out of step once
constexpr size_t MEMORY = 4096;   // places remembered in a document: longer periods are ordinary repeats

// The place up to which tokens go on to equal those `shift` away, with up to a third of them changed.
// A word more or less puts one period out of step: that much is borne.
int64_t reach(const uint32_t *tokens, int64_t from, int64_t limit, int64_t step, int64_t shift) {
    int64_t best = from, score = 0, top = 0, drop = DROP + 2 * std::min(shift < 0 ? -shift : shift, BRIDGED);
    for (int64_t i = from; i != limit && top - score <= drop;) {
        score += tokens[i] == tokens[i + shift] ? 1 : -2;
        i += step;
        if (score > top) {
            top = score;
            best = i;
        }
    }
    return best;
}

void document_periods(const uint32_t *tokens, int64_t document, int64_t begin, int64_t end, int64_t minimum,
                      std::vector<int64_t> &last, std::vector<Period> &out) {
    std::fill(last.begin(), last.end(), -1);
    int64_t floor = begin, seen_period = 0, seen_end = 0;
    uint64_t power = 1, window = 0;  // of the polynomial's first term; the polynomial over WINDOW tokens from `at` on
    for (int64_t i = 1; i < WINDOW; ++i) power *= BASE;
    int64_t at = -1;
    for (int64_t i = begin; i + WINDOW <= end; ++i) {
        if (at >= 0 && i == at + 1) window = (window - power * tokens[at]) * BASE + tokens[at + WINDOW];
        else window = polynomial(tokens + i, WINDOW);
        at = i;
        int64_t &slot = last[mix64(window) >> 52];
        int64_t before = slot;
        slot = i;
        if (before < floor || std::memcmp(tokens + i, tokens + before, WINDOW * sizeof *tokens) != 0) continue;
        int64_t period = i - before;
        if (period == seen_period && i < seen_end) continue;
        int64_t e = reach(tokens, i + WINDOW, end, 1, -period), s = reach(tokens, before - 1, floor - 1, -1, period) + 1;
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

constexpr size_t SLICES = 256;  // a key is 40 bits of the hash: the top 8 choose the slice, 32 are sorted
constexpr size_t ROUND = size_t{1} << 26;  // records held at a time, about
constexpr unsigned RADIX = 11;             // bits of a sorting pass
constexpr int64_t CONTEXT = 32;            // tokens by which places that are still hot are sorted

inline int64_t limit(View<int64_t> offsets, int64_t position) {  // end of the document there
    return *std::upper_bound(offsets.begin(), offsets.end(), position);
}

// What a thread works in, one piece of text after another.
struct Scratch {
    std::vector<uint64_t> records, other;
    std::vector<std::pair<uint64_t, uint32_t>> found;  // keys and positions
};
thread_local Scratch scratch;

// Sorts records by their upper half; the lower half, the position, stays in order.
void sort_records(uint64_t *records, size_t count) {
    if (count < 256) {
        std::sort(records, records + count);
        return;
    }
    auto &other = scratch.other;
    if (other.size() < count) other.resize(count);
    uint64_t *from = records, *to = other.data();
    for (unsigned shift = 32; shift < 64; shift += RADIX) {
        uint32_t places[1 << RADIX] = {};
        for (size_t i = 0; i < count; ++i) ++places[from[i] >> shift & ((1 << RADIX) - 1)];
        uint32_t at = 0;
        for (uint32_t &place : places) {
            uint32_t n = place;
            place = at;
            at += n;
        }
        for (size_t i = 0; i < count; ++i) to[places[from[i] >> shift & ((1 << RADIX) - 1)]++] = from[i];
        std::swap(from, to);
    }
    if (from != records) std::memcpy(records, from, count * sizeof *records);
}

class Builder {
  public:
    Builder(View<uint32_t> tokens, View<int64_t> offsets, uint32_t cap, unsigned jobs, uint32_t *members,
            uint32_t *slots)
        : tokens_(tokens), offsets_(offsets), cap_(cap), jobs_(jobs), members_(members), slots_(slots),
          parts_((tokens.size + GRAIN - 1) / GRAIN) {}

    SeedIndex run(View<uint8_t> quiet) {
        std::fill_n(slots_, tokens_.size, NONE);
        next_.resize(tokens_.size);
        for (size_t i = 0; i < tokens_.size; ++i) next_[i] = quiet[i] ? 0 : SHORTEST;
        for (size_t k = SHORTEST; k <= LONGEST; ++k) {
            index_.starts[k - SHORTEST] = held_members_;
            level(k);
        }
        index_.starts[HOT] = held_members_;
        append(hot_);
        index_.starts[HOT + 1] = held_members_;
        return index_;
    }

  private:
    using Slice = std::vector<uint32_t>;

    // The records of one part of the text, those of slice s from starts[s] to starts[s + 1].
    struct Part {
        std::vector<uint64_t> records;
        uint32_t starts[SLICES + 1];
    };

    void level(size_t k) {
        size_t active = 0;
        for (uint8_t next : next_) active += next == k;
        size_t rounds = active / ROUND + 1;
        for (size_t i = 0; i < rounds; ++i) round(k, SLICES * i / rounds, SLICES * (i + 1) / rounds);
    }

    // Calls use(position, key) for every place of a part that shorter seeds left open.
    template <class Use> void each_active(size_t k, size_t part, Use use) const {
        int64_t i = static_cast<int64_t>(part) * GRAIN, end = i + GRAIN;
        end = std::min(end, static_cast<int64_t>(tokens_.size));
        while (i < end) {  // one document after the other
            int64_t next = limit(offsets_, i), stop = std::min(end, next - static_cast<int64_t>(k) + 1);
            for (; i < stop; ++i)
                if (next_[i] == k) use(i, mix64(polynomial(tokens_.data + i, k)) >> 24);
            i = next;
        }
    }

    void round(size_t k, size_t from, size_t to) {
        parallel(parts_.size(), jobs_, [&](size_t part) { fill(k, from, to, part); });
        std::vector<Slice> slices(to - from), hot(to - from);
        parallel(to - from, jobs_, [&](size_t s) {
            auto &records = scratch.records;
            records.clear();
            for (const Part &part : parts_)
                records.insert(records.end(), part.records.data() + part.starts[from + s],
                               part.records.data() + part.starts[from + s + 1]);
            sort_records(records.data(), records.size());
            group(k, records.data(), records.size(), slices[s], hot[s]);
        });
        append(slices);
        for (auto &slice : hot)
            if (!slice.empty()) hot_.push_back(std::move(slice));
    }

    // The records of a part, put in order of their slices while they are in the nearest cache.
    void fill(size_t k, size_t from, size_t to, size_t number) {
        auto &found = scratch.found;
        found.clear();
        Part &part = parts_[number];
        std::fill_n(part.starts, SLICES + 1, 0);
        each_active(k, number, [&](int64_t i, uint64_t key) {
            size_t s = key >> 32;
            if (s < from || s >= to) return;
            found.push_back({key, static_cast<uint32_t>(i)});
            ++part.starts[s + 1];
        });
        for (size_t s = 0; s < SLICES; ++s) part.starts[s + 1] += part.starts[s];
        uint32_t next[SLICES];
        std::copy_n(part.starts, SLICES, next);
        part.records.resize(found.size());
        for (auto [key, i] : found) part.records[next[key >> 32]++] = key << 32 | i;
    }

    void group(size_t k, uint64_t *records, size_t count, Slice &slice, Slice &hot) {
        for (size_t from = 0, to; from < count; from = to) {
            for (to = from + 1; to < count && records[to] >> 32 == records[from] >> 32;) ++to;
            size_t size = to - from;
            if (size == 1) continue;
            if (size <= cap_) add(records + from, size, slice);
            else if (k == LONGEST) {
                neighbours(records + from, size);
                add(records + from, size, hot);
            } else
                for (size_t i = from; i < to; ++i)
                    next_[static_cast<uint32_t>(records[i])] = static_cast<uint8_t>(k + 1);
        }
    }

    static void add(const uint64_t *records, size_t count, Slice &slice) {
        for (size_t i = 0; i < count; ++i)
            slice.push_back(static_cast<uint32_t>(records[i]) | (i + 1 == count ? LAST : 0));
    }

    // Sorts the places of a hot shingle by the tokens that follow it, so that those alike longest stand together.
    void neighbours(uint64_t *records, size_t count) const {
        struct Place {
            int64_t from, to;
        };
        std::vector<Place> places(count);
        for (size_t i = 0; i < count; ++i) {
            int64_t at = static_cast<uint32_t>(records[i]);
            places[i] = {at, std::min(at + CONTEXT, limit(offsets_, at))};
        }
        std::sort(places.begin(), places.end(), [t = tokens_.data](const Place &x, const Place &y) {
            int64_t i = x.from + LONGEST, j = y.from + LONGEST;
            for (; i < x.to && j < y.to; ++i, ++j)
                if (t[i] != t[j]) return t[i] < t[j];
            if ((i < x.to) != (j < y.to)) return j < y.to;
            return x.from < y.from;
        });
        for (size_t i = 0; i < count; ++i) records[i] = static_cast<uint64_t>(places[i].from);
    }

    void append(std::vector<Slice> &slices) {
        std::vector<uint32_t> starts(slices.size() + 1, held_members_);
        for (size_t s = 0; s < slices.size(); ++s) starts[s + 1] = starts[s] + static_cast<uint32_t>(slices[s].size());
        parallel(slices.size(), jobs_, [&](size_t s) {
            uint32_t at = starts[s];
            for (uint32_t member : slices[s]) {
                members_[at] = member;
                slots_[member & ~LAST] = at++;
            }
            Slice().swap(slices[s]);
        });
        held_members_ = starts.back();
    }

    View<uint32_t> tokens_;
    View<int64_t> offsets_;
    uint32_t cap_;
    unsigned jobs_;
    uint32_t *members_, *slots_;
    std::vector<uint8_t> next_;  // by place: the length at which it is still open
    std::vector<Part> parts_;
    uint32_t held_members_ = 0;
    std::vector<Slice> hot_;
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

SeedIndex seed_index(View<uint32_t> tokens, View<int64_t> offsets, View<uint8_t> quiet, uint32_t cap,
                     unsigned jobs, uint32_t *members, uint32_t *slots) {
    SeedIndex index = Builder(tokens, offsets, cap, jobs, members, slots).run(quiet);
    scratch = Scratch();  // the other threads are gone, and theirs with them
    return index;
}

}  // namespace dedup
