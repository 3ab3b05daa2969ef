/* A scheduler that never runs tasks called "stall-me"; the kernel's watchdog ends it for that after a second. */
#include "../../../examples/scx/sched_ext.h"

const char kLicense[] SECTION("license") = "GPL";

static const char kVictim[] = "stall-me";

static __attribute__((always_inline)) int IsVictim(struct task_struct *task) {
#pragma unroll
  for (unsigned i = 0; i < sizeof(kVictim); ++i) {
    if (task->comm[i] != kVictim[i]) return 0;
  }
  return 1;
}

SECTION("struct_ops/stalling_enqueue")
int stalling_enqueue(u64 *arguments) {
  struct task_struct *task = (struct task_struct *)arguments[0];
  if (!IsVictim(task)) scx_bpf_dsq_insert(task, SCX_DSQ_GLOBAL, SCX_SLICE_DFL, arguments[1]);
  return 0;
}

SECTION(".struct_ops.link")
struct sched_ext_ops stalling_ops = {
    .enqueue = (void *)stalling_enqueue,
    .timeout_ms = 1000,
    .name = "muster_stalling",
};
