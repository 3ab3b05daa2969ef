// The same numbers as a packed-varint stream: what a service whose message says "repeated uint64" pays. Prints GB/s,
// counting eight bytes per number. varint_peer COUNT
#include <grpcpp/grpcpp.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <memory>
#include <string>

#include "base/clock.h"
#include "base/malloc_tuning.h"
#include "muster/v1/muster.grpc.pb.h"

namespace muster::bench {
namespace {

constexpr int kNumbers = 300'000;

class Peer final : public v1::Muster::Service {
 public:
  explicit Peer(int count) : count_(count) {}

  grpc::Status StopAndCollect(grpc::ServerContext*, const v1::StopAndCollectRequest*,
                              grpc::ServerWriter<v1::StopAndCollectResponse>* writer) override {
    v1::StopAndCollectResponse message;
    for (int i = 0; i < count_; ++i) {
      auto* numbers = message.mutable_report()->mutable_wake_histogram()->mutable_bucket_count();
      numbers->Clear();
      numbers->Reserve(kNumbers);
      uint64_t ns = 1;
      for (int n = 0; n < kNumbers; ++n) numbers->AddAlreadyReserved((ns = ns * 75 % 65'537) + n % 3 * 20'000);
      if (!writer->Write(message)) break;
    }
    return grpc::Status::OK;
  }

 private:
  const int count_;
};

int Main(int count) {
  KeepLargeBlocksOnTheHeap();
  Peer peer(count);
  const std::string address = "unix:/tmp/muster-varint-" + std::to_string(getpid()) + ".sock";
  grpc::ServerBuilder builder;
  builder.AddListeningPort(address, grpc::InsecureServerCredentials());
  builder.RegisterService(&peer);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr) return 1;
  const auto stub = v1::Muster::NewStub(grpc::CreateChannel(address, grpc::InsecureChannelCredentials()));
  grpc::ClientContext context;
  const auto reader = stub->StopAndCollect(&context, v1::StopAndCollectRequest());
  v1::StopAndCollectResponse message;
  uint64_t first_ns = 0, last_ns = 0, numbers = 0;
  while (reader->Read(&message)) {
    last_ns = MonotonicNs();
    if (first_ns == 0) {
      first_ns = last_ns;
    } else {
      numbers += message.report().wake_histogram().bucket_count_size();
    }
  }
  const bool good = reader->Finish().ok() && last_ns > first_ns;
  server->Shutdown();
  if (good) printf("%.6g\n", 8.0 * numbers / (last_ns - first_ns));
  return good ? 0 : 1;
}

}  // namespace
}  // namespace muster::bench

int main(int argc, char** argv) { return argc == 2 ? muster::bench::Main(atoi(argv[1])) : 64; }
