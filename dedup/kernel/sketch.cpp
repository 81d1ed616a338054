// Documents: shingles, MinHash signatures, bands, exact set figures, and probes for containment.
#include "kernel.hpp"

#include <algorithm>
#include <cstring>

namespace dedup {
namespace {

constexpr int64_t GRAIN = 1 << 18;  // tokens a unit of work

inline uint32_t mix32(uint32_t h) {  // MurmurHash3 finaliser: datasketch's pre-mix for affine32
    h = (h ^ (h >> 16)) * 0x85EBCA6Bu;
    h = (h ^ (h >> 13)) * 0xC2B2AE35u;
    return h ^ (h >> 16);
}

constexpr size_t LANES = 64;  // permutations kept in registers: four AVX-512 registers

// minima[k] = min over hashes of a[k] * hash + b[k] mod 2^32, for LANES permutations.
DEDUP_CLONES
void minimise(const uint32_t *hashes, size_t count, const uint32_t *a, const uint32_t *b, uint32_t *minima) {
    uint32_t low[LANES], mul[LANES], add[LANES];
    for (size_t k = 0; k < LANES; ++k) {
        low[k] = 0xFFFFFFFFu;
        mul[k] = a[k];
        add[k] = b[k];
    }
    for (size_t i = 0; i < count; ++i) {
        uint32_t h = hashes[i];
        for (size_t k = 0; k < LANES; ++k) {
            uint32_t v = mul[k] * h + add[k];
            low[k] = v < low[k] ? v : low[k];
        }
    }
    std::memcpy(minima, low, sizeof low);
}

// A set of 64-bit hashes that is emptied in O(1): open addressing, entries stamped with a generation.
class HashSet {
  public:
    void clear(size_t expected) {
        size_t wanted = 64;
        while (wanted < expected * 2) wanted *= 2;
        if (wanted > keys_.size()) {
            keys_.assign(wanted, 0);
            stamps_.assign(wanted, 0);
            generation_ = 0;
        }
        mask_ = wanted - 1;
        if (++generation_ == 0) {
            std::fill(stamps_.begin(), stamps_.end(), 0);
            generation_ = 1;
        }
        size_ = 0;
    }
    bool insert(uint64_t key) {  // true if it was not there
        size_t at = find(key);
        if (stamps_[at] == generation_) return false;
        stamps_[at] = generation_;
        keys_[at] = key;
        ++size_;
        return true;
    }
    bool contains(uint64_t key) const { return stamps_[find(key)] == generation_; }
    size_t size() const { return size_; }

