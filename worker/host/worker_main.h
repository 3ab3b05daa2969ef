// What a worker binary does, whatever functions are linked into it.
#ifndef MUSTER_WORKER_HOST_WORKER_MAIN_H_
#define MUSTER_WORKER_HOST_WORKER_MAIN_H_

namespace muster {

// The whole of main(): --pool-host --control-fd N, --janitor ..., --catalogue, --version. Returns the exit code; 64 for
// wrong arguments.
int WorkerMain(int argc, char** argv);

}  // namespace muster

#endif  // MUSTER_WORKER_HOST_WORKER_MAIN_H_
