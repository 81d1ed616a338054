// Short documents inside longer ones: probes that are looked up in all shingles.
#include "shingles.hpp"

namespace dedup {
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
