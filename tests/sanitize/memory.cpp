// Memory that runs out at every place in turn, under all that starts threads: each time there is a result, the right
// one, or an exception; the process never ends of itself.
#include <cstdio>
#include <cstdlib>
#include <new>
#include <numeric>
#include <string>

#include "kernel.hpp"

static std::atomic<long> allocations{0}, refused{0};  // from 1; 0: none is refused

void *operator new(size_t size) {
    if (++allocations == refused) throw std::bad_alloc();
    if (void *place = std::malloc(size ? size : 1)) return place;
    throw std::bad_alloc();
}
void operator delete(void *place) noexcept { std::free(place); }
void operator delete(void *place, size_t) noexcept { std::free(place); }

// Runs `work` with the first allocation refused, with the second, and so on until all are granted.
template <class Work> void at_every_place(const char *name, Work work) {
    long thrown = 0, done = 0;
    for (long place = 1;; ++place) {
        allocations = 0;
        refused = place;
        bool good = true;
        try {
            good = work();
            ++done;
        } catch (const std::bad_alloc &) {
            ++thrown;
        }
        refused = 0;
        if (!good) {
            std::fprintf(stderr, "%s: a wrong result with allocation %ld refused\n", name, place);
            std::exit(1);
        }
        if (allocations < place) break;
    }
    std::printf("%s: %ld exceptions, %ld results\n", name, thrown, done);
}

int main() {
    at_every_place("parallel", [] {
        std::vector<int> seen(100);
        dedup::parallel(seen.size(), 4, [&](size_t i) { seen[i] = *std::make_unique<int>(1); });
        return std::accumulate(seen.begin(), seen.end(), 0) == 100;
    });

    std::vector<uint16_t> index(0x1100);  // no table at all: the texts are ASCII
    std::string words;
    for (int i = 0; i < 12'000; ++i) words += "some words ";
    dedup::Text text{words.data(), words.size(), 1};
    std::vector<dedup::Text> texts(6, text);
    at_every_place("Tokeniser", [&] {
        dedup::Tokeniser tokeniser(true, 3);
        tokeniser.use({{index.data(), index.size()}, {}, {}});
        for (int lot = 0; lot < 2; ++lot) {
            try {
                tokeniser.add({texts.data(), texts.size()});
            } catch (const std::bad_alloc &) {  // what has been lost must be told of at the end, too
            }
        }
        tokeniser.finish();
        return tokeniser.counts() == std::vector<int64_t>(12, 24'000);
    });
}
