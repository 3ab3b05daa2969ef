/* What a small sched_ext scheduler needs of the kernel's types: only the members that are used. The loader finds them
 * by name in the running kernel (CO-RE), so their order and offsets here mean nothing. */
#ifndef MUSTER_EXAMPLES_SCX_SCHED_EXT_H_
#define MUSTER_EXAMPLES_SCX_SCHED_EXT_H_

typedef unsigned int u32;
typedef int s32;
typedef unsigned long long u64;

#define SECTION(name) __attribute__((section(name), used))
#define KERNEL_FUNCTION extern __attribute__((section(".ksyms")))

#define TASK_COMM_LEN 16
/* A queue that every CPU takes from when it has nothing of its own. */
#define SCX_DSQ_GLOBAL ((1ULL << 63) | 1)
#define SCX_SLICE_DFL (20ULL * 1000 * 1000)

struct task_struct {
  char comm[TASK_COMM_LEN];
} __attribute__((preserve_access_index));

struct sched_ext_ops {
  s32 (*select_cpu)(struct task_struct *task, s32 previous_cpu, u64 wake_flags);
  void (*enqueue)(struct task_struct *task, u64 enqueue_flags);
  u32 timeout_ms;
  u64 flags;
  char name[128];
};

/* Since Linux 6.13. */
KERNEL_FUNCTION void scx_bpf_dsq_insert(struct task_struct *task, u64 queue, u64 slice_ns, u64 enqueue_flags);

#endif
