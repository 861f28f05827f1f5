/* A stand-in for NVIDIA's management library, libnvidia-ml.so.1, that answers what a script says.
 *
 * The script is the file beside the library with ".script" after its name. Names and layouts are those of NVIDIA's public
 * header nvml.h; they are declared here by hand, so that nothing of NVIDIA's is needed to build this. With -DOLD the library
 * lacks what drivers before 510 lack.
 *
 * A script has one thing a line; # begins a comment:
 *
 *   init 0                     what starting the library returns
 *   driver 580.95.05
 *   device                     from here on, of the next GPU
 *   name NVIDIA H100 80GB HBM3
 *   uuid GPU-0
 *   bus 00000000:3B:00.0
 *   utilization 97,41 80,30    answers, one a call; the last one stands for all that follow
 *   slice                      from here on, of the next MIG slice of this GPU
 *
 * An answer is numbers with commas between them, or !N for NVML's return value N. ~MS: before an answer lets the call take so
 * long, N* repeats it, and @MS: says from which time on it holds, in milliseconds since the library was started. What the
 * script does not name is not supported. Processes are PID:BYTES with ; between them; PID may be "self", BYTES may be "-". */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define API __attribute__((visibility("default")))

enum { OK = 0, UNINITIALIZED = 1, INVALID = 2, NOT_SUPPORTED = 3, NOT_FOUND = 6, INSUFFICIENT = 7, TIMEOUT = 10, UNKNOWN = 999 };
enum { MOST_DEVICES = 16, MOST_SLICES = 8, MOST_CALLS = 40, MOST_VALUES = 8, TEXT = 96 };

typedef unsigned int uint;
typedef unsigned long long ull;

typedef struct { char *text; long from; long sleep; long repeat; } Answer;
typedef struct { char name[32]; Answer *answers; int count; int next; long used; } Call;
typedef struct Device {
    char name[TEXT], uuid[TEXT], bus[32];
    int index, slices;
    uint gi, ci;
    struct Device *slice[MOST_SLICES];
    Call calls[MOST_CALLS];
    int count;
    ull seen;
} Device;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static Device *devices[MOST_DEVICES];
static int device_count, started, loaded;
static char driver[TEXT] = "580.95.05";
static Device library;
static struct timespec began;

static long now_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (t.tv_sec - began.tv_sec) * 1000 + (t.tv_nsec - began.tv_nsec) / 1000000;
}

static Device *new_device(int index) {
    Device *d = calloc(1, sizeof *d);
    d->index = index;
    return d;
}

static void parse_answer(Call *call, char *word) {
    Answer a = { 0, -1, 0, 1 };
    for (;;) {
        char *colon = strchr(word, ':'), *star = strchr(word, '*');
        if (*word == '@' && colon) { a.from = atol(word + 1); word = colon + 1; }
        else if (*word == '~' && colon) { a.sleep = atol(word + 1); word = colon + 1; }
        else if (star) { a.repeat = atol(word); word = star + 1; }
        else break;
    }
    a.text = strdup(word);
    call->answers = realloc(call->answers, (call->count + 1) * sizeof a);
    call->answers[call->count++] = a;
}

static void load(void) {
    Dl_info info;
    char path[4096], line[65536];
    Device *card = 0, *now = &library;
    if (!dladdr((void *)load, &info)) return;
    snprintf(path, sizeof path, "%s.script", info.dli_fname);
    FILE *file = fopen(path, "r");
    if (!file) return;
    while (fgets(line, sizeof line, file)) {
        line[strcspn(line, "#\n")] = 0;
        char *key = line + strspn(line, " \t");
        if (!*key) continue;
        char *rest = key + strcspn(key, " \t");
        if (*rest) *rest++ = 0;
        rest += strspn(rest, " \t");
        if (!strcmp(key, "device")) {
            if (device_count == MOST_DEVICES) break;
            now = card = devices[device_count] = new_device(device_count);
            device_count++;
        } else if (!strcmp(key, "slice")) {
            if (!card || card->slices == MOST_SLICES) break;
            now = card->slice[card->slices] = new_device(card->slices);
            card->slices++;
        } else if (!strcmp(key, "driver")) snprintf(driver, sizeof driver, "%s", rest);
        else if (!strcmp(key, "name")) snprintf(now->name, TEXT, "%s", rest);
        else if (!strcmp(key, "uuid")) snprintf(now->uuid, TEXT, "%s", rest);
        else if (!strcmp(key, "bus")) snprintf(now->bus, sizeof now->bus, "%s", rest);
        else if (!strcmp(key, "instances")) sscanf(rest, "%u,%u", &now->gi, &now->ci);
        else if (now->count < MOST_CALLS) {
            Call *call = &now->calls[now->count++];
            snprintf(call->name, sizeof call->name, "%s", key);
            for (char *word = strtok(rest, " \t"); word; word = strtok(0, " \t")) parse_answer(call, word);
        }
    }
    fclose(file);
}