  private:
    size_t find(uint64_t key) const {
        size_t at = key & mask_;
        while (stamps_[at] == generation_ && keys_[at] != key) at = (at + 1) & mask_;
        return at;
    }
    std::vector<uint64_t> keys_;
    std::vector<uint32_t> stamps_;
    size_t mask_ = 0, size_ = 0;
    uint32_t generation_ = 0;
};

struct Texts {
    View<uint32_t> tokens;
    View<int64_t> offsets;
    size_t ngram;
    size_t size(int64_t doc) const { return static_cast<size_t>(offsets[doc + 1] - offsets[doc]); }
    const uint32_t *at(int64_t doc) const { return tokens.data + offsets[doc]; }
    template <class Use> void each(int64_t doc, Use use) const { each_shingle(at(doc), size(doc), ngram, use); }
    void fill(int64_t doc, HashSet &set) const {
        set.clear(size(doc));
        each(doc, [&](uint64_t h) { set.insert(h); });
    }
};

// Runs of equal first documents in a list of pairs: each run is one unit of work.
std::vector<size_t> runs(View<int64_t> pairs) {
    std::vector<size_t> bounds{0};
    size_t count = pairs.size / 2;
    for (size_t i = 1; i <= count; ++i)
        if (i == count || pairs[2 * i] != pairs[2 * i - 2]) bounds.push_back(i);
    if (count == 0) bounds.assign(1, 0);
    return bounds;
}

// Calls task(first pair, last pair) for blocks of runs, so that many short runs cost one task.
template <class Task> void each_block(const std::vector<size_t> &bounds, unsigned jobs, Task task) {
    constexpr size_t BLOCK = 16;
    size_t count = bounds.size() - 1;
    parallel((count + BLOCK - 1) / BLOCK, jobs,
             [&](size_t block) { task(block * BLOCK, std::min(count, (block + 1) * BLOCK)); });
}

}  // namespace

void digests(View<uint32_t> tokens, View<int64_t> offsets, unsigned jobs, uint64_t *out) {
    auto bounds = ranges(offsets, GRAIN);
    parallel(bounds.size() - 1, jobs, [&](size_t part) {
        for (size_t doc = bounds[part]; doc < bounds[part + 1]; ++doc) {
            size_t count = static_cast<size_t>(offsets[doc + 1] - offsets[doc]);
            out[doc] = mix64(polynomial(tokens.data + offsets[doc], count) ^ count);
        }
    });
}

void sign(View<uint32_t> tokens, View<int64_t> offsets, size_t ngram, View<uint32_t> multipliers,
          View<uint32_t> increments, unsigned jobs, uint32_t *out) {
    size_t num_perm = multipliers.size;
    size_t padded = (num_perm + LANES - 1) / LANES * LANES;
    std::vector<uint32_t> a(padded, 1), b(padded, 0);
    std::copy(multipliers.begin(), multipliers.end(), a.begin());
    std::copy(increments.begin(), increments.end(), b.begin());
    auto bounds = ranges(offsets, GRAIN);
    parallel(bounds.size() - 1, jobs, [&](size_t part) {
        std::vector<uint32_t> hashes, minima(padded);
        for (size_t doc = bounds[part]; doc < bounds[part + 1]; ++doc) {
            hashes.clear();
            Texts{tokens, offsets, ngram}.each(static_cast<int64_t>(doc), [&](uint64_t h) {
                hashes.push_back(mix32(static_cast<uint32_t>(h)));
            });
            for (size_t k = 0; k < padded; k += LANES)
                minimise(hashes.data(), hashes.size(), a.data() + k, b.data() + k, minima.data() + k);
            std::copy_n(minima.data(), num_perm, out + doc * num_perm);
        }
    });
}

std::vector<std::vector<uint64_t>> shingles(View<uint32_t> tokens, View<int64_t> offsets, size_t ngram,
                                            unsigned jobs) {
    std::vector<std::vector<uint64_t>> out(offsets.size - 1);
    auto bounds = ranges(offsets, GRAIN);
    parallel(bounds.size() - 1, jobs, [&](size_t part) {
        for (size_t doc = bounds[part]; doc < bounds[part + 1]; ++doc) {
            auto &set = out[doc];
            Texts{tokens, offsets, ngram}.each(static_cast<int64_t>(doc), [&](uint64_t h) { set.push_back(h); });
            std::sort(set.begin(), set.end());
            set.erase(std::unique(set.begin(), set.end()), set.end());
        }
    });
    return out;
}

void overlaps(View<uint32_t> tokens, View<int64_t> offsets, size_t ngram, View<int64_t> pairs, unsigned jobs,
              int64_t *out) {
    Texts texts{tokens, offsets, ngram};
    auto bounds = runs(pairs);
    each_block(bounds, jobs, [&](size_t from, size_t to) {
        HashSet first, second;
        for (size_t run = from; run < to; ++run) {
            texts.fill(pairs[2 * bounds[run]], first);
            for (size_t i = bounds[run]; i < bounds[run + 1]; ++i) {
                int64_t shared = 0;
                second.clear(texts.size(pairs[2 * i + 1]));
                texts.each(pairs[2 * i + 1], [&](uint64_t h) {
                    if (second.insert(h)) shared += first.contains(h);
                });
                out[3 * i] = shared;
                out[3 * i + 1] = static_cast<int64_t>(first.size());
                out[3 * i + 2] = static_cast<int64_t>(second.size());
            }
        }
    });
}

void explained(View<uint32_t> tokens, View<int64_t> offsets, size_t ngram, View<int64_t> pairs, unsigned jobs,
               uint8_t *out) {
    Texts texts{tokens, offsets, ngram};
    auto bounds = runs(pairs);
    each_block(bounds, jobs, [&](size_t from, size_t to) {
        HashSet kept;
        for (size_t run = from; run < to; ++run) {
            texts.fill(pairs[2 * bounds[run]], kept);
            for (size_t i = bounds[run]; i < bounds[run + 1]; ++i) {
                int64_t copy = pairs[2 * i + 1];
                uint8_t *marks = out + offsets[copy];
                size_t length = std::min(ngram, texts.size(copy)), at = 0;
                texts.each(copy, [&](uint64_t h) {
                    if (kept.contains(h)) std::fill_n(marks + at, length, uint8_t{1});
                    ++at;
                });
            }
        }
    });
}

std::vector<uint64_t> band_pairs(View<uint32_t> signatures, size_t num_perm, size_t bands, size_t rows,
                                 size_t bucket, unsigned jobs) {
    size_t count = signatures.size / num_perm;
    std::vector<std::vector<uint64_t>> found(bands);
    parallel(bands, jobs, [&](size_t band) {
        std::vector<std::pair<uint64_t, uint32_t>> keys(count);
        for (size_t doc = 0; doc < count; ++doc)
            keys[doc] = {mix64(polynomial(signatures.data + doc * num_perm + band * rows, rows)),
                         static_cast<uint32_t>(doc)};
        std::sort(keys.begin(), keys.end());
        auto &pairs = found[band];
        for (size_t from = 0, to; from < count; from = to) {
            for (to = from + 1; to < count && keys[to].first == keys[from].first;) ++to;
            for (size_t j = from + 1; j < to; ++j) {
                size_t i = to - from <= bucket ? from : j - 1;  // a crowded bucket links to its first and in a row
                if (i != from) pairs.push_back(uint64_t{keys[from].second} << 32 | keys[j].second);
                for (; i < j; ++i) pairs.push_back(uint64_t{keys[i].second} << 32 | keys[j].second);
            }
        }
    });
    std::vector<uint64_t> all;
    for (auto &pairs : found) {
        all.insert(all.end(), pairs.begin(), pairs.end());
        std::vector<uint64_t>().swap(pairs);
    }
    std::sort(all.begin(), all.end());
    all.erase(std::unique(all.begin(), all.end()), all.end());
    return all;
}

// ---- containment ---------------------------------------------------------------------------------------------

namespace {

using Probe = std::pair<uint32_t, uint32_t>;  // index of a probe hash, document

// The `count` smallest distinct shingle hashes of a document, ascending.
std::vector<uint64_t> smallest(const Texts &texts, int64_t doc, size_t count) {
    std::vector<uint64_t> low;
    low.reserve(4 * count);
    auto shrink = [&] {
        std::sort(low.begin(), low.end());
        low.erase(std::unique(low.begin(), low.end()), low.end());
        if (low.size() > count) low.resize(count);
    };
    uint64_t limit = ~uint64_t{0};
    texts.each(doc, [&](uint64_t h) {
        if (h > limit) return;
        low.push_back(h);
        if (low.size() == 4 * count) {
            shrink();
            if (low.size() == count) limit = low.back();
        }
    });
    shrink();
    return low;
}

// All probes, ascending. Most shingles are none: a filter that fits the cache answers for them (a Bloom filter of two
// bits in one word), and before it the top bits, for probes are the smallest hashes of a document.
class ProbeTable {
  public:
    explicit ProbeTable(std::vector<uint64_t> hashes) : hashes_(std::move(hashes)) {
        while (mask_ + 1 < hashes_.size() * 2) mask_ = 2 * mask_ + 1;
        table_.assign(mask_ + 1, NONE);
        filter_.assign((mask_ >> 4) + 1, 0);
        for (size_t i = 0; i < hashes_.size(); ++i) {
            uint64_t h = hashes_[i];
            tops_ |= uint64_t{1} << (h >> 58);
            filter_[word(h)] |= bits(h);
            size_t at = h & mask_;
            while (table_[at] != NONE) at = (at + 1) & mask_;
            table_[at] = static_cast<uint32_t>(i);
        }
    }
    uint32_t find(uint64_t h) const {  // NONE where it is not a probe
        if (!(tops_ >> (h >> 58) & 1) || (filter_[word(h)] & bits(h)) != bits(h)) return NONE;
        for (size_t at = h & mask_; table_[at] != NONE; at = (at + 1) & mask_)
            if (hashes_[table_[at]] == h) return table_[at];
        return NONE;
    }
    size_t size() const { return hashes_.size(); }

