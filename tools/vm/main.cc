// `muster vm` as a program of its own.
#include "tools/vm/vm_main.h"

int main(int argc, char** argv) { return muster::vm::VmMain({argv + 1, argv + argc}); }
