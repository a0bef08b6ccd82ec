/* Python's door to the C library: arguments in, results out, and nothing else.
 *
 * Limited API of Python 3.11: one build serves that version and every later one.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "stripelab.h"

#include <stdlib.h>
#include <string.h>

/* Append `item` (whose reference is taken) to a list, which a failure ends. */
static void add(PyObject **list, PyObject *item)
{
    if (!item || PyList_Append(*list, item) < 0)
        Py_CLEAR(*list);
    Py_XDECREF(item);
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
    unsigned long long value_ns = PyLong_AsUnsignedLongLong(value);

    (void)module;
    if (PyErr_Occurred()) {
        if (PyErr_ExceptionMatches(PyExc_OverflowError))
            PyErr_SetString(PyExc_ValueError, "value_ns is out of range");
        return NULL;
    }
    return PyLong_FromUnsignedLong(sl_bucket_index(value_ns));
}

/* The options in `text`: 0, or -1 with ValueError set. */
static int parse(const char *text, Py_ssize_t length, struct sl_options *options)
{
    if (sl_options_parse(text, (size_t)length, options) == 0)
        return 0;
    sl_options_free(options);
    PyErr_SetString(PyExc_ValueError, "the text of options makes no sense");
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
    if (length <= 0 || length % SL_SECTOR)
        return PyErr_Format(PyExc_ValueError, "length is no multiple of a sector");
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
    if (length <= 0 || length % SL_SECTOR)
        return PyErr_Format(PyExc_ValueError, "length is no multiple of a sector");
    return PyLong_FromLong(sl_pattern_check((const unsigned char *)block, (size_t)length, offset, expected));
}

/* ---- a job and its result --------------------------------------------------------------------------- */

#define JOB "bench.native._engine.job"

struct held { /* in a capsule: whoever drives the job, or asks for its state, holds it too */
    struct sl_options options;
    struct sl_job job;
    int open;
    int fd[];
};

static struct held *held_in(PyObject *capsule)
{
    return PyCapsule_GetPointer(capsule, JOB);
}

static void let_go(PyObject *capsule)
{
    struct held *held = held_in(capsule);

    if (held->open)
        sl_job_close(&held->job);
    sl_recorder_free(&held->job.result.recorder);
    sl_options_free(&held->options);
    free(held);
}

/* A job that is not open yet, with the descriptors of its files; NULL with an exception set. */
static PyObject *hold(struct sl_options *options, unsigned int index, PyObject *descriptors)
{
    uint32_t files = index < options->jobs ? options->job[index].files : 0;
    struct held *held = files ? calloc(1, sizeof *held + files * sizeof *held->fd) : NULL;
    PyObject *capsule = held ? PyCapsule_New(held, JOB, let_go) : NULL;

    if (!capsule) {
        free(held);
        sl_options_free(options);
        return files ? PyErr_NoMemory() : PyErr_Format(PyExc_ValueError, "there is no job %u", index);
    }
    held->options = *options;
    held->job.options = &held->options;
    held->job.index = index;
    held->job.queue.fd = held->fd;
    for (uint32_t file = 0; file < files; file++) {
        PyObject *number = (Py_ssize_t)file < PyList_Size(descriptors) ? PyList_GetItem(descriptors, (Py_ssize_t)file) : NULL;

        held->fd[file] = number ? (int)PyLong_AsLong(number) : -1; /* none: where no I/O is done */
        if (PyErr_Occurred()) {
            Py_DECREF(capsule);
            return NULL;
        }
    }
    return capsule;
}

