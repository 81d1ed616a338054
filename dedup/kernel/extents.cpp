// Passages: seeds of two documents (or of one with itself) → chains → extents, each verified by its alignment.
#include "extents.hpp"

#include <algorithm>

namespace dedup {
namespace {

constexpr int64_t GAP = 30;         // tokens between neighbours of a chain
constexpr int64_t DRIFT = 24;       // by which their distances may differ in the two texts
constexpr size_t LOOK_BACK = 64;    // predecessors tried for a seed, neighbours tried for a passage
constexpr int64_t BAND = 8;         // of an extension: a wider one lets common words align for ever
constexpr int64_t REACH = 512;      // tokens an extension may take: longer matches have seeds on their way
constexpr int32_t X_DROP = 16;      // in half points: match +2, mismatch and indel by Costs
constexpr int64_t OVERLAP = 8;      // by which neighbours in line may overlap and still be joined
constexpr int64_t WHOLE = 4096;     // spans up to this are aligned whole, longer ones block by block
constexpr int64_t BLOCK = 2048;

struct Costs {
    int32_t mismatch, indel;
};
constexpr Costs ORDINARY{2, 1}, STRICT{4, 2};

struct Extent {
    int64_t a, b, matched;  // tokens taken on each side
};

struct Region {
    int64_t a_start, a_end, b_start, b_end, matched;
};

// Banded x-drop extension (Zhang et al., J. Comput. Biol. 7, 2000) of a[0], a[step] … against b[0], b[step] …
Extent extend(const uint32_t *a, int64_t a_size, const uint32_t *b, int64_t b_size, int64_t step, Costs costs) {
    constexpr int64_t WIDE = 2 * BAND + 1;
    constexpr int32_t DEAD = -(1 << 30);
    int32_t score[WIDE + 2], matched[WIDE + 2] = {};  // of row i by j - i + BAND + 1, with a dead cell at either end
    std::fill_n(score, WIDE + 2, DEAD);
    for (int64_t j = 0; j <= std::min(BAND, b_size); ++j) score[j + BAND + 1] = -costs.indel * static_cast<int32_t>(j);
    Extent best{0, 0, 0};
    int32_t top = 0;
    int64_t low = BAND + 1, high = WIDE;  // the first and last live cells of the row before
    for (int64_t i = 1; i <= a_size && low <= high; ++i) {
        // Cell d of row i stands for the first j = i + d - BAND - 1 tokens of b; cells from `begin` to `end` have some.
        int64_t from = std::max<int64_t>(low - 1, 1), begin = std::max(from, BAND + 1 - i);
        int64_t end = std::min(WIDE, b_size - i + BAND + 1), first = WIDE + 1, last = 0;
        int32_t floor = top - X_DROP, left = DEAD, left_matched = 0;  // of the cell before, in this row
        uint32_t token = a[(i - 1) * step];
        const uint32_t *other = b + (i + begin - BAND - 2) * step;
        std::fill(score + from, score + std::max(from, begin), DEAD);
        int64_t d = begin;
        for (; d <= end && (d <= high || left != DEAD); ++d, other += step) {
            // score[d] and score[d + 1] still hold row i - 1
            int32_t value = DEAD, matches = 0;
            if (d > BAND + 1 - i) {
                bool equal = token == *other;
                value = score[d] + (equal ? 2 : -costs.mismatch);
                matches = matched[d] + equal;
            }
            int32_t up = score[d + 1] - costs.indel, before = left - costs.indel;
            if (up > value) value = up, matches = matched[d + 1];
            if (before > value) value = before, matches = left_matched;
            if (value < floor) {
                score[d] = left = DEAD;
                continue;
            }
            score[d] = left = value;
            matched[d] = left_matched = matches;
            if (last == 0) first = d;
            last = d;
            if (value > top) {
                top = value;
                best = {i, i + d - BAND - 1, matches};
            }
        }
        if (d <= high) std::fill(score + d, score + high + 1, DEAD);
        if (from > 1) score[from - 1] = DEAD;
        low = first;
        high = last;
    }
    return best;
}

}  // namespace

// The passages of one pair of documents; the same document twice for repeats within it.
class Aligner::Pair {
  public:
    Pair(View<uint32_t> tokens, const PassageParameters &parameters) : t_(tokens.data), parameters_(parameters) {}

    void run(std::vector<Seed> &seeds, int64_t a_begin, int64_t a_end, int64_t b_begin, int64_t b_end) {
        a_begin_ = a_begin;
        a_end_ = a_end;
        b_begin_ = b_begin;
        b_end_ = b_end;
        self_ = a_begin == b_begin;
        found.clear();
        auto order = [](const Seed &x, const Seed &y) { return x.a != y.a ? x.a < y.a : x.b < y.b; };
        if (!std::is_sorted(seeds.begin(), seeds.end(), order)) std::sort(seeds.begin(), seeds.end(), order);
        if (!close(seeds)) return;
        chains(seeds);
        drop_shadows();
        join();
    }

