/* A scheduler that the kernel's verifier refuses: it follows a number as if it were a pointer. */
#include "../../../examples/scx/sched_ext.h"

const char kLicense[] SECTION("license") = "GPL";

SECTION("struct_ops/refused_enqueue")
int refused_enqueue(u64 *arguments) { return *(volatile char *)arguments[1]; }

SECTION(".struct_ops.link")
struct sched_ext_ops refused_ops = {
    .enqueue = (void *)refused_enqueue,
    .name = "muster_refused",
};
