// Documents: shingles, MinHash signatures, bands, exact set figures, and probes for containment.
#include "kernel.hpp"

#include <algorithm>
#include <cstring>

namespace dedup {
namespace {

constexpr int64_t GRAIN = 1 << 18;  // tokens a unit of work
constexpr uint64_t NO_HASH = ~uint64_t{0};  // fills up the sketch of a short document

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

// The documents, and their shingle hashes one document at a time; each thread has its own.
class Texts {
  public:
    Texts(View<uint32_t> tokens, View<int64_t> offsets, size_t ngram)
        : tokens_(tokens), offsets_(offsets), ngram_(ngram) {
        for (size_t i = 1; i < ngram; ++i) power_ *= BASE;
    }
    size_t size(size_t doc) const { return static_cast<size_t>(offsets_[doc + 1] - offsets_[doc]); }

    // Hashes of all shingles in order, `ngram` tokens each, or one of all tokens of a shorter text; valid until the
    // next call. Four stretches at a time: the steps of one wait for each other, those of four do not.
    View<uint64_t> shingles(size_t doc) {
        const uint32_t *tokens = tokens_.data + offsets_[doc];
        size_t count = size(doc), done = 0;
        if (count == 0) return {};
        size_t total = count > ngram_ ? count - ngram_ + 1 : 1;
        if (room_ < total) {
            room_ = std::max(total, room_ + room_ / 2);
            hashes_.reset();  // before there is more: a document may be most of the memory
            hashes_.reset(new uint64_t[room_]);
        }
        uint64_t *out = hashes_.get();
        if (count <= ngram_) {
            *out = mix64(polynomial(tokens, count));
            return {out, 1};
        }
        constexpr size_t STRETCHES = 4;
        if (size_t length = total / STRETCHES) {
            uint64_t h[STRETCHES];
            for (size_t s = 0; s < STRETCHES; ++s) h[s] = polynomial(tokens + s * length, ngram_ - 1);
            for (size_t i = 0; i < length; ++i)
                for (size_t s = 0; s < STRETCHES; ++s) out[s * length + i] = next(h[s], tokens + s * length + i);
            done = STRETCHES * length;
        }
        for (uint64_t h = polynomial(tokens + done, ngram_ - 1); done < total; ++done) out[done] = next(h, tokens + done);
        return {out, total};
    }
    void fill(size_t doc, HashSet &set) {
        set.clear(size(doc));
        for (uint64_t h : shingles(doc)) set.insert(h);
    }

  private:
    uint64_t next(uint64_t &h, const uint32_t *tokens) const {
        h = h * BASE + tokens[ngram_ - 1];
        uint64_t hash = mix64(h);
        h -= power_ * tokens[0];
        return hash;
    }
    View<uint32_t> tokens_;
    View<int64_t> offsets_;
    size_t ngram_;
    uint64_t power_ = 1;
    std::unique_ptr<uint64_t[]> hashes_;
    size_t room_ = 0;
};

// The smallest distinct hashes of a set, ascending: a bottom-k sketch. NO_HASH where the set has fewer.
class Lowest {
  public:
    explicit Lowest(size_t count) : count_(count) {}
    void of(View<uint64_t> hashes, uint64_t *out) {
        // Hashes are spread evenly: this many times the wanted ones lie below the limit, unless most are repeats.
        constexpr size_t SPARE = 4;
        uint64_t limit = hashes.size > SPARE * count_ ? NO_HASH / hashes.size * SPARE * count_ : NO_HASH;
        size_t found = below(limit, hashes);
        if (found < count_ && limit != NO_HASH) found = below(NO_HASH, hashes);
        found = std::min(found, count_);
        std::fill(std::copy_n(low_.begin(), found, out), out + count_, NO_HASH);
    }

