/* Python's door to the C library: arguments in, results out, and nothing else.
 *
 * Limited API of Python 3.11: one build serves that version and every later one.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "stripelab.h"

#include <errno.h>
#include <string.h>

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

/* A text that may hold a path, which need not be UTF-8 and may have been cut within a character. */
static PyObject *as_text(const char *text)
{
    return PyUnicode_DecodeUTF8(text, (Py_ssize_t)strlen(text), "replace");
}

/* Append `item` (whose reference is taken) to a list, which a failure ends. */
static void add(PyObject **list, PyObject *item)
{
    if (!item || PyList_Append(*list, item) < 0)
        Py_CLEAR(*list);
    Py_XDECREF(item);
}

static PyObject *clock_ns(PyObject *module, PyObject *unused)
{
    (void)module;
    (void)unused;
    return PyLong_FromUnsignedLongLong(sl_clock_ns());
}

static PyObject *clock_state(PyObject *module, PyObject *unused)
{
    const struct sl_clock *clock = sl_clock_get();

    (void)module;
    (void)unused;
    return Py_BuildValue("{s:s,s:K,s:d}", "source", clock->tsc ? "tsc" : "clock_gettime", "read_ns",
                         (unsigned long long)clock->read_ns, "drift_ppm", sl_clock_drift_ppm(clock));
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

static PyObject *probe(PyObject *module, PyObject *arguments)
{
    struct sl_target target;
    PyObject *path;
    int direct, status;

    (void)module;
    if (!PyArg_ParseTuple(arguments, "O&p", PyUnicode_FSConverter, &path, &direct))
        return NULL;
    Py_BEGIN_ALLOW_THREADS
    status = sl_target_probe(PyBytes_AsString(path), direct, &target);
    Py_END_ALLOW_THREADS
    Py_DECREF(path);
    if (status < 0) {
        errno = -status;
        return PyErr_SetFromErrno(PyExc_OSError);
    }
    return Py_BuildValue("{s:K,s:I,s:I,s:O,s:O}", "size_bytes", (unsigned long long)target.size, "memory_align",
                         target.memory_align, "offset_align", target.offset_align, "device",
                         target.device ? Py_True : Py_False, "nowait", target.nowait ? Py_True : Py_False);
}

/* The options in `text`: 0, or -1 with ValueError set. */
static int parse(const char *text, Py_ssize_t length, struct sl_options *options)
{
    char message[320];
    PyObject *said;

    if (sl_options_parse(text, (size_t)length, options, message, sizeof message) == 0)
        return 0;
    sl_options_free(options);
    said = as_text(message);
    if (said)
        PyErr_SetObject(PyExc_ValueError, said);
    Py_XDECREF(said);
    return -1;
}

static PyObject *draw(PyObject *module, PyObject *arguments)
{
    struct sl_options options;
    struct sl_generator generator;
    struct sl_request io;
    const char *text;
    Py_ssize_t length, count;
    unsigned int job;
    PyObject *list;

    (void)module;
    if (!PyArg_ParseTuple(arguments, "y#In", &text, &length, &job, &count) || parse(text, length, &options) < 0)
        return NULL;
    if (job >= options.jobs || sl_generator_init(&generator, &options, job) < 0) {
        sl_options_free(&options);
        return PyErr_Format(PyExc_ValueError, "there is no job %u", job);
    }
    list = PyList_New(0);
    for (Py_ssize_t index = 0; list && index < count; index++) {
        sl_generator_next(&generator, &io);
        add(&list, Py_BuildValue("(IIKIK)", io.direction, io.file, (unsigned long long)io.offset, io.length,
                                       (unsigned long long)io.sequence));
    }
    sl_generator_free(&generator);
    sl_options_free(&options);
    return list;
}

static PyObject *pattern(PyObject *module, PyObject *arguments)
{
    unsigned long long offset, generation;
    Py_ssize_t length;
    PyObject *block;

    (void)module;
    if (!PyArg_ParseTuple(arguments, "nKK", &length, &offset, &generation))
        return NULL;
    if (length <= 0 || length % SL_SECTOR) {
        PyErr_SetString(PyExc_ValueError, "length is no multiple of a sector");
        return NULL;
    }
    block = PyBytes_FromStringAndSize(NULL, length);
    if (block) {
        unsigned char *bytes = (unsigned char *)PyBytes_AsString(block);

        memset(bytes, 0, (size_t)length);
        sl_pattern_write(bytes, (size_t)length, offset, generation);
    }
    return block;
}

static PyObject *judge(PyObject *module, PyObject *arguments)
{
    unsigned long long offset, expected;
    const char *block;
    Py_ssize_t length;

    (void)module;
    if (!PyArg_ParseTuple(arguments, "y#KK", &block, &length, &offset, &expected))
        return NULL;
    if (length <= 0 || length % SL_SECTOR) {
        PyErr_SetString(PyExc_ValueError, "length is no multiple of a sector");
        return NULL;
    }
    return PyLong_FromLong(sl_pattern_check((const unsigned char *)block, (size_t)length, offset, expected));
}

/* ---- a run and its result --------------------------------------------------------------------------- */

struct listener {
    PyThreadState *thread;
    PyObject *poll; /* called with a list of (acked, durable); may be NULL */
    PyObject *raised;
};

/* With the GIL: signals, and what the caller has to say.  An exception ends the run and is kept. */
static int listen(void *context, const struct sl_progress *progress, uint32_t jobs)
{
    struct listener *listener = context;
    int stop = 0;

    PyEval_RestoreThread(listener->thread);
    if (PyErr_CheckSignals() == 0 && listener->poll) {
        PyObject *list = PyList_New(0), *answer = NULL;

        for (uint32_t job = 0; list && job < jobs; job++) {
            add(&list, Py_BuildValue("(KK)", (unsigned long long)progress[job].acked,
                                           (unsigned long long)progress[job].durable));
        }
        if (list)
            answer = PyObject_CallFunctionObjArgs(listener->poll, list, NULL);
        stop = answer ? PyObject_IsTrue(answer) : -1;
        Py_XDECREF(answer);
        Py_XDECREF(list);
    }
    if (PyErr_Occurred()) {
        PyObject *type, *value, *traceback;

        PyErr_Fetch(&type, &value, &traceback);
        PyErr_NormalizeException(&type, &value, &traceback);
        Py_XDECREF(listener->raised);
        listener->raised = value;
        Py_XDECREF(type);
        Py_XDECREF(traceback);
        stop = 1;
    }
    listener->thread = PyEval_SaveThread();
    return stop;
}

/* Add `value` (whose reference is taken) under a name; 0 or -1. */
static int put(PyObject *dict, const char *name, PyObject *value)
{
    int status = value ? PyDict_SetItemString(dict, name, value) : -1;

    Py_XDECREF(value);
    return status;
}

static PyObject *of_latency(const struct sl_latency *latency)
{
    PyObject *high = PyLong_FromUnsignedLongLong((uint64_t)(latency->sum_square_ns >> 64));
    PyObject *low = PyLong_FromUnsignedLongLong((uint64_t)latency->sum_square_ns);

    return Py_BuildValue("{s:K,s:K,s:K,s:K,s:N,s:N,s:y#}", "samples", (unsigned long long)latency->samples, "min_ns",
                         (unsigned long long)latency->min_ns, "max_ns", (unsigned long long)latency->max_ns, "sum_ns",
                         (unsigned long long)latency->sum_ns, "sum_square_high", high, "sum_square_low", low, "buckets",
                         (const char *)latency->buckets, (Py_ssize_t)sizeof latency->buckets);
}

static PyObject *of_directions(const struct sl_recorder *recorder)
{
    PyObject *list = PyList_New(0);

    for (int direction = 0; list && direction < SL_DIRECTIONS; direction++) {
        add(&list, Py_BuildValue("{s:K,s:K,s:N,s:N,s:N}", "ios", (unsigned long long)recorder->ios[direction], "bytes",
                                       (unsigned long long)recorder->bytes[direction], "lat",
                                       of_latency(&recorder->lat[direction]), "slat",
                                       of_latency(&recorder->slat[direction]), "clat",
                                       of_latency(&recorder->clat[direction])));
    }
    return list;
}

static PyObject *of_errors(const struct sl_result *result)
{
    PyObject *list = PyList_New(0);

    for (uint32_t at = 0; list && at < result->errors; at++) {
        const struct sl_error *error = &result->error[at];
        PyObject *offsets = PyList_New(0), *item = NULL;

        for (uint64_t first = 0; offsets && first < error->count && first < SL_FIRST; first++) {
            add(&offsets, PyLong_FromUnsignedLongLong(error->first_offset[first]));
        }
        if (offsets)
            item = Py_BuildValue("{s:i,s:I,s:K,s:N}", "errno", error->code, "direction", error->direction, "count",
                                 (unsigned long long)error->count, "first_offsets", offsets);
        add(&list, item);
    }
    return list;
}

static PyObject *of_findings(const struct sl_result *result)
{
    PyObject *list = PyList_New(0);

    for (int kind = 0; list && kind < SL_FINDINGS; kind++) {
        add(&list, Py_BuildValue("(KK)", (unsigned long long)result->findings[kind],
                                       (unsigned long long)result->first_finding[kind]));
    }
    return list;
}

#define NUMBER(name) {#name, offsetof(struct sl_result, name)}

static const struct { const char *name; size_t at; } numbers[] = {
    NUMBER(looked_at), NUMBER(completed_inline), NUMBER(tune_ns), NUMBER(runtime_ns), NUMBER(cpu_user_ns),
    NUMBER(cpu_system_ns), NUMBER(switches), NUMBER(short_ios), NUMBER(retries), NUMBER(late), NUMBER(late_max_ns),
    NUMBER(missed), NUMBER(clock_back), NUMBER(sequence), NUMBER(acked), NUMBER(durable),
};

static PyObject *of_job(const struct sl_result *result)
{
    PyObject *dict = Py_BuildValue(
        "{s:i,s:N,s:s,s:s,s:I,s:I,s:I,s:O,s:O}", "failed", result->failed, "where", as_text(result->where), "detail", result->detail,
        "ioengine", result->ioengine ? result->ioengine : "", "iodepth", result->iodepth, "batch_submit",
        result->batch_submit, "batch_complete", result->batch_complete, "abandoned", result->abandoned ? Py_True : Py_False,
        "series_short", result->series_short ? Py_True : Py_False);
    const struct sl_recorder *recorder = &result->recorder;
    int status = dict ? 0 : -1;

    for (size_t index = 0; !status && index < sizeof numbers / sizeof *numbers; index++) {
        uint64_t value;

        memcpy(&value, (const char *)result + numbers[index].at, sizeof value);
        status = put(dict, numbers[index].name, PyLong_FromUnsignedLongLong(value));
    }
    if (!status)
        status = put(dict, "directions", of_directions(recorder)) || put(dict, "errors", of_errors(result)) ||
                 put(dict, "findings", of_findings(result)) ||
                 put(dict, "series", PyBytes_FromStringAndSize((const char *)recorder->series,
                                                               (Py_ssize_t)(recorder->series_words * sizeof(uint32_t))));
    if (status)
        Py_CLEAR(dict);
    return dict;
}

static PyObject *run(PyObject *module, PyObject *arguments)
{
    struct listener listener = {0};
    struct sl_options options;
    struct sl_run *done = NULL;
    unsigned long long grace_ns;
    const char *text;
    Py_ssize_t length;
    PyObject *poll, *list;
    int status;

    (void)module;
    if (!PyArg_ParseTuple(arguments, "y#OK", &text, &length, &poll, &grace_ns) || parse(text, length, &options) < 0)
        return NULL;
    listener.poll = poll == Py_None ? NULL : poll;
    listener.thread = PyEval_SaveThread();
    status = sl_run(&options, listen, &listener, grace_ns, &done);
    PyEval_RestoreThread(listener.thread);
    sl_options_free(&options); /* what the run has not taken over */
    if (status < 0) {
        Py_XDECREF(listener.raised);
        errno = -status;
        return PyErr_SetFromErrno(PyExc_OSError);
    }
    list = PyList_New(0);
    for (uint32_t job = 0; list && job < sl_run_jobs(done); job++) {
        add(&list, of_job(sl_run_result(done, job)));
    }
    sl_run_release(done);
    if (!listener.raised)
        listener.raised = Py_NewRef(Py_None);
    return Py_BuildValue("(NN)", list, listener.raised);
}

static PyMethodDef functions[] = {
    {"clock_ns", clock_ns, METH_NOARGS, "Monotonic clock, nanoseconds."},
    {"clock_state", clock_state, METH_NOARGS, "Which clock runs measure with, what a reading costs, how it drifts."},
    {"bucket_index", bucket_index, METH_O, "Bucket of fio's latency histogram that counts a value."},
    {"bucket_midpoint_ns", bucket_midpoint_ns, METH_O, "Value that stands for a bucket."},
    {"probe", probe, METH_VARARGS, "What the kernel says of a target's direct I/O."},
    {"draw", draw, METH_VARARGS, "The first I/Os of a job, without doing them."},
    {"pattern", pattern, METH_VARARGS, "A block with the verify pattern."},
    {"judge", judge, METH_VARARGS, "What the verify pattern of a block says."},
    {"run", run, METH_VARARGS, "Run the jobs of a text of options."},
    {NULL, NULL, 0, NULL},
};

static int execute(PyObject *module)
{
    return PyModule_AddStringConstant(module, "IMPLEMENTATION", "c") ||
           PyModule_AddIntConstant(module, "BUCKETS", SL_HISTOGRAM_BUCKETS);
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
