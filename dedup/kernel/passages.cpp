// Which documents share seeds, and the passages of each such pair.
#include <algorithm>

#include "extents.hpp"

namespace dedup {
namespace {

constexpr int64_t AHEAD = 16;       // places looked up in memory before they are needed

// Which document a token position lies in: a step table, then a short walk.
class Documents {
  public:
    explicit Documents(View<int64_t> offsets) : offsets_(offsets) {
        size_t blocks = static_cast<size_t>(offsets[offsets.size - 1] >> SHIFT) + 1;
        steps_.resize(blocks);
        uint32_t doc = 0;
        for (size_t block = 0; block < blocks; ++block) {
            while (doc + 2 < offsets.size && offsets[doc + 1] <= static_cast<int64_t>(block << SHIFT)) ++doc;
            steps_[block] = doc;
        }
    }
    void prefetch(int64_t position) const { DEDUP_PREFETCH(steps_.data() + (position >> SHIFT)); }
    uint32_t at(int64_t position) const {
        uint32_t doc = steps_[static_cast<size_t>(position >> SHIFT)];
        while (offsets_[doc + 1] <= position) ++doc;
        return doc;
    }

  private:
    static constexpr int SHIFT = 7;
    View<int64_t> offsets_;
    std::vector<uint32_t> steps_;
};

// Gathers, document by document, the seeds it shares with itself and with those after it.
class Gatherer {
  public:
    Gatherer(View<uint32_t> tokens, View<int64_t> offsets, View<int32_t> families, View<uint32_t> members,
             View<uint32_t> slots, View<uint32_t> starts, const Documents &documents,
             const PassageParameters &parameters)
        : offsets_(offsets), families_(families), members_(members), slots_(slots), starts_(starts),
          documents_(documents), aligner_(tokens, parameters), counts_(offsets.size - 1, 0), ranks_(offsets.size - 1) {}

    void run(uint32_t doc, std::vector<Passage> &out) {
        partners(offsets_[doc], offsets_[doc + 1]);
        count(doc);
        select();
        for (size_t p = 0; p < others_.size(); ++p) {
            uint32_t other = others_[p];
            seeds_.assign(sorted_.begin() + static_cast<ptrdiff_t>(starts_of_[p]),
                          sorted_.begin() + static_cast<ptrdiff_t>(starts_of_[p + 1]));
            for (Passage &passage :
                 aligner_.run(seeds_, offsets_[doc], offsets_[doc + 1], offsets_[other], offsets_[other + 1])) {
                passage.a_document = doc;
                passage.b_document = other;
                out.push_back(passage);
            }
        }
    }

  private:
    struct Link {  // token positions
        uint32_t a, b;
    };

    // All later places that the seeds of a document lead to.
    void partners(int64_t from, int64_t to) {
        links_.clear();
        for (int64_t i = from; i < to; ++i) {
            if (i + AHEAD < to && slots_[i + AHEAD] != NONE) DEDUP_PREFETCH(members_.data + slots_[i + AHEAD]);
            uint32_t slot = slots_[i], a = static_cast<uint32_t>(i);
            if (slot == NONE) continue;
            if (slot >= starts_[HOT]) {
                if (slot > starts_[HOT] && !(members_[slot - 1] & LAST)) later(a, members_[slot - 1]);
                if (!(members_[slot] & LAST)) later(a, members_[slot + 1]);
                continue;
            }
            while (!(members_[slot] & LAST)) later(a, members_[++slot]);
        }
    }

    void later(uint32_t a, uint32_t member) {
        uint32_t b = member & ~LAST;
        if (b > a) links_.push_back({a, b});
    }

    // Which document each link leads to, and how many lead there, up to 255.
    void count(uint32_t doc) {
        targets_.resize(links_.size());
        touched_.clear();
        int32_t family = families_[doc];
        for (size_t i = 0; i < links_.size(); ++i) {
            if (i + AHEAD < links_.size()) documents_.prefetch(links_[i + AHEAD].b);
            uint32_t other = documents_.at(links_[i].b);
            targets_[i] = other;
            if (family >= 0 && family == families_[other] && other != doc) continue;
            uint8_t &links = counts_[other];
            if (links == 0) touched_.push_back(other);
            links += links < 255;
        }
    }

    // The links to documents that have company enough, sorted by document; leaves the counts at zero.
    void select() {
        others_.clear();
        for (uint32_t other : touched_) {
            if (counts_[other] >= COMPANY) others_.push_back(other);
            else counts_[other] = 0;
        }
        std::sort(others_.begin(), others_.end());
        for (size_t p = 0; p < others_.size(); ++p) ranks_[others_[p]] = static_cast<uint32_t>(p);
        starts_of_.assign(others_.size() + 1, 0);
        for (uint32_t target : targets_)
            if (counts_[target]) ++starts_of_[ranks_[target] + 1];
        for (size_t p = 0; p < others_.size(); ++p) starts_of_[p + 1] += starts_of_[p];
        sorted_.resize(starts_of_.back());
        places_.assign(starts_of_.begin(), starts_of_.end());
        for (size_t i = 0; i < links_.size(); ++i)
            if (counts_[targets_[i]])
                sorted_[places_[ranks_[targets_[i]]]++] = {links_[i].a, links_[i].b, length(slots_[links_[i].a])};
        for (uint32_t other : others_) counts_[other] = 0;
    }

    int64_t length(uint32_t slot) const {  // tokens of the seed in a slot
        int64_t k = SHORTEST;
        for (size_t level = 1; level < HOT; ++level) k += slot >= starts_[level];
        return k;
    }

    View<int64_t> offsets_;
    View<int32_t> families_;
    View<uint32_t> members_, slots_, starts_;
    const Documents &documents_;
    Aligner aligner_;
    std::vector<uint8_t> counts_;    // by document: links to it, zero between two runs
    std::vector<uint32_t> ranks_;    // by document, where counts_ is not zero: its place in others_
    std::vector<Link> links_;
    std::vector<uint32_t> targets_;  // one a link
    std::vector<uint32_t> touched_, others_;
    std::vector<size_t> starts_of_, places_;
    std::vector<Seed> sorted_, seeds_;
};

}  // namespace

std::vector<Passage> passages(View<uint32_t> tokens, View<int64_t> offsets, View<int32_t> families,
                              View<uint32_t> members, View<uint32_t> slots, View<uint32_t> starts,
                              const PassageParameters &parameters, unsigned jobs) {
    Documents documents(offsets);
    auto bounds = ranges(offsets, 1 << 15);
    size_t parts = bounds.size() - 1, blocks = std::min<size_t>(parts, 4 * std::max(1u, jobs));
    std::vector<std::vector<Passage>> found(parts);
    std::atomic<size_t> next{0};
    parallel(blocks, jobs, [&](size_t) {  // one gatherer a task: its counters are as many as there are documents
        Gatherer gatherer(tokens, offsets, families, members, slots, starts, documents, parameters);
        for (size_t part; (part = next.fetch_add(1)) < parts;)
            for (size_t doc = bounds[part]; doc < bounds[part + 1]; ++doc)
                gatherer.run(static_cast<uint32_t>(doc), found[part]);
    });
    std::vector<Passage> all;
    for (auto &part : found) all.insert(all.end(), part.begin(), part.end());
    return all;
}

}  // namespace dedup
