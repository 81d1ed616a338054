// Python's door for texts: the type Tokeniser, and the function locate. Enters: strings, read in place and held until
// they have been read, and the tables of characters, asked for as texts need them. Leaves: tokens and places as bytes.
#include "python.hpp"

#include <deque>
#include <memory>

namespace python {
namespace {

// The strings of a tuple where they lie; false with a Python error set.
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

// The arrays (index, entries, pool) of a Python tuple, held as long as a thread may read them.
struct Tables {
    Input<uint16_t> index;
    Input<dedup::Entry> entries;
    Input<uint32_t> pool;
    dedup::Characters view() const { return {index.view(), entries.view(), pool.view()}; }
};

// The tables that `more` gives, called with those that are missing; nullptr with a Python error set.
std::unique_ptr<Tables> get_tables(PyObject *more, const std::vector<uint8_t> &missing) {
    Owned asked(bytes(missing));
    Owned tuple(asked ? PyObject_CallOneArg(more, asked.get()) : nullptr);
    if (!tuple) return nullptr;
    auto tables = std::make_unique<Tables>();
    bool good = PyArg_ParseTuple(tuple.get(), "O&O&O&", tables->index.convert, &tables->index, tables->entries.convert,
                                 &tables->entries, tables->pool.convert, &tables->pool);
    return good ? std::move(tables) : nullptr;
}

// ---- the tokeniser as a Python object ------------------------------------------------------------------------

struct TokeniserObject {
    PyObject_HEAD
    dedup::Tokeniser *tokeniser;
    std::vector<std::unique_ptr<Tables>> *tables;
    std::deque<Owned> *held;       // the tuples that hold the strings while they are read
    size_t released;               // how many strings were in tuples that are gone
    PyObject *more;   // gives the tables, called with one byte a page that is missing
    unsigned jobs;
};

TokeniserObject *own(PyObject *self) { return reinterpret_cast<TokeniserObject *>(self); }

bool renew_tables(TokeniserObject *self, const std::vector<uint8_t> &missing) {
    auto tables = get_tables(self->more, missing);
    if (!tables) return false;
    self->tables->push_back(std::move(tables));  // held before anyone reads them
    self->tokeniser->use(self->tables->back()->view());
    return true;
}

void tokeniser_free(PyObject *self) {
    delete own(self)->tokeniser;  // ends its threads
    delete own(self)->tables;
    delete own(self)->held;
    Py_XDECREF(own(self)->more);
    PyTypeObject *type = Py_TYPE(self);
    type->tp_free(self);
    Py_DECREF(type);
}

PyObject *tokeniser_new(PyTypeObject *type, PyObject *args, PyObject *) {
    PyObject *more;
    int spans;
    unsigned jobs;
    if (!PyArg_ParseTuple(args, "OpI", &more, &spans, &jobs)) return nullptr;
    Owned self(type->tp_alloc(type, 0));
    if (!self) return nullptr;
    TokeniserObject *object = own(self.get());
    Py_INCREF(more);
    object->more = more;
    object->jobs = jobs;
    object->held = new std::deque<Owned>();
    object->tables = new std::vector<std::unique_ptr<Tables>>();
    object->tokeniser = new dedup::Tokeniser(spans != 0, jobs > 1 ? jobs - 1 : 0);
    return renew_tables(object, {}) ? self.release() : nullptr;
}

// Lets go of the strings that have been read.
void let_go(TokeniserObject *self) {
    size_t done = self->tokeniser->done();
    while (!self->held->empty()) {
        auto count = static_cast<size_t>(PyTuple_GET_SIZE(self->held->front().get()));
        if (self->released + count > done) return;
        self->released += count;
        Owned read = std::move(self->held->front());  // goes last: a string may do anything when it goes
        self->held->pop_front();
    }
}

PyObject *tokeniser_add(PyObject *self, PyObject *list) {
    if (own(self)->tokeniser->finished()) {
        PyErr_SetString(PyExc_ValueError, "no text may come after finish()");
        return nullptr;
    }
    Owned tuple(PySequence_Tuple(list));
    std::vector<dedup::Text> texts;
    if (!tuple || !read_texts(tuple.get(), texts)) return nullptr;
    own(self)->held->push_back(std::move(tuple));
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
    auto counts = tokeniser->counts();
    auto digests = tokeniser->digests();
    return Py_BuildValue("NN", bytes(counts), bytes(digests));
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
    {Py_tp_new, reinterpret_cast<void *>(static_cast<newfunc>(guarded<tokeniser_new>))},
    {Py_tp_dealloc, reinterpret_cast<void *>(tokeniser_free)},
    {Py_tp_methods, tokeniser_methods},
    {0, nullptr},
};

}  // namespace

PyType_Spec tokeniser_type = {"dedup.kernel._native.Tokeniser", sizeof(TokeniserObject), 0, Py_TPFLAGS_DEFAULT,
                              tokeniser_slots};

// ---- places of tokens ----------------------------------------------------------------------------------------

PyObject *locate(PyObject *, PyObject *args) {
    PyObject *list, *more;
    Input<int64_t> bounds, spans;
    unsigned jobs;
    if (!PyArg_ParseTuple(args, "OOO&O&I", &list, &more, bounds.convert, &bounds, spans.convert, &spans, &jobs))
        return nullptr;
    Owned tuple(PySequence_Tuple(list));  // holds the strings while the GIL is released
    if (!tuple) return nullptr;
    std::vector<dedup::Text> texts;
    if (!read_texts(tuple.get(), texts)) return nullptr;
    int64_t *out = nullptr;
    Owned result(room(2 * spans.view().size, &out));
    std::vector<uint8_t> missing;
    bool good = result != nullptr;
    do {
        auto tables = good ? get_tables(more, missing) : nullptr;
        good = tables && released([&] {
                   missing = dedup::locate({texts.data(), texts.size()}, bounds.view(), spans.view(), tables->view(),
                                           jobs, out);
               });
    } while (good && !missing.empty());
    return good ? result.release() : nullptr;
}

}  // namespace python
