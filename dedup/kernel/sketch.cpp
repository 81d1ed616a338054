// Sketches of documents, and what they lead to: MinHash signatures, smallest hashes, bands.
#include <cstring>

#include "shingles.hpp"

namespace dedup {
namespace {

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

}  // namespace dedup
