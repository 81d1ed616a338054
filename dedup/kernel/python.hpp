// Between Python and C++. Enters: buffers of Python objects, as views, and the kernel's work, run without the GIL.
// Leaves: results as bytes, exceptions as Python's. Included before all else, as Python.h must be.
#pragma once

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <cstring>
#include <exception>
#include <memory>
#include <new>
#include <stdexcept>
#include <vector>

#include "kernel.hpp"

namespace python {

using dedup::View;

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

// A reference to a Python object that is given back wherever this goes, also when something is thrown.
struct GivesBack {
    void operator()(PyObject *object) const { Py_DECREF(object); }
};
using Owned = std::unique_ptr<PyObject, GivesBack>;

// Sets the Python error for the exception that is being handled.
inline void set_error() {
    try {
        throw;
    } catch (const std::bad_alloc &error) {
        PyErr_Format(PyExc_MemoryError, "the kernel found no room (%s)", error.what());
    } catch (const std::out_of_range &error) {
        PyErr_Format(PyExc_IndexError, "a place is out of range (%s)", error.what());
    } catch (const std::exception &error) {
        PyErr_Format(PyExc_RuntimeError, "the kernel failed (%s)", error.what());
    } catch (...) {
        PyErr_SetString(PyExc_RuntimeError, "the kernel failed");
    }
}

// Runs `work` without the GIL; false with a Python error set if it threw.
template <class Work> bool released(Work work) {
    std::exception_ptr failure;
    Py_BEGIN_ALLOW_THREADS
    try {
        work();
    } catch (...) {
        failure = std::current_exception();
    }
    Py_END_ALLOW_THREADS
    if (!failure) return true;
    try {
        std::rethrow_exception(failure);
    } catch (...) {
        set_error();
    }
    return false;
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
template <auto function, class... Arguments> PyObject *guarded(Arguments... arguments) {
    try {
        return function(arguments...);
    } catch (...) {
        set_error();
        return nullptr;
    }
}

// The result, or nothing where the work on it failed.
inline PyObject *given(PyObject *result, bool good) {
    if (good) return result;
    Py_XDECREF(result);
    return nullptr;
}

// ---- what binding_texts.cpp gives the module -----------------------------------------------------------------

extern PyType_Spec tokeniser_type;
PyObject *locate(PyObject *, PyObject *args);

}  // namespace python
