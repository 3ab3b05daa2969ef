// The network of a guest under QEMU.
#ifndef MUSTER_TOOLS_VM_INIT_NETWORK_H_
#define MUSTER_TOOLS_VM_INIT_NETWORK_H_

namespace muster::guest {

// Gives the Ethernet card, where there is one, its address in the emulator's user network, 10.0.2.15/24.
void ConfigureCard();

}  // namespace muster::guest

#endif  // MUSTER_TOOLS_VM_INIT_NETWORK_H_