/* The next answer's text, or 0 with what to return in *code. Sleeps without the lock, as a driver would hang. */
static const char *answer(Device *d, const char *name, int *code) {
    const char *text = 0;
    long sleep = 0;
    *code = NOT_SUPPORTED;
    pthread_mutex_lock(&lock);
    for (int i = 0; i < d->count; i++) {
        Call *call = &d->calls[i];
        if (strcmp(call->name, name) || !call->count) continue;
        Answer *a = &call->answers[call->next];
        if (call->answers[0].from >= 0) {
            long t = now_ms();
            for (int k = 0; k < call->count && call->answers[k].from <= t; k++) a = &call->answers[k];
        } else if (++call->used >= a->repeat && call->next + 1 < call->count) {
            call->next++;
            call->used = 0;
        }
        text = a->text;
        sleep = a->sleep;
        break;
    }
    pthread_mutex_unlock(&lock);
    if (sleep) usleep(sleep * 1000);
    if (!text) return 0;
    if (*text == '!') { *code = atoi(text + 1); return 0; }
    *code = OK;
    return text;
}

static int numbers(Device *d, const char *name, double *values, int want) {
    int code;
    if (!d) return INVALID;
    const char *text = answer(d, name, &code);
    if (!text) return code;
    for (int i = 0; i < want; i++) {
        values[i] = strtod(text, (char **)&text);
        if (*text == ',') text++;
    }
    return OK;
}

static int number_uint(Device *d, const char *name, uint *value) {
    double v = 0;
    int code = numbers(d, name, &v, 1);
    if (code == OK) *value = (uint)v;
    return code;
}

static int number_ull(Device *d, const char *name, ull *value) {
    double v = 0;
    int code = numbers(d, name, &v, 1);
    if (code == OK) *value = (ull)v;
    return code;
}

static int copy(const char *text, char *to, uint size) {
    if (strlen(text) >= size) return INSUFFICIENT;
    strcpy(to, text);
    return OK;
}

/* The library itself */

API int nvmlInit_v2(void) {
    pthread_mutex_lock(&lock);
    if (!loaded) {
        clock_gettime(CLOCK_MONOTONIC, &began);
        load();
        loaded = 1;
    }
    pthread_mutex_unlock(&lock);
    double v = 0;
    int code = numbers(&library, "init", &v, 1);
    if (code == OK || code == NOT_SUPPORTED) { started = 1; return OK; }
    return code;
}
API int nvmlShutdown(void) { started = 0; return OK; }
API int nvmlSystemGetDriverVersion(char *to, uint size) { return copy(driver, to, size); }
API int nvmlDeviceGetCount_v2(uint *n) { *n = device_count; return started ? OK : UNINITIALIZED; }
API int nvmlDeviceGetHandleByIndex_v2(uint i, Device **d) {
    if (i >= (uint)device_count) return INVALID;
    *d = devices[i];
    return OK;
}
API int nvmlDeviceGetHandleByUUID(const char *uuid, Device **d) {
    for (int i = 0; i < device_count; i++)
        if (!strcmp(devices[i]->uuid, uuid)) {
            double v = 0;
            int code = numbers(devices[i], "handle", &v, 1);
            *d = devices[i];
            return code == NOT_SUPPORTED ? OK : code;
        }
    return NOT_FOUND;
}

/* A GPU */

typedef struct { char legacy[16]; uint domain, bus, device, id, subsystem; char bus_id[32]; } Pci;

