// Python's door to the kernel: buffers in, bytes out, the GIL released in between. No algorithm lives here.
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <algorithm>
#include <cstring>
#include <memory>
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
    PyObject *failure = nullptr;
    Py_BEGIN_ALLOW_THREADS
    try {
        work();
    } catch (const std::bad_alloc &) {
        failure = PyExc_MemoryError;
    } catch (const std::out_of_range &) {
        failure = PyExc_IndexError;
    } catch (const std::exception &) {
        failure = PyExc_RuntimeError;
    }
    Py_END_ALLOW_THREADS
    if (failure) PyErr_SetString(failure, failure == PyExc_IndexError ? "a place is out of range" : "the kernel failed");
    return !failure;
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

// A function that Python calls, with no exception of C++ leaving it.
template <PyObject *(*Function)(PyObject *, PyObject *)> PyObject *guarded(PyObject *self, PyObject *args) {
    try {
        return Function(self, args);
    } catch (const std::bad_alloc &) {
        return PyErr_NoMemory();
    } catch (const std::exception &error) {
        PyErr_Format(PyExc_RuntimeError, "the kernel failed: %s", error.what());
        return nullptr;
    }
}

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

// ---- the tokeniser as a Python object ------------------------------------------------------------------------

// The arrays (index, entries, pool) of a Python tuple, held as long as a thread may read them.
struct Tables {
    Input<uint16_t> index;
    Input<dedup::Entry> entries;
    Input<uint32_t> pool;
    dedup::Characters view() const { return {index.view(), entries.view(), pool.view()}; }
};

struct TokeniserObject {
    PyObject_HEAD
    dedup::Tokeniser *tokeniser;
    std::vector<std::unique_ptr<Tables>> *tables;
    std::deque<PyObject *> *held;  // the tuples that hold the strings while they are read
    size_t released;               // how many strings were in tuples that are gone
    PyObject *more;   // gives the tables, called with one byte a page that is missing
    unsigned jobs;
};

TokeniserObject *own(PyObject *self) { return reinterpret_cast<TokeniserObject *>(self); }

// The tables that `more` gives, called with those that are missing; nullptr with a Python error set.
std::unique_ptr<Tables> get_tables(PyObject *more, const std::vector<uint8_t> &missing) {
    PyObject *asked = bytes(missing), *tuple = asked ? PyObject_CallOneArg(more, asked) : nullptr;
    Py_XDECREF(asked);
    if (!tuple) return nullptr;
    auto tables = std::make_unique<Tables>();
    bool good = PyArg_ParseTuple(tuple, "O&O&O&", tables->index.convert, &tables->index, tables->entries.convert,
                                 &tables->entries, tables->pool.convert, &tables->pool);
    Py_DECREF(tuple);
    return good ? std::move(tables) : nullptr;
}

bool renew_tables(TokeniserObject *self, const std::vector<uint8_t> &missing) {
    auto tables = get_tables(self->more, missing);
    if (!tables) return false;
    self->tokeniser->use(tables->view());
    self->tables->push_back(std::move(tables));
    return true;
}

void tokeniser_free(PyObject *self) {
    delete own(self)->tokeniser;  // ends its threads
    delete own(self)->tables;
    if (own(self)->held) {
        for (PyObject *tuple : *own(self)->held) Py_DECREF(tuple);
        delete own(self)->held;
    }
    Py_XDECREF(own(self)->more);
    PyTypeObject *type = Py_TYPE(self);
    type->tp_free(self);
    Py_DECREF(type);
}

PyObject *tokeniser_new(PyTypeObject *type, PyObject *args, PyObject *) try {
    PyObject *more;
    int spans;
    unsigned jobs;
    if (!PyArg_ParseTuple(args, "OpI", &more, &spans, &jobs)) return nullptr;
    PyObject *self = type->tp_alloc(type, 0);
    if (!self) return nullptr;
    Py_INCREF(more);
    own(self)->more = more;
    own(self)->jobs = jobs;
    own(self)->held = new (std::nothrow) std::deque<PyObject *>();
    own(self)->tables = new (std::nothrow) std::vector<std::unique_ptr<Tables>>();
    own(self)->tokeniser = new (std::nothrow) dedup::Tokeniser(spans != 0, jobs > 1 ? jobs - 1 : 0);
    bool good = own(self)->held && own(self)->tables && own(self)->tokeniser;
    if (!good) PyErr_NoMemory();
    good = good && renew_tables(own(self), {});
    if (!good) Py_CLEAR(self);
    return self;
} catch (const std::bad_alloc &) {
    return PyErr_NoMemory();
}

