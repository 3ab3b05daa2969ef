// Makes a bare kernel into a machine on which musterd can run.
#ifndef MUSTER_TOOLS_VM_INIT_MACHINE_H_
#define MUSTER_TOOLS_VM_INIT_MACHINE_H_

namespace muster::guest {

// proc, sysfs, devtmpfs, cgroup2 and tmpfs, each where every program expects it.
void MountFileSystems();

// Inserts every file of /modules, in the order of their names.
void InsertModules();

// Loopback up; with an Ethernet card, also its address in the emulator's user network, 10.0.2.15/24.
void ConfigureNetwork();

// Ordinary tasks' share of each CPU, the kernel's 5 %, in pieces of 5 ms every 100 ms. The kernel threads that carry
// vsock are ordinary tasks: while real-time workers spin on every CPU they would wait a second for their turn, and
// every call two of them (sched(7), sched_rt_period_us).
void DealCpuTimeFinely();

// Descriptors for large pools.
void RaiseLimits();

// Ends the machine. Does not return.
[[noreturn]] void PowerOff();

}  // namespace muster::guest

#endif  // MUSTER_TOOLS_VM_INIT_MACHINE_H_