  private:
    size_t word(uint64_t h) const { return h & (mask_ >> 4); }
    static uint64_t bits(uint64_t h) { return uint64_t{1} << (h >> 32 & 63) | uint64_t{1} << (h >> 38 & 63); }
    std::vector<uint64_t> hashes_;
    std::vector<uint32_t> table_;
    std::vector<uint64_t> filter_;
    uint64_t tops_ = 0;
    size_t mask_ = 1023;
};

std::vector<Probe> occurrences(const Texts &texts, const ProbeTable &table, unsigned jobs) {
    auto bounds = ranges(texts.offsets, GRAIN);
    std::vector<std::vector<Probe>> parts(bounds.size() - 1);
    parallel(parts.size(), jobs, [&](size_t part) {
        for (size_t doc = bounds[part]; doc < bounds[part + 1]; ++doc) {
            size_t before = parts[part].size();
            texts.each(static_cast<int64_t>(doc), [&](uint64_t h) {
                uint32_t probe = table.find(h);
                if (probe != NONE) parts[part].push_back({probe, static_cast<uint32_t>(doc)});
            });
            auto from = parts[part].begin() + static_cast<ptrdiff_t>(before);
            std::sort(from, parts[part].end());
            parts[part].erase(std::unique(from, parts[part].end()), parts[part].end());
        }
    });
    std::vector<Probe> all;
    for (auto &part : parts) all.insert(all.end(), part.begin(), part.end());
    std::sort(all.begin(), all.end());
    return all;
}

}  // namespace

std::vector<uint64_t> contained_pairs(View<uint32_t> tokens, View<int64_t> offsets, View<uint8_t> sought,
                                      const ContainedParameters &parameters, unsigned jobs) {
    Texts texts{tokens, offsets, parameters.ngram};
    size_t count = offsets.size - 1;
    std::vector<std::vector<uint64_t>> sketches(count);
    auto bounds = ranges(offsets, GRAIN);
    parallel(bounds.size() - 1, jobs, [&](size_t part) {
        for (size_t doc = bounds[part]; doc < bounds[part + 1]; ++doc)
            if (sought[doc] && texts.size(static_cast<int64_t>(doc)) >= parameters.minimum)
                sketches[doc] = smallest(texts, static_cast<int64_t>(doc), parameters.probes);
    });
    std::vector<uint64_t> hashes;
    for (auto &sketch : sketches) hashes.insert(hashes.end(), sketch.begin(), sketch.end());
    std::sort(hashes.begin(), hashes.end());
    hashes.erase(std::unique(hashes.begin(), hashes.end()), hashes.end());
    ProbeTable table(std::move(hashes));
    std::vector<Probe> found = occurrences(texts, table, jobs);
    std::vector<size_t> first(table.size() + 1, 0);
    for (const Probe &probe : found) ++first[probe.first + 1];
    for (size_t i = 0; i < table.size(); ++i) first[i + 1] += first[i];

    std::vector<std::vector<uint64_t>> parts(bounds.size() - 1);
    parallel(parts.size(), jobs, [&](size_t part) {
        std::vector<uint32_t> probes, hits;
        for (size_t doc = bounds[part]; doc < bounds[part + 1]; ++doc) {
            if (sketches[doc].empty()) continue;
            probes.clear();
            for (uint64_t h : sketches[doc]) probes.push_back(table.find(h));
            hits.clear();
            for (uint32_t p : probes)
                for (size_t i = first[p], end = std::min(first[p + 1], first[p] + parameters.bucket); i < end; ++i)
                    if (found[i].second < doc) hits.push_back(found[i].second);
            std::sort(hits.begin(), hits.end());
            size_t needed = std::min(parameters.needed, (probes.size() + 1) / 2);
            for (size_t from = 0, to; from < hits.size(); from = to) {
                for (to = from + 1; to < hits.size() && hits[to] == hits[from];) ++to;
                if (to - from >= needed) parts[part].push_back(uint64_t{hits[from]} << 32 | doc);
            }
        }
    });
    std::vector<uint64_t> all;
    for (auto &part : parts) all.insert(all.end(), part.begin(), part.end());
    std::sort(all.begin(), all.end());
    return all;
}

std::vector<int64_t> places(View<uint32_t> tokens, View<int64_t> offsets, size_t ngram, View<uint64_t> sought,
                            unsigned jobs) {
    ProbeTable table(std::vector<uint64_t>(sought.begin(), sought.end()));
    auto bounds = ranges(offsets, GRAIN);
    std::vector<std::vector<int64_t>> parts(bounds.size() - 1);
    parallel(parts.size(), jobs, [&](size_t part) {
        for (size_t doc = bounds[part]; doc < bounds[part + 1]; ++doc)
            for (int64_t i = offsets[doc], end = offsets[doc + 1] - static_cast<int64_t>(ngram); i <= end; ++i)
                if (table.find(mix64(polynomial(tokens.data + i, ngram))) != NONE) parts[part].push_back(i);
    });
    std::vector<int64_t> all;
    for (auto &part : parts) all.insert(all.end(), part.begin(), part.end());
    return all;
}

}  // namespace dedup
