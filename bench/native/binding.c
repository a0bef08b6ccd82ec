/* Python's door to the C library: arguments in, results out, and nothing else.
 *
 * Limited API of Python 3.11: one build serves that version and every later one.
 */
#include <Python.h>

#include "stripelab.h"

/* A Python int as uint64_t.  Returns 0 with *out set, or -1 with TypeError or ValueError set. */
static int as_uint64(PyObject *value, const char *name, uint64_t *out)
{
    unsigned long long number = PyLong_AsUnsignedLongLong(value);

    if (number == (unsigned long long)-1 && PyErr_Occurred()) {
        if (PyErr_ExceptionMatches(PyExc_OverflowError)) {
            PyErr_Clear();
            PyErr_Format(PyExc_ValueError, "%s is out of range", name);
        }
        return -1;
    }
    *out = number;
    return 0;
}

static PyObject *clock_ns(PyObject *module, PyObject *unused)
{
    (void)module;
    (void)unused;
    return PyLong_FromUnsignedLongLong(sl_clock_ns());
}

static PyObject *bucket_index(PyObject *module, PyObject *value)
{
    uint64_t value_ns;

    (void)module;
    if (as_uint64(value, "value_ns", &value_ns) < 0)
        return NULL;
    return PyLong_FromUnsignedLong(sl_bucket_index(value_ns));
}

static PyObject *bucket_midpoint_ns(PyObject *module, PyObject *value)
{
    uint64_t index;

    (void)module;
    if (as_uint64(value, "index", &index) < 0)
        return NULL;
    if (index >= SL_HISTOGRAM_BUCKETS) {
        PyErr_SetString(PyExc_ValueError, "index is out of range");
        return NULL;
    }
    return PyLong_FromUnsignedLongLong(sl_bucket_midpoint_ns((uint32_t)index));
}

static PyMethodDef functions[] = {
    {"clock_ns", clock_ns, METH_NOARGS, "Monotonic clock, nanoseconds."},
    {"bucket_index", bucket_index, METH_O, "Bucket of fio's latency histogram that counts a value."},
    {"bucket_midpoint_ns", bucket_midpoint_ns, METH_O, "Value that stands for a bucket."},
    {NULL, NULL, 0, NULL},
};

static int execute(PyObject *module)
{
    return PyModule_AddIntConstant(module, "BUCKETS", SL_HISTOGRAM_BUCKETS);
}

static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, execute},
    {0, NULL},
};

static struct PyModuleDef definition = {
    .m_base = PyModuleDef_HEAD_INIT,
    .m_name = "bench.native._engine",
    .m_doc = "The C library of stripelab.",
    .m_size = 0,
    .m_methods = functions,
    .m_slots = slots,
};

PyMODINIT_FUNC PyInit__engine(void)
{
    return PyModuleDef_Init(&definition);
}
