// The native kernel: pure functions over flat arrays, and a tokeniser. No Python object, no printing.
// The specification of every function is its namesake in reference.py, of what turns texts into tokens that in
// tokens.py; both give the same bytes.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__) && defined(__linux__)
#define DEDUP_CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define DEDUP_CLONES
#endif

#if defined(__GNUC__)
#define DEDUP_PREFETCH(address) __builtin_prefetch(address)
#else
#define DEDUP_PREFETCH(address) ((void)0)
#endif

namespace dedup {

template <class T> struct View {
    const T *data = nullptr;
    size_t size = 0;
    const T &operator[](size_t i) const { return data[i]; }
    const T *begin() const { return data; }
    const T *end() const { return data + size; }
};

// Threads that are waited for wherever their owner goes: one that nobody waits for would end the process.
class Crew {
  public:
    Crew() = default;
    Crew(const Crew &) = delete;
    Crew &operator=(const Crew &) = delete;
    ~Crew() { join(); }
    size_t size() const { return threads_.size(); }
    // One more; false where there is none to be had, for want of threads or of memory: those that are there will do.
    template <class Work> bool start(Work work) {
        try {
            threads_.emplace_back(work);
            return true;
        } catch (...) {
            return false;
        }
    }
    void join() {
        for (auto &thread : threads_) thread.join();
        threads_.clear();
    }

  private:
    std::vector<std::thread> threads_;
};

// Runs task(i) for i in [0, count) on up to `jobs` threads, in no set order; rethrows the first exception.
template <class Task> void parallel(size_t count, unsigned jobs, Task task) {
    if (jobs > count) jobs = static_cast<unsigned>(count);
    if (jobs <= 1) {
        for (size_t i = 0; i < count; ++i) task(i);
        return;
    }
    std::atomic<size_t> next{0};
    std::exception_ptr failure;
    std::mutex guard;
    auto work = [&] {
        for (size_t i; (i = next.fetch_add(1)) < count;) {
            try {
                task(i);
            } catch (...) {
                std::lock_guard<std::mutex> lock(guard);
                if (!failure) failure = std::current_exception();
                next.store(count);
            }
        }
    };
    Crew crew;
    while (crew.size() + 1 < jobs && crew.start(work)) {
    }
    work();
    crew.join();
    if (failure) std::rethrow_exception(failure);
}

constexpr int64_t GRAIN = 1 << 18;  // tokens a unit of work

// Consecutive ranges of documents that hold about `grain` tokens each: the unit of work for threads.
inline std::vector<size_t> ranges(View<int64_t> offsets, int64_t grain) {
    std::vector<size_t> bounds{0};
    size_t count = offsets.size - 1;
    int64_t begin = 0;
    for (size_t doc = 0; doc < count; ++doc)
        if (offsets[doc + 1] - begin >= grain) {
            bounds.push_back(doc + 1);
            begin = offsets[doc + 1];
        }
    if (bounds.back() != count) bounds.push_back(count);
    return bounds;
}

// ---- hashing -------------------------------------------------------------------------------------------------

constexpr uint64_t BASE = 0x9E3779B97F4A7C15ull;  // of the polynomial over tokens; odd

inline uint64_t mix64(uint64_t h) {  // MurmurHash3 finaliser
    h = (h ^ (h >> 33)) * 0xFF51AFD7ED558CCDull;
    h = (h ^ (h >> 33)) * 0xC4CEB9FE1A85EC53ull;
    return h ^ (h >> 33);
}

inline uint64_t polynomial(const uint32_t *tokens, size_t count) {
    uint64_t h = 0;
    for (size_t i = 0; i < count; ++i) h = h * BASE + tokens[i];
    return h;
}

// What a token weighs, in eighths of a word: a character of an unspaced script is 1/1.6 of a word.
constexpr int64_t WORD_WEIGHT = 8;
constexpr int64_t CHARACTER_WEIGHT = 5;

inline int64_t weight(const uint32_t *tokens, int64_t from, int64_t to) {
    int64_t sum = 0;
    for (int64_t i = from; i < to; ++i) sum += tokens[i] & 1 ? CHARACTER_WEIGHT : WORD_WEIGHT;
    return sum;
}

// ---- tokens --------------------------------------------------------------------------------------------------

struct Text {  // a CPython string in place
    const void *data;
    size_t size;  // code points
    int width;    // bytes a code point: 1, 2 or 4
};

struct Entry {  // characters.ENTRY
    uint32_t value;
    uint8_t kind;
    uint8_t length;
    uint16_t unused;
};

struct Characters {
    View<uint16_t> index;
    View<Entry> entries;
    View<uint32_t> pool;
};

// Turns texts into tokens on other threads while more texts come: the one thing here that has a state.
class Tokeniser {
  public:
    // Up to `workers` threads read beside the caller's; `spans` asks for starts and ends.
    Tokeniser(bool spans, unsigned workers);
    ~Tokeniser();
    Tokeniser(const Tokeniser &) = delete;
    Tokeniser &operator=(const Tokeniser &) = delete;