// Lets go of the strings that have been read.
void let_go(TokeniserObject *self) {
    size_t done = self->tokeniser->done();
    while (!self->held->empty()) {
        auto count = static_cast<size_t>(PyTuple_GET_SIZE(self->held->front()));
        if (self->released + count > done) return;
        self->released += count;
        Py_DECREF(self->held->front());
        self->held->pop_front();
    }
}

PyObject *tokeniser_add(PyObject *self, PyObject *list) {
    if (own(self)->tokeniser->finished()) {
        PyErr_SetString(PyExc_ValueError, "no text may come after finish()");
        return nullptr;
    }
    PyObject *tuple = PySequence_Tuple(list);
    std::vector<dedup::Text> texts;
    if (!tuple) return nullptr;
    if (!read_texts(tuple, texts)) {
        Py_DECREF(tuple);
        return nullptr;
    }
    own(self)->held->push_back(tuple);
    if (!released([&] { own(self)->tokeniser->add({texts.data(), texts.size()}); })) return nullptr;
    let_go(own(self));
    auto missing = own(self)->tokeniser->missing();
    if (!missing.empty() && !renew_tables(own(self), missing)) return nullptr;
    Py_RETURN_NONE;
}

PyObject *tokeniser_finish(PyObject *self, PyObject *) {
    dedup::Tokeniser *tokeniser = own(self)->tokeniser;
    for (;;) {
        if (!released([&] { tokeniser->finish(); })) return nullptr;
        auto missing = tokeniser->missing();
        if (missing.empty()) break;
        if (!renew_tables(own(self), missing)) return nullptr;
    }
    let_go(own(self));
    return Py_BuildValue("NN", bytes(tokeniser->counts()), bytes(tokeniser->digests()));
}

PyObject *tokeniser_gather(PyObject *self, PyObject *args) {
    Input<int64_t> order, offsets;
    int column;
    if (!PyArg_ParseTuple(args, "iO&O&", &column, order.convert, &order, offsets.convert, &offsets)) return nullptr;
    if (!own(self)->tokeniser->finished()) {
        PyErr_SetString(PyExc_ValueError, "finish() has not been called");
        return nullptr;
    }
    uint32_t *out = nullptr;
    PyObject *result = room(static_cast<size_t>(offsets.view()[order.view().size]), &out);
    if (!result) return nullptr;
    return given(result, released([&] {
                     own(self)->tokeniser->gather(static_cast<dedup::Tokeniser::Column>(column), order.view(),
                                                  offsets.view(), own(self)->jobs, out);
                 }));
}

PyMethodDef tokeniser_methods[] = {
    {"add", guarded<tokeniser_add>, METH_O, nullptr},
    {"finish", guarded<tokeniser_finish>, METH_NOARGS, nullptr},
    {"gather", guarded<tokeniser_gather>, METH_VARARGS, nullptr},
    {nullptr, nullptr, 0, nullptr},
};

PyType_Slot tokeniser_slots[] = {
    {Py_tp_new, reinterpret_cast<void *>(tokeniser_new)},
    {Py_tp_dealloc, reinterpret_cast<void *>(tokeniser_free)},
    {Py_tp_methods, tokeniser_methods},
    {0, nullptr},
};

PyType_Spec tokeniser_type = {"dedup.kernel._native.Tokeniser", sizeof(TokeniserObject), 0, Py_TPFLAGS_DEFAULT,
                              tokeniser_slots};

// ---- functions -----------------------------------------------------------------------------------------------

PyObject *locate(PyObject *, PyObject *args) {
    PyObject *list, *more;
    Input<int64_t> bounds, spans;
    unsigned jobs;
    if (!PyArg_ParseTuple(args, "OOO&O&I", &list, &more, bounds.convert, &bounds, spans.convert, &spans, &jobs))
        return nullptr;
    PyObject *tuple = PySequence_Tuple(list);  // holds the strings while the GIL is released
    if (!tuple) return nullptr;
    std::vector<dedup::Text> texts;
    int64_t *out = nullptr;
    PyObject *result = read_texts(tuple, texts) ? room(2 * spans.view().size, &out) : nullptr;
    std::vector<uint8_t> missing;
    bool good = result != nullptr;
    do {
        auto tables = good ? get_tables(more, missing) : nullptr;
        good = tables && released([&] {
                   missing = dedup::locate({texts.data(), texts.size()}, bounds.view(), spans.view(), tables->view(),
                                           jobs, out);
               });
    } while (good && !missing.empty());
    Py_DECREF(tuple);
    return given(result, good);
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

PyMODINIT_FUNC PyInit__native(void) { return PyModuleDef_Init(&definition); }
