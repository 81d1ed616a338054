// The longest common subsequence of two token sequences: what two passages have in common.
#include "kernel.hpp"

#include <algorithm>

namespace dedup {

int64_t Lcs::operator()(const uint32_t *a, size_t a_size, const uint32_t *b, size_t b_size) {
    int64_t same = 0;
    while (a_size && b_size && *a == *b) ++a, ++b, --a_size, --b_size, ++same;
    while (a_size && b_size && a[a_size - 1] == b[b_size - 1]) --a_size, --b_size, ++same;
    if (!a_size || !b_size) return same;
    return same + (a_size <= b_size ? core(a, a_size, b, b_size) : core(b, b_size, a, a_size));
}

// Hyyrö, "Bit-parallel LCS-length computation revisited" (2004): a row of the matrix is a bit vector of a's length.
int64_t Lcs::core(const uint32_t *a, size_t a_size, const uint32_t *b, size_t b_size) {
    size_t words = (a_size + 63) / 64, table = 16;
    while (table < 2 * a_size) table *= 2;
    keys_.assign(table, 0);
    rows_.assign(table, -1);
    masks_.clear();
    auto find = [&](uint32_t token) {
        size_t at = (token * 0x9E3779B1u) & (table - 1);
        while (rows_[at] >= 0 && keys_[at] != token) at = (at + 1) & (table - 1);
        return at;
    };
    for (size_t i = 0; i < a_size; ++i) {
        size_t at = find(a[i]);
        if (rows_[at] < 0) {
            keys_[at] = a[i];
            rows_[at] = static_cast<int32_t>(masks_.size() / words);
            masks_.resize(masks_.size() + words, 0);
        }
        masks_[static_cast<size_t>(rows_[at]) * words + i / 64] |= uint64_t{1} << (i % 64);
    }
    state_.assign(words, ~uint64_t{0});
    for (size_t j = 0; j < b_size; ++j) {
        int32_t row = rows_[find(b[j])];
        if (row < 0) continue;
        const uint64_t *mask = masks_.data() + static_cast<size_t>(row) * words;
        uint64_t carry = 0;
        for (size_t w = 0; w < words; ++w) {
            uint64_t s = state_[w], u = s & mask[w], sum = s + u;
            uint64_t over = sum < s;
            sum += carry;
            over |= sum < carry;
            state_[w] = sum | (s - u);
            carry = over;
        }
    }
    int64_t length = 0;
    for (size_t i = 0; i < a_size; ++i) length += !(state_[i / 64] >> (i % 64) & 1);
    return length;
}

void common(View<uint32_t> tokens, View<int64_t> spans, unsigned jobs, int64_t *out) {
    constexpr size_t CHUNK = 256;
    size_t count = spans.size / 4;
    parallel((count + CHUNK - 1) / CHUNK, jobs, [&](size_t chunk) {
        Lcs lcs;
        for (size_t i = chunk * CHUNK; i < std::min(count, (chunk + 1) * CHUNK); ++i) {
            const int64_t *s = spans.data + 4 * i;
            out[i] = lcs(tokens.data + s[0], static_cast<size_t>(s[1] - s[0]), tokens.data + s[2],
                         static_cast<size_t>(s[3] - s[2]));
        }
    });
}

}  // namespace dedup
