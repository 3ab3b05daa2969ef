// Makes a bare kernel into a machine on which musterd can run. Only pid 1 may call these.
#ifndef MUSTER_DAEMON_INIT_MACHINE_H_
#define MUSTER_DAEMON_INIT_MACHINE_H_

namespace muster::init {

// True when this pid 1 is that of the machine; false in a PID namespace, whose machine is another one's. From then on
// ctrl-alt-del is a SIGINT to it and no sudden reboot.
bool TakeMachine();

// File systems, kernel modules, loopback, limits, and a real-time priority for this process: above every worker, as all
// of control is. Says the stages "up" and "machine-ready". What fails is told, and the rest is done.
void MakeMachine();

// proc, sysfs, devtmpfs, cgroup2, debugfs and tmpfs, each where every program expects it; where something is mounted
// already, that stays.
void MountFileSystems();

// Ends every other process and switches the machine off. Does not return. In a PID namespace it ends that, with SIGINT
// for its pid 1 (reboot(2)).
[[noreturn]] void PowerOff();

}  // namespace muster::init

#endif  // MUSTER_DAEMON_INIT_MACHINE_H_
