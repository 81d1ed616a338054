// Python's door to the kernel: buffers in, bytes out, the GIL released in between. No algorithm lives here.
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <algorithm>
#include <cstring>
#include <new>
#include <stdexcept>

#include "kernel.hpp"

using dedup::View;

namespace {

// A contiguous buffer of a Python object, held while this lives.
template <class T> class Input {
  public:
    Input() = default;
    Input(const Input &) = delete;
    Input &operator=(const Input &) = delete;
    ~Input() {
        if (held_) PyBuffer_Release(&buffer_);
    }
    static int convert(PyObject *object, void *self) {
        auto *input = static_cast<Input *>(self);
        if (PyObject_GetBuffer(object, &input->buffer_, PyBUF_C_CONTIGUOUS) < 0) return 0;
        input->held_ = true;
        if (input->buffer_.len % static_cast<Py_ssize_t>(sizeof(T)) == 0) return 1;
        PyErr_SetString(PyExc_ValueError, "a buffer is not a whole number of items");
        return 0;
    }
    View<T> view() const {
        return {static_cast<const T *>(buffer_.buf), static_cast<size_t>(buffer_.len) / sizeof(T)};
    }

  private:
    Py_buffer buffer_{};
    bool held_ = false;
};

// Runs `work` without the GIL; false with a Python error set if it threw.
template <class Work> bool released(Work work) {
    const char *failure = nullptr;
    bool memory = false;
    Py_BEGIN_ALLOW_THREADS
    try {
        work();
    } catch (const std::bad_alloc &) {
        memory = true;
    } catch (const std::exception &) {
        failure = "the kernel failed";
    }
    Py_END_ALLOW_THREADS
    if (memory) PyErr_NoMemory();
    else if (failure) PyErr_SetString(PyExc_RuntimeError, failure);
    return !memory && !failure;
}

// Uninitialised bytes for a result whose size is known beforehand.
template <class T> PyObject *room(size_t size, T **data) {
    PyObject *result = PyBytes_FromStringAndSize(nullptr, static_cast<Py_ssize_t>(size * sizeof(T)));
    if (!result) return nullptr;
    *data = reinterpret_cast<T *>(PyBytes_AS_STRING(result));
    return result;
}

template <class T> PyObject *bytes(const T *values, size_t size) {
    T *data = nullptr;
    PyObject *result = room(size, &data);
    if (result && size) std::memcpy(data, values, size * sizeof(T));
    return result;
}
template <class T> PyObject *bytes(const std::vector<T> &values) { return bytes(values.data(), values.size()); }

PyObject *given(PyObject *result, bool good) {
    if (good) return result;
    Py_XDECREF(result);
    return nullptr;
}

bool read_texts(PyObject *tuple, std::vector<dedup::Text> &texts) {
    Py_ssize_t count = PyTuple_GET_SIZE(tuple);
    texts.reserve(static_cast<size_t>(count));
    for (Py_ssize_t i = 0; i < count; ++i) {
        PyObject *text = PyTuple_GET_ITEM(tuple, i);
        if (!PyUnicode_Check(text)) {
            PyErr_Format(PyExc_TypeError, "text %zd is %.80s, expected str", i, Py_TYPE(text)->tp_name);
            return false;
        }
#if PY_VERSION_HEX < 0x030C0000
        if (PyUnicode_READY(text) < 0) return false;
#endif
        if (PyUnicode_GET_LENGTH(text) >= Py_ssize_t{0xFFFFFFFF}) {
            PyErr_Format(PyExc_OverflowError, "text %zd has more than 4,294,967,294 characters", i);
            return false;
        }
        texts.push_back({PyUnicode_DATA(text), static_cast<size_t>(PyUnicode_GET_LENGTH(text)),
                         static_cast<int>(PyUnicode_KIND(text))});
    }
    return true;
}

// One field of all parts, end to end.
template <class T> PyObject *joined(const std::vector<dedup::Tokens> &parts, std::vector<T> dedup::Tokens::*field) {
    size_t size = 0;
    for (const auto &part : parts) size += (part.*field).size();
    T *data = nullptr;
    PyObject *result = room(size, &data);
    if (!result) return nullptr;
    for (const auto &part : parts) {
        const auto &values = part.*field;
        if (!values.empty()) std::memcpy(data, values.data(), values.size() * sizeof(T));
        data += values.size();
    }
    return result;
}

// Which tables were missing: one byte a page, or None.
PyObject *missing(const std::vector<dedup::Tokens> &parts) {
    std::vector<uint8_t> pages;
    for (const auto &part : parts) {
        if (part.complete) continue;
        pages.resize(part.missing.size());
        for (size_t i = 0; i < pages.size(); ++i) pages[i] |= part.missing[i];
    }
    if (pages.empty()) Py_RETURN_NONE;
    return bytes(pages);
}

PyObject *tokenise(PyObject *, PyObject *args) {
    PyObject *list;
    Input<uint16_t> index;
    Input<dedup::Entry> entries;
    Input<uint32_t> pool;
    int spans;
    unsigned jobs;
    if (!PyArg_ParseTuple(args, "OO&O&O&pI", &list, index.convert, &index, entries.convert, &entries, pool.convert,
                          &pool, &spans, &jobs))
        return nullptr;
    PyObject *tuple = PySequence_Tuple(list);  // holds the strings while the GIL is released
    if (!tuple) return nullptr;
    std::vector<dedup::Text> texts;
    std::vector<dedup::Tokens> parts;
    PyObject *result = nullptr;
    if (read_texts(tuple, texts) && released([&] {
            parts = dedup::tokenise({texts.data(), texts.size()}, {index.view(), entries.view(), pool.view()},
                                    spans != 0, jobs);
        }))
        result = Py_BuildValue("NNNNN", missing(parts), joined(parts, &dedup::Tokens::hashes),
                               joined(parts, &dedup::Tokens::counts), joined(parts, &dedup::Tokens::starts),
                               joined(parts, &dedup::Tokens::ends));
    Py_DECREF(tuple);
    return result;
}

PyObject *digests(PyObject *, PyObject *args) {
    Input<uint32_t> tokens;
    Input<int64_t> offsets;
    unsigned jobs;
    if (!PyArg_ParseTuple(args, "O&O&I", tokens.convert, &tokens, offsets.convert, &offsets, &jobs)) return nullptr;
    uint64_t *out = nullptr;
    PyObject *result = room(offsets.view().size - 1, &out);
    if (!result) return nullptr;
    return given(result, released([&] { dedup::digests(tokens.view(), offsets.view(), jobs, out); }));
}

PyObject *gather(PyObject *, PyObject *args) {
    PyObject *list;
    Input<int64_t> starts, offsets;
    unsigned jobs;
    if (!PyArg_ParseTuple(args, "O!O&O&I", &PyTuple_Type, &list, starts.convert, &starts, offsets.convert, &offsets,
                          &jobs))
        return nullptr;
    std::vector<Input<uint32_t>> parts(static_cast<size_t>(PyTuple_GET_SIZE(list)));
    std::vector<int64_t> ends;  // of the parts, were they end to end
    for (size_t i = 0; i < parts.size(); ++i) {
        if (!Input<uint32_t>::convert(PyTuple_GET_ITEM(list, static_cast<Py_ssize_t>(i)), &parts[i])) return nullptr;
        ends.push_back((i ? ends.back() : 0) + static_cast<int64_t>(parts[i].view().size));
    }
    std::vector<const uint32_t *> from;
    for (size_t i = 0; i < starts.view().size; ++i) {
        int64_t start = starts.view()[i], end = start + offsets.view()[i + 1] - offsets.view()[i];
        auto part = static_cast<size_t>(std::upper_bound(ends.begin(), ends.end(), start) - ends.begin());
        if (start < 0 || end < start || (end > start && (part == parts.size() || end > ends[part]))) {
            PyErr_Format(PyExc_ValueError, "run %zu does not lie in one part", i);
            return nullptr;
        }
        from.push_back(end == start ? nullptr : parts[part].view().data + (start - (part ? ends[part - 1] : 0)));
    }
    uint32_t *out = nullptr;
    PyObject *result = room(static_cast<size_t>(offsets.view()[starts.view().size]), &out);
    if (!result) return nullptr;
    return given(result, released([&] { dedup::gather(from, offsets.view(), jobs, out); }));
}

PyObject *sign(PyObject *, PyObject *args) {
    Input<uint32_t> tokens, multipliers, increments;
    Input<int64_t> offsets;
    unsigned ngram, lowest, jobs;
    if (!PyArg_ParseTuple(args, "O&O&IO&O&II", tokens.convert, &tokens, offsets.convert, &offsets, &ngram,
                          multipliers.convert, &multipliers, increments.convert, &increments, &lowest, &jobs))
        return nullptr;
    uint32_t *out = nullptr;
    uint64_t *low = nullptr;
    size_t count = offsets.view().size - 1;
    PyObject *signatures = room(count * multipliers.view().size, &out);
    if (!signatures) return nullptr;
    PyObject *sketches = room(count * lowest, &low);
    if (sketches && released([&] {
            dedup::sign(tokens.view(), offsets.view(), ngram, multipliers.view(), increments.view(), lowest, jobs,
                        out, low);
        }))
        return Py_BuildValue("NN", signatures, sketches);
    Py_DECREF(signatures);
    Py_XDECREF(sketches);
    return nullptr;
}

PyObject *shingles(PyObject *, PyObject *args) {
    Input<uint32_t> tokens;
    Input<int64_t> offsets;
    unsigned ngram, jobs;
    if (!PyArg_ParseTuple(args, "O&O&II", tokens.convert, &tokens, offsets.convert, &offsets, &ngram, &jobs))
        return nullptr;
    std::vector<uint64_t> all;
    std::vector<int64_t> counts;
    if (!released([&] {
            for (const auto &set : dedup::shingles(tokens.view(), offsets.view(), ngram, jobs)) {
                all.insert(all.end(), set.begin(), set.end());
                counts.push_back(static_cast<int64_t>(set.size()));
            }
        }))
        return nullptr;
    return Py_BuildValue("NN", bytes(all), bytes(counts));
}

PyObject *overlaps(PyObject *, PyObject *args) {
    Input<uint32_t> tokens;
    Input<int64_t> offsets, pairs;
    unsigned ngram, jobs;
    if (!PyArg_ParseTuple(args, "O&O&IO&I", tokens.convert, &tokens, offsets.convert, &offsets, &ngram, pairs.convert,
                          &pairs, &jobs))
        return nullptr;
    int64_t *out = nullptr;
    PyObject *result = room(pairs.view().size / 2 * 3, &out);
    if (!result) return nullptr;
    return given(result, released([&] {
                     dedup::overlaps(tokens.view(), offsets.view(), ngram, pairs.view(), jobs, out);
                 }));
}

PyObject *explained(PyObject *, PyObject *args) {
    Input<uint32_t> tokens;
    Input<int64_t> offsets, pairs;
    unsigned ngram, jobs;
    if (!PyArg_ParseTuple(args, "O&O&IO&I", tokens.convert, &tokens, offsets.convert, &offsets, &ngram, pairs.convert,
                          &pairs, &jobs))
        return nullptr;
    uint8_t *out = nullptr;
    PyObject *result = room(tokens.view().size, &out);
    if (!result) return nullptr;
    std::memset(out, 0, tokens.view().size);
    return given(result, released([&] {
                     dedup::explained(tokens.view(), offsets.view(), ngram, pairs.view(), jobs, out);
                 }));
}

PyObject *band_pairs(PyObject *, PyObject *args) {
    Input<uint32_t> signatures;
    unsigned num_perm, bands, rows, bucket, jobs;
    if (!PyArg_ParseTuple(args, "O&IIIII", signatures.convert, &signatures, &num_perm, &bands, &rows, &bucket, &jobs))
        return nullptr;
    if (size_t{bands} * rows > num_perm) {
        PyErr_SetString(PyExc_ValueError, "more rows than permutations");
        return nullptr;
    }
    std::vector<uint64_t> pairs;
    if (!released([&] { pairs = dedup::band_pairs(signatures.view(), num_perm, bands, rows, bucket, jobs); }))
        return nullptr;
    return bytes(pairs);
}

PyObject *contained_pairs(PyObject *, PyObject *args) {
    Input<uint32_t> tokens;
    Input<int64_t> offsets;
    Input<uint64_t> sketches;
    Input<uint8_t> sought;
    unsigned ngram, minimum, needed, bucket, jobs;
    if (!PyArg_ParseTuple(args, "O&O&O&O&IIIII", tokens.convert, &tokens, offsets.convert, &offsets, sketches.convert,
                          &sketches, sought.convert, &sought, &ngram, &minimum, &needed, &bucket, &jobs))
        return nullptr;
    std::vector<uint64_t> pairs;
    if (!released([&] {
            pairs = dedup::contained_pairs(tokens.view(), offsets.view(), sketches.view(), sought.view(),
                                           {ngram, minimum, needed, bucket}, jobs);
        }))
        return nullptr;
    return bytes(pairs);
}

PyObject *places(PyObject *, PyObject *args) {
    Input<uint32_t> tokens;
    Input<int64_t> offsets;
    Input<uint64_t> sought;
    unsigned ngram, jobs;
    if (!PyArg_ParseTuple(args, "O&O&IO&I", tokens.convert, &tokens, offsets.convert, &offsets, &ngram, sought.convert,
                          &sought, &jobs))
        return nullptr;
    std::vector<int64_t> found;
    if (!released([&] { found = dedup::places(tokens.view(), offsets.view(), ngram, sought.view(), jobs); }))
        return nullptr;
    return bytes(found);
}

PyObject *periods(PyObject *, PyObject *args) {
    Input<uint32_t> tokens;
    Input<int64_t> offsets;
    long long minimum;
    unsigned jobs;
    if (!PyArg_ParseTuple(args, "O&O&LI", tokens.convert, &tokens, offsets.convert, &offsets, &minimum, &jobs))
        return nullptr;
    std::vector<dedup::Period> found;
    if (!released([&] { found = dedup::periods(tokens.view(), offsets.view(), minimum, jobs); })) return nullptr;
    return bytes(found);
}

PyObject *seed_index(PyObject *, PyObject *args) {
    Input<uint32_t> tokens;
    Input<int64_t> offsets;
    Input<uint8_t> posting;
    unsigned cap, jobs;
    if (!PyArg_ParseTuple(args, "O&O&O&II", tokens.convert, &tokens, offsets.convert, &offsets, posting.convert,
                          &posting, &cap, &jobs))
        return nullptr;
    if (tokens.view().size >= dedup::LAST) {
        PyErr_SetString(PyExc_OverflowError, "more than 2,147,483,647 tokens");
        return nullptr;
    }
    uint32_t *slots = nullptr, *members = nullptr;
    PyObject *slots_bytes = room(tokens.view().size, &slots);
    if (!slots_bytes) return nullptr;
    dedup::SeedIndex index;
    if (!released([&] { index = dedup::seed_index(tokens.view(), offsets.view(), posting.view(), cap, jobs, slots); }))
        return given(slots_bytes, false);
    PyObject *members_bytes = room(index.starts[dedup::HOT + 1], &members);
    for (auto &slice : index.members) {
        if (members_bytes && !slice.empty()) std::memcpy(members, slice.data(), slice.size() * sizeof *members);
        members += slice.size();
        std::vector<uint32_t>().swap(slice);
    }
    return Py_BuildValue("NNN", members_bytes, slots_bytes, bytes(index.starts, dedup::HOT + 2));
}

PyObject *passages(PyObject *, PyObject *args) {
    Input<uint32_t> tokens, members, slots, starts;
    Input<int64_t> offsets;
    Input<int32_t> families;
    double similarity;
    long long minimum;
    unsigned jobs;
    if (!PyArg_ParseTuple(args, "O&O&O&O&O&O&dLI", tokens.convert, &tokens, offsets.convert, &offsets,
                          families.convert, &families, members.convert, &members, slots.convert, &slots,
                          starts.convert, &starts, &similarity, &minimum, &jobs))
        return nullptr;
    std::vector<dedup::Passage> found;
    if (!released([&] {
            found = dedup::passages(tokens.view(), offsets.view(), families.view(), members.view(), slots.view(),
                                    starts.view(), {similarity, minimum}, jobs);
        }))
        return nullptr;
    return bytes(found);
}

PyObject *common(PyObject *, PyObject *args) {
    Input<uint32_t> tokens;
    Input<int64_t> spans;
    unsigned jobs;
    if (!PyArg_ParseTuple(args, "O&O&I", tokens.convert, &tokens, spans.convert, &spans, &jobs)) return nullptr;
    int64_t *out = nullptr;
    PyObject *result = room(spans.view().size / 4, &out);
    if (!result) return nullptr;
    return given(result, released([&] { dedup::common(tokens.view(), spans.view(), jobs, out); }));
}

PyMethodDef methods[] = {
    {"tokenise", tokenise, METH_VARARGS, nullptr},
    {"digests", digests, METH_VARARGS, nullptr},
    {"gather", gather, METH_VARARGS, nullptr},
    {"sign", sign, METH_VARARGS, nullptr},
    {"shingles", shingles, METH_VARARGS, nullptr},
    {"overlaps", overlaps, METH_VARARGS, nullptr},
    {"explained", explained, METH_VARARGS, nullptr},
    {"band_pairs", band_pairs, METH_VARARGS, nullptr},
    {"contained_pairs", contained_pairs, METH_VARARGS, nullptr},
    {"places", places, METH_VARARGS, nullptr},
    {"periods", periods, METH_VARARGS, nullptr},
    {"seed_index", seed_index, METH_VARARGS, nullptr},
    {"passages", passages, METH_VARARGS, nullptr},
    {"common", common, METH_VARARGS, nullptr},
    {nullptr, nullptr, 0, nullptr},
};

PyModuleDef definition = {PyModuleDef_HEAD_INIT, "_native", nullptr, 0, methods, nullptr, nullptr, nullptr, nullptr};

}  // namespace

PyMODINIT_FUNC PyInit__native(void) { return PyModuleDef_Init(&definition); }
