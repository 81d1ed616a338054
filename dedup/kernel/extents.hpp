// From the seeds of two documents to their passages. Inside the kernel only.
#pragma once

#include "kernel.hpp"

namespace dedup {

constexpr size_t COMPANY = 3;       // seeds that must stand within GAP tokens

struct Seed {
    int64_t a, b, k;
};

// The passages of one pair of documents after the other; each thread has its own.
class Aligner {
  public:
    Aligner(View<uint32_t> tokens, const PassageParameters &parameters);
    ~Aligner();
    // Those of the documents from a_begin to a_end and from b_begin to b_end, the same twice for repeats within it;
    // the documents' numbers are left at 0. Puts the seeds in order. Valid until the next call.
    std::vector<Passage> &run(std::vector<Seed> &seeds, int64_t a_begin, int64_t a_end, int64_t b_begin, int64_t b_end);

  private:
    class Pair;
    std::unique_ptr<Pair> pair_;
};

}  // namespace dedup