static PyObject *open_job(PyObject *module, PyObject *arguments)
{
    struct sl_options options;
    unsigned long long grace_ns;
    unsigned int index;
    const char *text;
    Py_ssize_t length;
    PyObject *descriptors, *capsule;
    struct held *held;
    int nowait, status;

    (void)module;
    if (!PyArg_ParseTuple(arguments, "y#IO!pK", &text, &length, &index, &PyList_Type, &descriptors, &nowait, &grace_ns) ||
        parse(text, length, &options) < 0 || !(capsule = hold(&options, index, descriptors)))
        return NULL;
    held = held_in(capsule);
    held->job.nowait = nowait;
    held->job.grace_ns = grace_ns;
    held->open = 1;
    Py_BEGIN_ALLOW_THREADS
    status = sl_job_open(&held->job);
    Py_END_ALLOW_THREADS
    if (status < 0) {
        PyObject *why = Py_BuildValue("(is)", held->job.result.failed, held->job.result.where);

        if (why)
            PyErr_SetObject(PyExc_OSError, why);
        Py_XDECREF(why);
        Py_CLEAR(capsule);
    }
    return capsule;
}

/* A step that may take its time, without the GIL. */
static PyObject *work(PyObject *capsule, void (*step)(struct sl_job *))
{
    struct held *held = held_in(capsule);

    if (!held)
        return NULL;
    Py_BEGIN_ALLOW_THREADS
    step(&held->job);
    Py_END_ALLOW_THREADS
    return Py_NewRef(Py_None);
}

static PyObject *drive(PyObject *module, PyObject *capsule)
{
    (void)module;
    return work(capsule, sl_job_drive);
}

static PyObject *close_job(PyObject *module, PyObject *capsule)
{
    struct held *held = held_in(capsule);
    int was_open = held && held->open;

    (void)module;
    if (held)
        held->open = 0;
    return held && !was_open ? Py_NewRef(Py_None) : work(capsule, sl_job_close);
}

static PyObject *stop(PyObject *module, PyObject *capsule)
{
    struct held *held = held_in(capsule);

    (void)module;
    if (!held)
        return NULL;
    __atomic_store_n(&held->job.stop, 1, __ATOMIC_RELAXED);
    return Py_NewRef(Py_None);
}

static PyObject *progress(PyObject *module, PyObject *capsule)
{
    struct held *held = held_in(capsule);

    (void)module;
    if (!held)
        return NULL;
    return Py_BuildValue("(KK)", (unsigned long long)__atomic_load_n(&held->job.result.acked, __ATOMIC_RELAXED),
                         (unsigned long long)__atomic_load_n(&held->job.result.durable, __ATOMIC_RELAXED));
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

static PyObject *state(PyObject *module, PyObject *capsule)
{
    const struct held *held = held_in(capsule);

    (void)module;
    if (!held)
        return NULL;
    const struct sl_result *result = &held->job.result;
    const struct sl_recorder *recorder = &result->recorder;
    PyObject *dict = Py_BuildValue(
        "{s:i,s:s,s:s,s:s,s:I,s:I,s:I,s:O,s:O}", "failed", result->failed, "where", result->where, "detail", result->detail,
        "ioengine", result->ioengine, "iodepth", result->iodepth, "batch_submit", result->batch_submit, "batch_complete",
        result->batch_complete, "abandoned", held->job.in_flight ? Py_True : Py_False, "series_short",
        result->series_short ? Py_True : Py_False);
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

static PyMethodDef functions[] = {
    {"clock_state", clock_state, METH_NOARGS, "Which clock runs measure with, what a reading costs, how it drifts."},
    {"bucket_index", bucket_index, METH_O, "Bucket of fio's latency histogram that counts a value."},
    {"draw", draw, METH_VARARGS, "The first I/Os of a job, without doing them."},
    {"pattern", pattern, METH_VARARGS, "A block with the verify pattern."},
    {"judge", judge, METH_VARARGS, "What the verify pattern of a block says."},
    {"open_job", open_job, METH_VARARGS, "Everything before the first I/O of a job."},
    {"drive", drive, METH_O, "The job, from its first I/O to its last."},
    {"close_job", close_job, METH_O, "Give back what the job took of the kernel."},
    {"stop", stop, METH_O, "End the job at once."},
    {"progress", progress, METH_O, "The last acknowledged and the last durable write."},
    {"state", state, METH_O, "What the job did so far."},
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