API int nvmlDeviceGetName(Device *d, char *to, uint size) { return copy(d->name, to, size); }
API int nvmlDeviceGetUUID(Device *d, char *to, uint size) { return copy(d->uuid, to, size); }
API int nvmlDeviceGetPciInfo_v3(Device *d, Pci *pci) {
    memset(pci, 0, sizeof *pci);
    return copy(d->bus, pci->bus_id, sizeof pci->bus_id);
}
API int nvmlDeviceGetUtilizationRates(Device *d, uint *rates) {
    double v[2] = { 0 };
    int code = numbers(d, "utilization", v, 2);
    if (code == OK) { rates[0] = (uint)v[0]; rates[1] = (uint)v[1]; }
    return code;
}
static int memory(Device *d, double *total, double *used) {
    double v[2] = { 0 };
    int code = numbers(d, "memory", v, 2);
    *total = v[0];
    *used = v[1];
    return code;
}
typedef struct { ull total, free, used; } Memory;
API int nvmlDeviceGetMemoryInfo(Device *d, Memory *m) {
    double total, used;
    int code = memory(d, &total, &used);
    if (code == OK) *m = (Memory){ (ull)total, (ull)(total - used), (ull)used };
    return code;
}
#ifndef OLD
typedef struct { uint version; ull total, reserved, free, used; } Memory2;
API int nvmlDeviceGetMemoryInfo_v2(Device *d, Memory2 *m) {
    double total, used;
    if (m->version != (sizeof *m | 2u << 24)) return INVALID;
    int code = memory(d, &total, &used);
    if (code == OK) *m = (Memory2){ m->version, (ull)total, 0, (ull)(total - used), (ull)used };
    return code;
}
API int nvmlDeviceGetTotalEnergyConsumption(Device *d, ull *mj) { return number_ull(d, "energy", mj); }
#endif
API int nvmlDeviceGetTemperature(Device *d, int sensor, uint *v) { (void)sensor; return number_uint(d, "temperature", v); }
API int nvmlDeviceGetPowerUsage(Device *d, uint *mw) { return number_uint(d, "power", mw); }
API int nvmlDeviceGetEnforcedPowerLimit(Device *d, uint *mw) { return number_uint(d, "power_limit", mw); }
API int nvmlDeviceGetClockInfo(Device *d, int clock, uint *mhz) {
    return number_uint(d, clock == 1 ? "clock_sm" : clock == 2 ? "clock_memory" : "clock_other", mhz);
}
API int nvmlDeviceGetMaxClockInfo(Device *d, int clock, uint *mhz) {
    return number_uint(d, clock == 1 ? "clock_sm_max" : "clock_other", mhz);
}
API int nvmlDeviceGetCurrentClocksThrottleReasons(Device *d, ull *bits) { return number_ull(d, "throttle", bits); }
API int nvmlDeviceGetNumFans(Device *d, uint *n) { return number_uint(d, "fans", n); }
API int nvmlDeviceGetFanSpeed_v2(Device *d, uint fan, uint *v) { (void)fan; return number_uint(d, "fan", v); }
API int nvmlDeviceGetTotalEccErrors(Device *d, int kind, int counter, ull *n) {
    (void)counter;
    return number_ull(d, kind == 0 ? "ecc_corrected" : "ecc_uncorrected", n);
}
API int nvmlDeviceGetPcieThroughput(Device *d, int direction, uint *kb) {
    return number_uint(d, direction == 1 ? "pcie_received" : "pcie_sent", kb);
}

/* Processes */

typedef struct { uint pid; ull memory; uint gi, ci; } Process;

static uint pid_of(const char **text) {
    if (!strncmp(*text, "self", 4)) { *text += 4; return (uint)getpid(); }
    return (uint)strtoul(*text, (char **)text, 10);
}
static int parse_processes(const char *text, Process *to, uint most, uint *count) {
    *count = 0;
    while (*text && strcmp(text, "none")) {
        Process p = { pid_of(&text), ~0ull, ~0u, ~0u };
        if (*text == ':') text++;
        if (*text == '-') text++;
        else p.memory = strtoull(text, (char **)&text, 10);
        if (*text == ';') text++;
        if (*count < most && to) to[*count] = p;
        ++*count;
    }
    return *count > most ? INSUFFICIENT : OK;
}
/* Asked twice a look, for the number first: that one does not use an answer up. */
API int nvmlDeviceGetComputeRunningProcesses_v3(Device *d, uint *count, Process *to) {
    int code = NOT_SUPPORTED;
    if (!to) {
        *count = 0;
        for (int i = 0; i < d->count; i++)
            if (!strcmp(d->calls[i].name, "processes") && d->calls[i].count) { *count = 64; return INSUFFICIENT; }
        return code;
    }
    const char *text = answer(d, "processes", &code);
    return text ? parse_processes(text, to, *count, count) : code;
}
typedef struct { uint pid; ull time; uint sm, memory, encoder, decoder; } ProcessUse;
API int nvmlDeviceGetProcessUtilization(Device *d, ProcessUse *to, uint *count, ull seen) {
    Process processes[64];
    int code = NOT_SUPPORTED;
    (void)seen;
    if (!to) {
        *count = 0;
        for (int i = 0; i < d->count; i++)
            if (!strcmp(d->calls[i].name, "process_utilization")) { *count = 64; return INSUFFICIENT; }
        return code;
    }
    const char *text = answer(d, "process_utilization", &code);
    if (!text) return code;
    code = parse_processes(text, processes, 64, count);
    for (uint i = 0; i < *count && i < 64; i++)
        to[i] = (ProcessUse){ processes[i].pid, ++d->seen, (uint)processes[i].memory, 0, 0, 0 };
    return code;
}

