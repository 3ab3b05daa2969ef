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

// Descriptors for large pools, and ordinary tasks' share of the CPU dealt out in small pieces: the kernel threads that carry
// vsock are ordinary tasks, and while real-time workers spin on every CPU they would wait up to 0.95 s for their turn
// (sched(7), sched_rt_period_us). The share itself stays at the kernel's 5 %.
void RaiseLimits();

// Ends the machine. Does not return.
[[noreturn]] void PowerOff();

}  // namespace muster::guest

#endif  // MUSTER_TOOLS_VM_INIT_MACHINE_H_
