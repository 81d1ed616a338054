// Python's door to the kernel: the module and its functions over flat arrays. Enters: buffers. Leaves: bytes. The GIL
// is released in between. No algorithm lives here; what takes texts is in binding_texts.cpp.
#include "python.hpp"

#include <algorithm>

namespace python {
namespace {

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
    Py_buffer marks;
    if (!PyArg_ParseTuple(args, "O&O&IO&Iw*", tokens.convert, &tokens, offsets.convert, &offsets, &ngram,
                          pairs.convert, &pairs, &jobs, &marks))
        return nullptr;
    bool good = static_cast<size_t>(marks.len) == tokens.view().size;
    if (!good) PyErr_SetString(PyExc_ValueError, "expected one mark a token");
    good = good && released([&] {
               dedup::explained(tokens.view(), offsets.view(), ngram, pairs.view(), jobs,
                                static_cast<uint8_t *>(marks.buf));
           });
    PyBuffer_Release(&marks);
    if (!good) return nullptr;
    Py_RETURN_NONE;
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

PyObject *sampled(PyObject *, PyObject *args) {
    Input<uint32_t> tokens;
    Input<int64_t> offsets, pairs;
    unsigned ngram, count, jobs;
    if (!PyArg_ParseTuple(args, "O&O&IO&II", tokens.convert, &tokens, offsets.convert, &offsets, &ngram,
                          pairs.convert, &pairs, &count, &jobs))
        return nullptr;
    int64_t *out = nullptr;
    PyObject *result = room(pairs.view().size, &out);
    if (!result) return nullptr;
    return given(result, released([&] {
                     dedup::sampled(tokens.view(), offsets.view(), ngram, pairs.view(), count, jobs, out);
                 }));
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

PyObject *recurrences(PyObject *, PyObject *args) {
    Input<uint32_t> tokens;
    Input<int64_t> spans, bounds;
    unsigned length, jobs;
    if (!PyArg_ParseTuple(args, "O&O&O&II", tokens.convert, &tokens, spans.convert, &spans, bounds.convert, &bounds,
                          &length, &jobs))
        return nullptr;
    int64_t *out = nullptr;
    PyObject *result = room(spans.view().size / 2, &out);
    if (!result) return nullptr;
    std::fill_n(out, spans.view().size / 2, int64_t{0});
    if (!bounds.view().size) return result;
    return given(result, released([&] {
                     dedup::recurrences(tokens.view(), spans.view(), bounds.view(), length, jobs, out);
                 }));
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
    Input<uint8_t> quiet;
    unsigned cap, jobs;
    if (!PyArg_ParseTuple(args, "O&O&O&II", tokens.convert, &tokens, offsets.convert, &offsets, quiet.convert, &quiet,
                          &cap, &jobs))
        return nullptr;
    size_t size = tokens.view().size;
    if (size >= dedup::LAST) {
        PyErr_SetString(PyExc_OverflowError, "more than 2,147,483,647 tokens");
        return nullptr;
    }
    uint32_t *slots = nullptr, *members = nullptr;
    PyObject *slots_bytes = room(size, &slots), *members_bytes = slots_bytes ? room(size, &members) : nullptr;
    dedup::SeedIndex index;
    bool good = members_bytes && released([&] {
                    index = dedup::seed_index(tokens.view(), offsets.view(), quiet.view(), cap, jobs, members, slots);
                });
    size_t used = index.starts[dedup::HOT + 1] * sizeof *members;
    if (good && _PyBytes_Resize(&members_bytes, static_cast<Py_ssize_t>(used)) == 0)
        return Py_BuildValue("NNN", members_bytes, slots_bytes, bytes(index.starts, dedup::HOT + 2));
    Py_XDECREF(members_bytes);
    Py_XDECREF(slots_bytes);
    return nullptr;
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
    {"locate", guarded<locate>, METH_VARARGS, nullptr},
    {"sign", guarded<sign>, METH_VARARGS, nullptr},
    {"shingles", guarded<shingles>, METH_VARARGS, nullptr},
    {"overlaps", guarded<overlaps>, METH_VARARGS, nullptr},
    {"explained", guarded<explained>, METH_VARARGS, nullptr},
    {"band_pairs", guarded<band_pairs>, METH_VARARGS, nullptr},
    {"contained_pairs", guarded<contained_pairs>, METH_VARARGS, nullptr},
    {"sampled", guarded<sampled>, METH_VARARGS, nullptr},
    {"places", guarded<places>, METH_VARARGS, nullptr},
    {"recurrences", guarded<recurrences>, METH_VARARGS, nullptr},
    {"periods", guarded<periods>, METH_VARARGS, nullptr},
    {"seed_index", guarded<seed_index>, METH_VARARGS, nullptr},
    {"passages", guarded<passages>, METH_VARARGS, nullptr},
    {"common", guarded<common>, METH_VARARGS, nullptr},
    {nullptr, nullptr, 0, nullptr},
};

int fill_module(PyObject *module) {
    PyObject *type = PyType_FromSpec(&tokeniser_type);
    int failed = type ? PyModule_AddObjectRef(module, "Tokeniser", type) : -1;
    Py_XDECREF(type);
    return failed;
}

PyModuleDef_Slot slots[] = {{Py_mod_exec, reinterpret_cast<void *>(fill_module)}, {0, nullptr}};

PyModuleDef definition = {PyModuleDef_HEAD_INIT, "_native", nullptr, 0, methods, slots, nullptr, nullptr, nullptr};

}  // namespace
}  // namespace python

PyMODINIT_FUNC PyInit__native(void) { return PyModuleDef_Init(&python::definition); }