    std::vector<Passage> found;

  private:
    // Whether any seeds, in order, stand together as those of a chain must. In two pairs of three none do.
    static bool close(const std::vector<Seed> &seeds) {
        for (size_t i = COMPANY - 1; i < seeds.size(); ++i)
            if (seeds[i].a - seeds[i - (COMPANY - 1)].a <= GAP) return true;
        return false;
    }

    // Dynamic programming over seeds in order; chains are taken best end first, a seed belongs to one chain.
    void chains(const std::vector<Seed> &seeds) {
        size_t count = seeds.size(), longest = 0;
        score_.resize(count);
        before_.resize(count);
        size_.resize(count);
        for (size_t i = 0; i < count; ++i) {
            const Seed &s = seeds[i];
            score_[i] = 2 * s.k;
            before_[i] = -1;
            size_[i] = 1;
            for (size_t back = 1; back <= LOOK_BACK && back <= i; ++back) {
                const Seed &p = seeds[i - back];
                int64_t da = s.a - p.a, db = s.b - p.b, drift = da > db ? da - db : db - da;
                if (da > GAP) break;
                if (da <= 0 || db <= 0 || db > GAP || drift > DRIFT) continue;
                int64_t score = score_[i - back] + 2 * std::min(s.k, std::min(da, db)) - drift;
                if (score > score_[i]) {
                    score_[i] = score;
                    before_[i] = static_cast<int64_t>(i - back);
                    size_[i] = size_[i - back] + 1;
                }
            }
            longest = std::max(longest, size_[i]);
        }
        if (longest < COMPANY) return;
        ends_.resize(count);
        for (size_t i = 0; i < count; ++i) ends_[i] = i;
        std::sort(ends_.begin(), ends_.end(),
                  [&](size_t x, size_t y) { return score_[x] != score_[y] ? score_[x] > score_[y] : x < y; });
        used_.assign(count, false);
        for (size_t end : ends_) {
            chain_.clear();
            for (int64_t i = static_cast<int64_t>(end); i >= 0 && !used_[i]; i = before_[i]) {
                used_[i] = true;
                chain_.push_back(seeds[i]);
            }
            if (chain_.size() < COMPANY) continue;
            std::reverse(chain_.begin(), chain_.end());
            settle();
        }
    }

    bool company(size_t from, size_t to) const {
        for (size_t i = from; i + COMPANY <= to; ++i)
            if (chain_[i + COMPANY - 1].a - chain_[i].a <= GAP) return true;
        return false;
    }

    // The run of seeds with the highest score: 2 for a matched token, -1 for one that is not. An end of the chain
    // that costs more than it brings is not part of the passage.
    std::pair<size_t, size_t> worth(size_t from, size_t to) {
        int64_t sum = 0, lowest = 0, top = -1;
        size_t start = from, best = from, end = to;
        for (size_t i = from; i < to; ++i) {
            if (i > from) sum += link(chain_[i - 1], chain_[i]);
            if (sum < lowest) {
                lowest = sum;
                start = i;
            }
            if (sum + 2 * chain_[i].k - lowest >= top) {
                top = sum + 2 * chain_[i].k - lowest;
                best = start;
                end = i + 1;
            }
        }
        return {best, end};
    }

    // What the step from one seed to the next is worth.
    int64_t link(const Seed &x, const Seed &y) {
        int64_t da = y.a - x.a, db = y.b - x.b, matched = std::min(x.k, std::min(da, db));
        if (da != db || da > x.k) matched += lcs(x.a + matched, y.a, x.b + matched, y.b);
        return 3 * matched - std::max(da, db);
    }

    // The seeds, most of those that begin before the chain meets its own second span, whose spans stay apart.
    std::pair<size_t, size_t> apart(size_t from, size_t to) const {
        auto reach = [&](size_t end, int64_t b) {
            while (end < to && chain_[end].a + chain_[end].k <= b) ++end;
            return end;
        };
        size_t first = from, last = reach(from, chain_[from].b), limit = last;
        for (size_t i = from + 1, end = last; i < limit && end < to; ++i) {
            end = reach(end, chain_[i].b);
            if (end - i > last - first) first = i, last = end;
        }
        return {first, last};
    }

