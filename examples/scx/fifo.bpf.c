/* The smallest useful scheduler: one queue for all CPUs, first come first served. */
#include "sched_ext.h"

/* The kernel's functions for schedulers are there for GPL programs only. */
const char kLicense[] SECTION("license") = "GPL";

/* A callback's arguments stand one after the other at `arguments`. */
SECTION("struct_ops/fifo_enqueue")
int fifo_enqueue(u64 *arguments) {
  struct task_struct *task = (struct task_struct *)arguments[0];
  const u64 enqueue_flags = arguments[1];
  scx_bpf_dsq_insert(task, SCX_DSQ_GLOBAL, SCX_SLICE_DFL, enqueue_flags);
  return 0;
}

SECTION(".struct_ops.link")
struct sched_ext_ops fifo_ops = {
    .enqueue = (void *)fifo_enqueue,
    .name = "muster_fifo",
};
