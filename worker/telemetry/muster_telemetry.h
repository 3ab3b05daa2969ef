/* Telemetry of a Custom program: what it counts here stands in its worker's report. For C and C++.
 *
 *   struct muster_telemetry* telemetry = muster_telemetry_open();
 *   for (...) { work(); muster_telemetry_add(telemetry, 1, 1000); }
 *
 * Using it is optional. The program is asked to stop by the signal that its spec names (SIGTERM by default). */
#ifndef MUSTER_WORKER_TELEMETRY_MUSTER_TELEMETRY_H_
#define MUSTER_WORKER_TELEMETRY_MUSTER_TELEMETRY_H_

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Environment variable with the number of the descriptor to map. */
#define MUSTER_TELEMETRY_FD_VARIABLE "MUSTER_TELEMETRY_FD"
/* Bytes that may be mapped, from offset 0. */
#define MUSTER_TELEMETRY_BYTES 4096
#define MUSTER_TELEMETRY_MAGIC UINT64_C(0x74656d7574736d75)
#define MUSTER_TELEMETRY_VERSION 1

/* At the beginning of the mapping. Numbers only grow; any thread may add to them. */
struct muster_telemetry {
  uint64_t magic;   /* set before the program starts */
  uint32_t version; /* likewise */
  uint32_t reserved;
  uint64_t iterations;
  uint64_t work_units;
};

/* Maps the telemetry; null when this process is no worker of muster. Never unmapped. */
static inline struct muster_telemetry* muster_telemetry_open(void) {
  const char* const number = getenv(MUSTER_TELEMETRY_FD_VARIABLE);
  if (number == NULL) return NULL;
  void* const page = mmap(NULL, MUSTER_TELEMETRY_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, atoi(number), 0);
  if (page == MAP_FAILED) return NULL;
  struct muster_telemetry* const telemetry = (struct muster_telemetry*)page;
  if (telemetry->magic != MUSTER_TELEMETRY_MAGIC || telemetry->version != MUSTER_TELEMETRY_VERSION) return NULL;
  return telemetry;
}

/* Counts; a null `telemetry` is ignored. */
static inline void muster_telemetry_add(struct muster_telemetry* telemetry, uint64_t iterations, uint64_t work_units) {
  if (telemetry == NULL) return;
  __atomic_fetch_add(&telemetry->iterations, iterations, __ATOMIC_RELAXED);
  __atomic_fetch_add(&telemetry->work_units, work_units, __ATOMIC_RELAXED);
}

#ifdef __cplusplus
}
#endif

#endif /* MUSTER_WORKER_TELEMETRY_MUSTER_TELEMETRY_H_ */
