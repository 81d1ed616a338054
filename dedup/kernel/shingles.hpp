// The shingles of documents, and what several stages do with them. Inside the kernel only.
#pragma once

#include <algorithm>

#include "kernel.hpp"

namespace dedup {

constexpr uint64_t NO_HASH = ~uint64_t{0};  // fills up the sketch of a short document

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

// Calls use(i, texts, first, room) for every pair i of documents, pairs with one first document in a row: `first` holds
// the shingles of that document, `room` is for the use of whoever is called.
template <class Use>
void each_pair(View<uint32_t> tokens, View<int64_t> offsets, size_t ngram, View<int64_t> pairs, unsigned jobs, Use use) {
    constexpr size_t BLOCK = 16;  // runs of pairs with one first document: a unit of work
    std::vector<size_t> runs;
    size_t count = pairs.size / 2;
    for (size_t i = 0; i < count; ++i)
        if (i == 0 || pairs[2 * i] != pairs[2 * i - 2]) runs.push_back(i);
    runs.push_back(count);
    parallel((runs.size() + BLOCK - 2) / BLOCK, jobs, [&](size_t block) {
        Texts texts(tokens, offsets, ngram);
        HashSet first, room;
        for (size_t run = block * BLOCK; run < std::min(runs.size() - 1, (block + 1) * BLOCK); ++run) {
            texts.fill(static_cast<size_t>(pairs[2 * runs[run]]), first);
            for (size_t i = runs[run]; i < runs[run + 1]; ++i) use(i, texts, first, room);
        }
    });
}

}  // namespace dedup
