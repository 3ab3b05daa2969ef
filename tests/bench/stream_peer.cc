// What gRPC alone takes for a Watch: streams of ready-made bytes from a server that does nothing else, read unparsed as
// the watches are. Prints the nanoseconds of wall time per message. stream_peer BYTES STREAMS MILLISECONDS
#include <grpcpp/grpcpp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/deadline.h"
#include "muster/v1/muster.grpc.pb.h"
#include "tests/bench/stand.h"
#include "tests/bench/watch_load.h"

namespace muster::bench {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(20);

// Writes the same message until the reader has gone.
class Pusher final : public grpc::ServerWriteReactor<grpc::ByteBuffer> {
 public:
  explicit Pusher(const grpc::ByteBuffer* message) : message_(message) { StartWrite(message_); }
  void OnWriteDone(bool ok) override {
    if (ok) {
      StartWrite(message_);
    } else {
      Finish(grpc::Status::CANCELLED);
    }
  }
  void OnDone() override { delete this; }

 private:
  const grpc::ByteBuffer* const message_;
};

class Peer final : public v1::Muster::WithRawCallbackMethod_Watch<v1::Muster::Service> {
 public:
  explicit Peer(size_t bytes) : slice_(std::string(bytes, 'm')), message_(&slice_, 1) {}
  grpc::ServerWriteReactor<grpc::ByteBuffer>* Watch(grpc::CallbackServerContext*, const grpc::ByteBuffer*) override {
    return new Pusher(&message_);
  }

 private:
  const grpc::Slice slice_;
  const grpc::ByteBuffer message_;
};

// Says on `ready` when it serves; ends with its parent.
int Serve(const std::string& address, size_t bytes, int ready) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  Peer peer(bytes);
  grpc::ServerBuilder builder;
  builder.AddListeningPort(address, grpc::InsecureServerCredentials());
  builder.RegisterService(&peer);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr || write(ready, "r", 1) != 1) return 1;
  server->Wait();
  return 0;
}

int Read(const std::string& address, int streams, uint64_t run_ms) {
  const WatchLoad load({address, "p1", streams, absl::Seconds(1)});
  const Deadline deadline = Deadline::After(kPatience);
  while (load.open() < streams && load.ended() == 0 && !deadline.Expired()) SleepMs(5);
  const uint64_t before = load.messages();
  const uint64_t began_ns = MonotonicNs();
  SleepMs(run_ms);
  const uint64_t messages = load.messages() - before;
  if (load.open() < streams || load.ended() > 0 || messages == 0) return 1;
  printf("message_ns %.6g\n", static_cast<double>(MonotonicNs() - began_ns) / messages);
  return 0;
}

int Main(char** arguments) {
  const std::string path = "/tmp/muster-stream-" + std::to_string(getpid()) + ".sock";
  int ready[2];
  if (pipe(ready) != 0) return 1;
  // Before gRPC makes threads.
  const pid_t server = fork();
  if (server == 0) _exit(Serve("unix:" + path, strtoul(arguments[1], nullptr, 10), ready[1]));
  close(ready[1]);
  char byte;
  const int result = server > 0 && read(ready[0], &byte, 1) == 1
                         ? Read("unix:" + path, atoi(arguments[2]), strtoul(arguments[3], nullptr, 10))
                         : 1;
  if (server > 0) {
    kill(server, SIGKILL);
    waitpid(server, nullptr, 0);
  }
  unlink(path.c_str());
  return result;
}

}  // namespace
}  // namespace muster::bench

int main(int argc, char** argv) { return argc == 4 ? muster::bench::Main(argv) : 64; }