    // More texts; they stay where they are until done() counts them. Reads some itself where too many wait.
    void add(View<Text> texts);
    // How many of the texts, from the first on, have been read.
    size_t done();
    // The tables that were needed and are not there, one byte a page; empty where none is missing.
    std::vector<uint8_t> missing();
    // The tables from now on, also for what waits for a missing one; they stay where they are as long as this lives.
    void use(const Characters &tables);
    // Reads beside the workers until nothing waits; they end where nothing is missing, and no text may come any
    // more. Rethrows what went wrong on any thread.
    void finish();
    bool finished() const { return finished_; }

    // After finish(), with nothing missing: of every text in order the number of tokens and their digest, and any
    // column of the tokens of some texts, end to end: that of text order[i] goes to out[offsets[i]].
    std::vector<int64_t> counts() const;
    std::vector<uint64_t> digests() const;
    enum Column { HASHES, STARTS, ENDS };
    void gather(Column column, View<int64_t> order, View<int64_t> offsets, unsigned jobs, uint32_t *out) const;

  private:
    struct Run;
    void work(size_t most);
    void serve();
    void read(Run *run, std::unique_lock<std::mutex> &lock);
    void close();
    bool spans_, closing_ = false, finished_ = false;
    unsigned most_workers_, active_ = 0;
    size_t done_runs_ = 0, done_texts_ = 0;
    Characters tables_;
    std::deque<std::unique_ptr<Run>> runs_;
    std::deque<Run *> waiting_;
    std::vector<Run *> aside_;  // runs that need a table which was missing
    std::exception_ptr failure_;
    std::mutex guard_;
    std::condition_variable ready_, idle_;
    Crew workers_;
};

// Where spans of tokens stand in their texts. Text i has the spans (first token, end) from bounds[i] to
// bounds[i + 1]; out gets start and end in code points, the line of the first and of the last one, from 1.
// Returns the tables that are missing, one byte a page; where one is, out is of no use.
std::vector<uint8_t> locate(View<Text> texts, View<int64_t> bounds, View<int64_t> spans, const Characters &tables,
                            unsigned jobs, int64_t *out);

// ---- documents -----------------------------------------------------------------------------------------------

// Signatures to `out` and the `lowest` smallest shingle hashes of each document to `low`.
void sign(View<uint32_t> tokens, View<int64_t> offsets, size_t ngram, View<uint32_t> multipliers,
          View<uint32_t> increments, size_t lowest, unsigned jobs, uint32_t *out, uint64_t *low);

// Sorted distinct shingles of each document, one vector a document.
std::vector<std::vector<uint64_t>> shingles(View<uint32_t> tokens, View<int64_t> offsets, size_t ngram, unsigned jobs);

// For pairs (a, b) of documents: shared, only counting distinct shingles, and the sizes of both sets.
void overlaps(View<uint32_t> tokens, View<int64_t> offsets, size_t ngram, View<int64_t> pairs, unsigned jobs,
              int64_t *out);

// Pairs (low << 32 | high) that share a band, ascending, each once.
std::vector<uint64_t> band_pairs(View<uint32_t> signatures, size_t num_perm, size_t bands, size_t rows,
                                 size_t bucket, unsigned jobs);

struct ContainedParameters {
    size_t ngram, minimum, needed, bucket;
};

// Pairs (long << 32 | short) in which the shorter document may lie inside the longer one, ascending.
std::vector<uint64_t> contained_pairs(View<uint32_t> tokens, View<int64_t> offsets, View<uint64_t> sketches,
                                      View<uint8_t> sought, const ContainedParameters &parameters, unsigned jobs);

// For pairs (a, b) of documents: how many of b's `count` smallest shingle hashes a has, and how many there are.
void sampled(View<uint32_t> tokens, View<int64_t> offsets, size_t ngram, View<int64_t> pairs, size_t count,
             unsigned jobs, int64_t *out);

// Where one of the sought shingles (distinct hashes) stands in a document, ascending.
std::vector<int64_t> places(View<uint32_t> tokens, View<int64_t> offsets, size_t ngram, View<uint64_t> sought,
                            unsigned jobs);

// For pairs (kept, copy): 1 for every token of `copy` that lies in a shingle of `kept`.
void explained(View<uint32_t> tokens, View<int64_t> offsets, size_t ngram, View<int64_t> pairs, unsigned jobs,
               uint8_t *out);

// For each span (start, end) how often its shingles of `length` tokens stand elsewhere in its group of spans; group i
// is spans[bounds[i]] to spans[bounds[i + 1]].
void recurrences(View<uint32_t> tokens, View<int64_t> spans, View<int64_t> bounds, size_t length, unsigned jobs,
                 int64_t *out);

// ---- passages ------------------------------------------------------------------------------------------------

struct Period {
    int64_t document, start, end, period;  // token positions in the flat array
};

std::vector<Period> periods(View<uint32_t> tokens, View<int64_t> offsets, int64_t minimum, unsigned jobs);

constexpr uint32_t NONE = 0xFFFFFFFFu;
constexpr uint32_t LAST = 0x80000000u;  // in a member: the last of its group
constexpr int64_t SHORTEST = 2;  // tokens of a seed
constexpr int64_t LONGEST = 8;
constexpr size_t HOT = 7;  // the level after the longest: places linked to their neighbours in sorted order

struct SeedIndex {
    uint32_t starts[HOT + 2] = {};  // where in members a level begins: seeds of 2 to 8 tokens, hot ones, the end
};

// `members` and `slots` have room for one item a token.
SeedIndex seed_index(View<uint32_t> tokens, View<int64_t> offsets, View<uint8_t> quiet, uint32_t cap, unsigned jobs,
                     uint32_t *members, uint32_t *slots);

struct Passage {
    int64_t a_document, a_start, a_end, b_document, b_start, b_end, matched;
};

struct PassageParameters {
    double similarity;
    int64_t minimum;  // weight, in eighths of a word
};

std::vector<Passage> passages(View<uint32_t> tokens, View<int64_t> offsets, View<int32_t> families,
                              View<uint32_t> members, View<uint32_t> slots, View<uint32_t> starts,
                              const PassageParameters &parameters, unsigned jobs);

// LCS lengths of pairs of spans (a_start, a_end, b_start, b_end) in the flat array.
void common(View<uint32_t> tokens, View<int64_t> spans, unsigned jobs, int64_t *out);

// Length of the longest common subsequence of two token sequences (bit-parallel).
class Lcs {
  public:
    int64_t operator()(const uint32_t *a, size_t a_size, const uint32_t *b, size_t b_size);

  private:
    int64_t core(const uint32_t *a, size_t a_size, const uint32_t *b, size_t b_size);
    std::vector<uint32_t> keys_;
    std::vector<int32_t> rows_;
    std::vector<uint64_t> masks_, state_;
};

}  // namespace dedup