    // Finds the extent of the chain, or of the parts that it has to be cut into.
    void settle() {
        std::vector<std::pair<size_t, size_t>> parts{{0, chain_.size()}};
        while (!parts.empty()) {
            auto [from, to] = parts.back();
            parts.pop_back();
            if (!company(from, to)) continue;
            auto [best, end] = worth(from, to);
            if (end - best < to - from) {
                parts.push_back({end, to});
                parts.push_back({best, end});
                parts.push_back({from, best});
                continue;
            }
            if (self_) {  // a passage never reaches into its own second span
                auto [first, last] = apart(from, to);
                if (last - first < to - from) {
                    parts.push_back({std::max(last, first + 1), to});
                    parts.push_back({first, last});
                    parts.push_back({from, first});
                    continue;
                }
            }
            if (accept(from, to)) continue;
            size_t split = from + 1;
            auto gap = [&](size_t i) {
                return std::max(chain_[i].a - chain_[i - 1].a, chain_[i].b - chain_[i - 1].b);
            };
            for (size_t i = from + 2; i < to; ++i)
                if (gap(i) > gap(split)) split = i;
            parts.push_back({split, to});
            parts.push_back({from, split});
        }
    }

    // Tries the extents from the widest to the bare chain; true where one holds or where the widest is too short.
    bool accept(size_t from, size_t to) {
        Region core = bare(from, to);
        for (int attempt = 0; attempt < 3; ++attempt) {
            Extent left{0, 0, 0}, right{0, 0, 0};
            Region region = core;
            if (attempt < 2) {
                left = leftwards(core, attempt ? STRICT : ORDINARY);
                region.a_start -= left.a;
                region.b_start -= left.b;
                right = rightwards(core, region.b_start, attempt ? STRICT : ORDINARY);
                region.a_end += right.a;
                region.b_end += right.b;
            }
            if (!enough(region.a_start, region.a_end) || !enough(region.b_start, region.b_end)) {
                if (attempt == 0) return true;
                continue;
            }
            if (small(region)) region.matched = lcs(region.a_start, region.a_end, region.b_start, region.b_end);
            else region.matched = inner(from, to, core) + left.matched + right.matched;
            if (!alike(region)) continue;
            trim(region);
            found.push_back({0, region.a_start, region.a_end, 0, region.b_start, region.b_end, region.matched});
            return true;
        }
        return false;
    }

    bool alike(const Region &r) const {
        double both = static_cast<double>(r.a_end - r.a_start + r.b_end - r.b_start);
        return 2.0 * static_cast<double>(r.matched) / both >= parameters_.similarity;
    }

    Region bare(size_t from, size_t to) const {
        const Seed &first = chain_[from], &last = chain_[to - 1];
        Region region{first.a, last.a + last.k, first.b, last.b + last.k, 0};
        if (self_) region.a_end = std::min(region.a_end, region.b_start);
        return region;
    }

    Extent leftwards(const Region &core, Costs costs) const {
        int64_t b_floor = self_ ? core.a_end : b_begin_;
        return extend(t_ + core.a_start - 1, std::min(core.a_start - a_begin_, REACH), t_ + core.b_start - 1,
                      std::min(core.b_start - b_floor, REACH), -1, costs);
    }

    Extent rightwards(const Region &core, int64_t b_start, Costs costs) const {
        int64_t a_ceiling = self_ ? b_start : a_end_;
        return extend(t_ + core.a_end, std::min(a_ceiling - core.a_end, REACH), t_ + core.b_end,
                      std::min(b_end_ - core.b_end, REACH), 1, costs);
    }

    static bool small(const Region &r) { return r.a_end - r.a_start <= WHOLE && r.b_end - r.b_start <= WHOLE; }

    int64_t lcs(int64_t a_start, int64_t a_end, int64_t b_start, int64_t b_end) {
        return lcs_(t_ + a_start, static_cast<size_t>(a_end - a_start), t_ + b_start,
                    static_cast<size_t>(b_end - b_start));
    }

    // LCS of a bare chain; of a long one block by block, cut where a seed begins.
    int64_t inner(size_t from, size_t to, const Region &region) {
        int64_t a = region.a_start, b = region.b_start, sum = 0;
        if (!small(region))
            for (size_t i = from; i < to; ++i) {
                const Seed &s = chain_[i];
                if (s.a - a < BLOCK && s.b - b < BLOCK) continue;
                sum += lcs(a, s.a, b, s.b);
                a = s.a;
                b = s.b;
            }
        return sum + lcs(a, region.a_end, b, region.b_end);
    }

    // Where all of a passage but one end is identical, drops that end if it is less alike than a passage must be
    // and not a mere insertion.
    void trim(Region &r) const {
        int64_t a_size = r.a_end - r.a_start, b_size = r.b_end - r.b_start, shorter = std::min(a_size, b_size);
        int64_t head = 0, tail = 0;
        while (head < shorter && t_[r.a_start + head] == t_[r.b_start + head]) ++head;
        while (tail < shorter && t_[r.a_end - 1 - tail] == t_[r.b_end - 1 - tail]) ++tail;
        if (head == shorter || tail == shorter) return;
        if (poor(r, tail) && enough(r.a_end - tail, r.a_end))
            r = {r.a_end - tail, r.a_end, r.b_end - tail, r.b_end, tail};
        else if (poor(r, head) && enough(r.a_start, r.a_start + head))
            r = {r.a_start, r.a_start + head, r.b_start, r.b_start + head, head};
    }