  private:
    // Puts the lowest of those below the limit into low_; gives their number.
    size_t below(uint64_t limit, View<uint64_t> hashes) {
        constexpr size_t BLOCK = 1024;
        uint64_t block[BLOCK];
        low_.clear();
        for (size_t from = 0; from < hashes.size; from += BLOCK) {
            size_t found = 0;
            for (size_t i = from, to = std::min(hashes.size, from + BLOCK); i < to; ++i) {
                block[found] = hashes[i];  // without a branch: which hash is a low one cannot be foretold
                found += hashes[i] < limit;
            }
            low_.insert(low_.end(), block, block + found);
            if (low_.size() < 4 * BLOCK) continue;
            shrink();
            if (low_.size() == count_ && count_) limit = low_.back();
        }
        shrink();
        return low_.size();
    }
    void shrink() {
        std::sort(low_.begin(), low_.end());
        low_.erase(std::unique(low_.begin(), low_.end()), low_.end());
        if (low_.size() > count_) low_.resize(count_);
    }
    size_t count_;
    std::vector<uint64_t> low_;
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

void sign(View<uint32_t> tokens, View<int64_t> offsets, size_t ngram, View<uint32_t> multipliers,
          View<uint32_t> increments, size_t lowest, unsigned jobs, uint32_t *out, uint64_t *low) {
    size_t num_perm = multipliers.size;
    size_t padded = (num_perm + LANES - 1) / LANES * LANES;
    std::vector<uint32_t> a(padded, 1), b(padded, 0);
    std::copy(multipliers.begin(), multipliers.end(), a.begin());
    std::copy(increments.begin(), increments.end(), b.begin());
    auto bounds = ranges(offsets, GRAIN);
    parallel(bounds.size() - 1, jobs, [&](size_t part) {
        Texts texts(tokens, offsets, ngram);
        Lowest smallest(lowest);
        std::vector<uint32_t> hashes, minima(padded);
        for (size_t doc = bounds[part]; doc < bounds[part + 1]; ++doc) {
            auto set = texts.shingles(doc);
            hashes.resize(set.size);
            for (size_t i = 0; i < set.size; ++i) hashes[i] = mix32(static_cast<uint32_t>(set[i]));
            smallest.of(set, low + doc * lowest);
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
        Texts texts(tokens, offsets, ngram);
        for (size_t doc = bounds[part]; doc < bounds[part + 1]; ++doc) {
            auto all = texts.shingles(doc);
            auto &set = out[doc];
            set.assign(all.begin(), all.end());
            std::sort(set.begin(), set.end());
            set.erase(std::unique(set.begin(), set.end()), set.end());
        }
    });
    return out;
}

void overlaps(View<uint32_t> tokens, View<int64_t> offsets, size_t ngram, View<int64_t> pairs, unsigned jobs,
              int64_t *out) {
    auto bounds = runs(pairs);
    each_block(bounds, jobs, [&](size_t from, size_t to) {
        Texts texts(tokens, offsets, ngram);
        HashSet first, second;
        for (size_t run = from; run < to; ++run) {
            texts.fill(static_cast<size_t>(pairs[2 * bounds[run]]), first);
            for (size_t i = bounds[run]; i < bounds[run + 1]; ++i) {
                auto other = static_cast<size_t>(pairs[2 * i + 1]);
                int64_t shared = 0;
                second.clear(texts.size(other));
                for (uint64_t h : texts.shingles(other))
                    if (second.insert(h)) shared += first.contains(h);
                out[3 * i] = shared;
                out[3 * i + 1] = static_cast<int64_t>(first.size());
                out[3 * i + 2] = static_cast<int64_t>(second.size());
            }
        }
    });
}

// Sets a byte to 1 that other threads may set to 1 at the same time.
static void mark(uint8_t *byte) {
    static_assert(sizeof(std::atomic<uint8_t>) == 1, "an atomic byte is a byte");
    reinterpret_cast<std::atomic<uint8_t> *>(byte)->store(1, std::memory_order_relaxed);
}

void explained(View<uint32_t> tokens, View<int64_t> offsets, size_t ngram, View<int64_t> pairs, unsigned jobs,
               uint8_t *out) {
    auto bounds = runs(pairs);
    each_block(bounds, jobs, [&](size_t from, size_t to) {
        Texts texts(tokens, offsets, ngram);
        HashSet kept;
        for (size_t run = from; run < to; ++run) {
            texts.fill(static_cast<size_t>(pairs[2 * bounds[run]]), kept);
            for (size_t i = bounds[run]; i < bounds[run + 1]; ++i) {
                auto copy = static_cast<size_t>(pairs[2 * i + 1]);
                uint8_t *marks = out + offsets[copy];
                size_t length = std::min(ngram, texts.size(copy));
                for (uint64_t h : texts.shingles(copy)) {
                    if (kept.contains(h))
                        for (size_t i = 0; i < length; ++i) mark(marks + i);
                    ++marks;
                }
            }
        }
    });
}

namespace {

using Keyed = std::pair<uint64_t, uint32_t>;  // a hash, a document

// Sorts keys that are spread evenly: put in place by their top bits, then sorted where several share them.
void sort_spread(std::vector<Keyed> &keys) {
    unsigned bits = 1;
    while ((keys.size() >> bits) > 2) ++bits;
    std::vector<size_t> ends((size_t{1} << bits) + 1, 0);
    for (const Keyed &key : keys) ++ends[(key.first >> (64 - bits)) + 1];
    for (size_t i = 1; i < ends.size(); ++i) ends[i] += ends[i - 1];
    std::vector<Keyed> placed(keys.size());
    for (const Keyed &key : keys) placed[ends[key.first >> (64 - bits)]++] = key;
    auto begin = placed.begin();
    for (size_t from = 0, i = 0; i + 1 < ends.size(); from = ends[i++])
        if (ends[i] - from > 1)
            std::sort(begin + static_cast<ptrdiff_t>(from), begin + static_cast<ptrdiff_t>(ends[i]));
    keys.swap(placed);
}

}  // namespace

std::vector<uint64_t> band_pairs(View<uint32_t> signatures, size_t num_perm, size_t bands, size_t rows,
                                 size_t bucket, unsigned jobs) {
    size_t count = signatures.size / num_perm;
    std::vector<std::vector<uint64_t>> found(bands);
    parallel(bands, jobs, [&](size_t band) {
        std::vector<Keyed> keys(count);
        for (size_t doc = 0; doc < count; ++doc)
            keys[doc] = {mix64(polynomial(signatures.data + doc * num_perm + band * rows, rows)),
                         static_cast<uint32_t>(doc)};
        sort_spread(keys);
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

void recurrences(View<uint32_t> tokens, View<int64_t> spans, View<int64_t> bounds, size_t length, unsigned jobs,
                 int64_t *out) {
    constexpr size_t GROUPS = 64;  // a unit of work
    size_t count = bounds.size - 1;
    parallel((count + GROUPS - 1) / GROUPS, jobs, [&](size_t part) {
        std::vector<Keyed> shingles;  // with the span that holds them
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

// ---- containment ---------------------------------------------------------------------------------------------

namespace {

// Hashes that are looked for among many, most of which are none of them: what is asked first fits the nearest cache.
// Bits by the hash's top decide nearly all where the hashes are the smallest of a text; a Bloom filter of two bits in
// one word decides most of the rest.
class ProbeTable {
  public:
    explicit ProbeTable(View<uint64_t> hashes) {  // repeats count once
        while (mask_ + 1 < hashes.size * 2) mask_ = 2 * mask_ + 1;
        table_.assign(mask_ + 1, NONE);
        filter_.assign((mask_ >> 4) + 1, 0);
        for (uint64_t h : hashes) {
            size_t at = h & mask_;
            while (table_[at] != NONE && hashes_[table_[at]] != h) at = (at + 1) & mask_;
            if (table_[at] != NONE) continue;
            table_[at] = static_cast<uint32_t>(hashes_.size());
            hashes_.push_back(h);
            tops_[h >> 54] |= uint64_t{1} << (h >> 48 & 63);
            filter_[word(h)] |= bits(h);
        }
    }
    uint32_t find(uint64_t h) const {  // the hash's number, NONE where it is not looked for
        if (!(tops_[h >> 54] >> (h >> 48 & 63) & 1) || (filter_[word(h)] & bits(h)) != bits(h)) return NONE;
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
    std::vector<uint64_t> filter_, tops_ = std::vector<uint64_t>(1024, 0);
    size_t mask_ = 1023;
};

// For each probe the documents that hold it, ascending: documents[first[p]] to documents[first[p + 1]].
struct Holders {
    std::vector<size_t> first;
    std::vector<uint32_t> documents;
};

Holders holders(View<uint32_t> tokens, View<int64_t> offsets, size_t ngram, const ProbeTable &table, unsigned jobs) {
    using Probe = std::pair<uint32_t, uint32_t>;  // a probe's number, a document
    auto bounds = ranges(offsets, GRAIN);
    std::vector<std::vector<Probe>> parts(bounds.size() - 1);
    parallel(parts.size(), jobs, [&](size_t part) {
        Texts texts(tokens, offsets, ngram);
        auto &found = parts[part];
        for (size_t doc = bounds[part]; doc < bounds[part + 1]; ++doc) {
            auto before = static_cast<ptrdiff_t>(found.size());
            for (uint64_t h : texts.shingles(doc)) {
                uint32_t probe = table.find(h);
                if (probe != NONE) found.push_back({probe, static_cast<uint32_t>(doc)});
            }
            std::sort(found.begin() + before, found.end());
            found.erase(std::unique(found.begin() + before, found.end()), found.end());
        }
    });
    Holders out;
    out.first.assign(table.size() + 1, 0);
    for (const auto &found : parts)
        for (const Probe &probe : found) ++out.first[probe.first + 1];
    for (size_t p = 0; p < table.size(); ++p) out.first[p + 1] += out.first[p];
    out.documents.resize(out.first.back());
    std::vector<size_t> next(out.first);
    for (const auto &found : parts)
        for (const Probe &probe : found) out.documents[next[probe.first]++] = probe.second;
    return out;
}

}  // namespace

std::vector<uint64_t> contained_pairs(View<uint32_t> tokens, View<int64_t> offsets, View<uint64_t> sketches,
                                      View<uint8_t> sought, const ContainedParameters &parameters, unsigned jobs) {
    size_t count = offsets.size - 1, width = count ? sketches.size / count : 0;
    auto probes = [&](size_t doc) {  // none for a document that is not looked for
        const uint64_t *from = sketches.data + doc * width;
        bool wanted = sought[doc] && offsets[doc + 1] - offsets[doc] >= static_cast<int64_t>(parameters.minimum);
        return View<uint64_t>{from, wanted ? static_cast<size_t>(std::find(from, from + width, NO_HASH) - from) : 0};
    };
    std::vector<uint64_t> hashes;
    for (size_t doc = 0; doc < count; ++doc) {
        auto sketch = probes(doc);
        hashes.insert(hashes.end(), sketch.begin(), sketch.end());
    }
    ProbeTable table({hashes.data(), hashes.size()});
    Holders held = holders(tokens, offsets, parameters.ngram, table, jobs);

    auto bounds = ranges(offsets, GRAIN);
    std::vector<std::vector<uint64_t>> parts(bounds.size() - 1);
    parallel(parts.size(), jobs, [&](size_t part) {
        std::vector<uint32_t> hits;
        for (size_t doc = bounds[part]; doc < bounds[part + 1]; ++doc) {
            auto sketch = probes(doc);
            hits.clear();
            for (uint64_t h : sketch) {
                uint32_t p = table.find(h);
                size_t end = std::min(held.first[p + 1], held.first[p] + parameters.bucket);
                for (size_t i = held.first[p]; i < end && held.documents[i] < doc; ++i)
                    hits.push_back(held.documents[i]);
            }
            std::sort(hits.begin(), hits.end());
            size_t needed = std::min(parameters.needed, (sketch.size + 1) / 2);
            for (size_t i = 0, j; i < hits.size(); i = j) {
                for (j = i + 1; j < hits.size() && hits[j] == hits[i];) ++j;
                if (j - i >= needed) parts[part].push_back(uint64_t{hits[i]} << 32 | doc);
            }
        }
    });
    std::vector<uint64_t> all;
    for (auto &part : parts) all.insert(all.end(), part.begin(), part.end());
    std::sort(all.begin(), all.end());
    return all;
}

void sampled(View<uint32_t> tokens, View<int64_t> offsets, size_t ngram, View<int64_t> pairs, size_t count,
             unsigned jobs, int64_t *out) {
    std::vector<uint8_t> wanted(offsets.size, 0);
    for (size_t i = 1; i < pairs.size; i += 2) wanted[static_cast<size_t>(pairs[i])] = 1;
    std::vector<uint64_t> sketches(offsets.size * count);
    auto parts = ranges(offsets, GRAIN);
    parallel(parts.size() - 1, jobs, [&](size_t part) {
        Texts texts(tokens, offsets, ngram);
        Lowest smallest(count);
        for (size_t doc = parts[part]; doc < parts[part + 1]; ++doc)
            if (wanted[doc]) smallest.of(texts.shingles(doc), sketches.data() + doc * count);
    });
    auto bounds = runs(pairs);
    each_block(bounds, jobs, [&](size_t from, size_t to) {
        Texts texts(tokens, offsets, ngram);
        HashSet first;
        for (size_t run = from; run < to; ++run) {
            texts.fill(static_cast<size_t>(pairs[2 * bounds[run]]), first);
            for (size_t i = bounds[run]; i < bounds[run + 1]; ++i) {
                const uint64_t *sketch = sketches.data() + static_cast<size_t>(pairs[2 * i + 1]) * count;
                int64_t held = 0, asked = 0;
                for (; asked < static_cast<int64_t>(count) && sketch[asked] != NO_HASH; ++asked)
                    held += first.contains(sketch[asked]);
                out[2 * i] = held;
                out[2 * i + 1] = asked;
            }
        }
    });
}

std::vector<int64_t> places(View<uint32_t> tokens, View<int64_t> offsets, size_t ngram, View<uint64_t> sought,
                            unsigned jobs) {
    ProbeTable table(sought);
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