/* MIG */

API int nvmlDeviceGetMigMode(Device *d, uint *now, uint *then) {
    if (!d->slices) return NOT_SUPPORTED;
    *now = *then = 1;
    return OK;
}
API int nvmlDeviceGetMaxMigDeviceCount(Device *d, uint *n) { *n = MOST_SLICES; return d->slices ? OK : NOT_SUPPORTED; }
API int nvmlDeviceGetMigDeviceHandleByIndex(Device *d, uint i, Device **slice) {
    if (i >= (uint)d->slices) return NOT_FOUND;
    *slice = d->slice[i];
    return OK;
}
API int nvmlDeviceGetGpuInstanceId(Device *d, uint *id) { *id = d->gi; return OK; }
API int nvmlDeviceGetComputeInstanceId(Device *d, uint *id) { *id = d->ci; return OK; }

/* Errors and counters */

typedef struct { Device *device; } EventSet;
typedef struct { Device *device; ull type, data; uint gi, ci; } Event;

API int nvmlEventSetCreate(EventSet **set) { *set = calloc(1, sizeof **set); return OK; }
API int nvmlEventSetFree(EventSet *set) { free(set); return OK; }
API int nvmlDeviceRegisterEvents(Device *d, ull types, EventSet *set) {
    (void)types;
    set->device = d;
    for (int i = 0; i < d->count; i++)
        if (!strcmp(d->calls[i].name, "xid")) return OK;
    return NOT_SUPPORTED;
}
API int nvmlEventSetWait_v2(EventSet *set, Event *event, uint timeout) {
    uint xid = 0;
    (void)timeout;
    int code = number_uint(set->device, "xid", &xid);
    if (code != OK) return code;
    if (!xid) return TIMEOUT;
    *event = (Event){ set->device, 8, xid, 0, 0 };
    return OK;
}

typedef struct { uint field, scope; long long time, latency; uint type; int code; union { double d; ull u; } value; } Field;
API int nvmlDeviceGetFieldValues(Device *d, int count, Field *fields) {
    double v[2] = { 0 };
    int code = numbers(d, "nvlink", v, 2);
    for (int i = 0; i < count; i++) {
        fields[i].code = fields[i].scope == ~0u ? code : INVALID;
        fields[i].type = 3;
        fields[i].value.u = (ull)v[fields[i].field == 139 ? 0 : 1];
    }
    return OK;
}

/* Performance monitoring */

#ifndef OLD
typedef struct { uint version, supported; } GpmSupport;
typedef struct { Device *device; } GpmSample;
typedef struct { uint id; int code; double value; char *name[3]; } GpmMetric;
typedef struct { uint version, count; GpmSample *before, *after; GpmMetric metrics[]; } GpmGet;

API int nvmlGpmQueryDeviceSupport(Device *d, GpmSupport *support) {
    support->supported = 0;
    for (int i = 0; i < d->count; i++)
        if (!strcmp(d->calls[i].name, "gpm")) support->supported = 1;
    for (int i = 0; i < d->slices; i++) {
        GpmSupport of_slice;
        nvmlGpmQueryDeviceSupport(d->slice[i], &of_slice);
        if (of_slice.supported) support->supported = 1;
    }
    return OK;
}
API int nvmlGpmSampleAlloc(GpmSample **sample) { *sample = calloc(1, sizeof **sample); return OK; }
API int nvmlGpmSampleFree(GpmSample *sample) { free(sample); return OK; }
API int nvmlGpmSampleGet(Device *d, GpmSample *sample) { sample->device = d; return OK; }
API int nvmlGpmMigSampleGet(Device *d, uint instance, GpmSample *sample) {
    for (int i = 0; i < d->slices; i++)
        if (d->slice[i]->gi == instance) { sample->device = d->slice[i]; return OK; }
    return INVALID;
}
API int nvmlGpmMetricsGet(GpmGet *get) {
    static const uint order[MOST_VALUES] = { 2, 3, 5, 10, 21, 20, 60, 61 };
    double v[MOST_VALUES] = { 0 };
    int code = numbers(get->after->device, "gpm", v, MOST_VALUES);
    if (code != OK) return code;
    for (uint i = 0; i < get->count; i++) {
        get->metrics[i].code = NOT_SUPPORTED;
        for (int k = 0; k < MOST_VALUES; k++)
            if (order[k] == get->metrics[i].id && v[k] >= 0) {
                get->metrics[i].code = OK;
                get->metrics[i].value = v[k];
            }
    }
    return OK;
}
#endif