    // Whether what is left of a region without `same` identical tokens is no passage, and has words of its own on
    // both sides.
    bool poor(const Region &r, int64_t same) const {
        int64_t a = r.a_end - r.a_start - same, b = r.b_end - r.b_start - same, matched = r.matched - same;
        return matched < std::min(a, b) && 2.0 * static_cast<double>(matched) / static_cast<double>(a + b) <
                                               parameters_.similarity;
    }

    bool enough(int64_t from, int64_t to) const {
        if (5 * (to - from) >= parameters_.minimum) return true;  // whatever the tokens are
        return weight(t_, from, to) >= parameters_.minimum;
    }

    // Drops a passage that lies for four fifths of both its spans inside a longer one.
    void drop_shadows() {
        std::sort(found.begin(), found.end(), [](const Passage &x, const Passage &y) {
            if (x.a_start != y.a_start) return x.a_start < y.a_start;
            if (x.b_start != y.b_start) return x.b_start < y.b_start;
            if (x.a_end != y.a_end) return x.a_end < y.a_end;
            if (x.b_end != y.b_end) return x.b_end < y.b_end;
            return x.matched > y.matched;
        });
        std::vector<bool> dropped(found.size(), false);
        auto inside = [](int64_t start, int64_t end, int64_t s, int64_t e) {
            return 5 * (std::min(end, e) - std::max(start, s)) >= 4 * (end - start);
        };
        auto shadows = [&](const Passage &x, const Passage &y) {
            return inside(x.a_start, x.a_end, y.a_start, y.a_end) && inside(x.b_start, x.b_end, y.b_start, y.b_end);
        };
        for (size_t i = 0; i < found.size(); ++i)
            for (size_t back = 1; back <= LOOK_BACK && back <= i && !dropped[i]; ++back) {
                size_t j = i - back;
                if (dropped[j]) continue;
                bool longer = found[i].a_end - found[i].a_start > found[j].a_end - found[j].a_start;
                if (!longer && shadows(found[i], found[j])) dropped[i] = true;
                else if (longer && shadows(found[j], found[i])) dropped[j] = true;
            }
        size_t kept = 0;
        for (size_t i = 0; i < found.size(); ++i)
            if (!dropped[i]) found[kept++] = found[i];
        found.resize(kept);
    }

    // Joins neighbours in line where the whole is still alike enough.
    void join() {
        size_t last = 0;
        for (size_t i = 1; i < found.size(); ++i) {
            const Passage &x = found[last], &y = found[i];
            int64_t a_gap = y.a_start - x.a_end, b_gap = y.b_start - x.b_end;
            Region whole{x.a_start, std::max(x.a_end, y.a_end), x.b_start, std::max(x.b_end, y.b_end), 0};
            bool line = a_gap >= -OVERLAP && a_gap <= GAP && b_gap >= -OVERLAP && b_gap <= GAP &&
                        !(self_ && whole.a_end > whole.b_start);
            if (line) {
                if (small(whole)) whole.matched = lcs(whole.a_start, whole.a_end, whole.b_start, whole.b_end);
                else whole.matched = x.matched + y.matched - std::max<int64_t>(0, -std::min(a_gap, b_gap));
            }
            if (line && alike(whole)) {
                found[last] = {0, whole.a_start, whole.a_end, 0, whole.b_start, whole.b_end, whole.matched};
            } else {
                found[++last] = y;
            }
        }
        if (!found.empty()) found.resize(last + 1);
    }

    const uint32_t *t_;
    const PassageParameters &parameters_;
    int64_t a_begin_ = 0, a_end_ = 0, b_begin_ = 0, b_end_ = 0;
    bool self_ = false;
    std::vector<Seed> chain_;
    std::vector<int64_t> score_, before_;
    std::vector<size_t> size_, ends_;  // the seeds of the best chain that ends in each; the ends, best first
    std::vector<bool> used_;
    Lcs lcs_;
};

Aligner::Aligner(View<uint32_t> tokens, const PassageParameters &parameters)
    : pair_(std::make_unique<Pair>(tokens, parameters)) {}

Aligner::~Aligner() = default;

std::vector<Passage> &Aligner::run(std::vector<Seed> &seeds, int64_t a_begin, int64_t a_end, int64_t b_begin,
                                   int64_t b_end) {
    pair_->run(seeds, a_begin, a_end, b_begin, b_end);
    return pair_->found;
}

}  // namespace dedup
