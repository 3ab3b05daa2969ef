#include "tests/bench/watch_load.h"

#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>

#include <algorithm>
#include <chrono>

#include "muster/v1/muster.pb.h"

namespace muster::bench {
namespace {

// Watches that open at a time, fewer than the daemon lets wait.
constexpr int kOpening = 64;
constexpr char kMethod[] = "/muster.v1.Muster/Watch";
// The reader looks this often whether the load is over.
constexpr std::chrono::milliseconds kLook{20};

grpc::ByteBuffer RequestOf(const WatchLoad::Plan& plan) {
  v1::WatchRequest request;
  request.set_pool_id(plan.pool_id);
  request.mutable_period()->set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(plan.period)));
  const grpc::Slice slice(request.SerializeAsString());
  return grpc::ByteBuffer(&slice, 1);
}

}  // namespace

struct WatchLoad::Stream {
  // What is under way.
  enum class Act { kStart, kRequest, kRead, kFinish };

  grpc::ClientContext context;
  std::unique_ptr<grpc::GenericClientAsyncReaderWriter> call;
  Act act = Act::kStart;
  bool has_message = false;
  grpc::ByteBuffer message;
  grpc::Status status;
};

WatchLoad::WatchLoad(const Plan& plan)
    : watches_(plan.watches),
      request_(RequestOf(plan)),
      stub_(grpc::CreateChannel(plan.address, grpc::InsecureChannelCredentials())),
      reader_([this] { Run(); }) {}

WatchLoad::~WatchLoad() {
  closing_.store(true, std::memory_order_relaxed);
  reader_.join();
  queue_.Shutdown();
}

void WatchLoad::Run() {
  for (int i = 0; i < std::min(kOpening, watches_); ++i) OpenNext();
  size_t living = streams_.size();
  bool cancelled = false;
  while (living > 0) {
    if (!cancelled && closing_.load(std::memory_order_relaxed)) {
      cancelled = true;
      for (const std::unique_ptr<Stream>& stream : streams_) stream->context.TryCancel();
    }
    void* tag = nullptr;
    bool ok = false;
    if (queue_.AsyncNext(&tag, &ok, std::chrono::system_clock::now() + kLook) != grpc::CompletionQueue::GOT_EVENT)
      continue;
    const size_t before = streams_.size();
    const bool goes_on = GoOn(static_cast<Stream*>(tag), ok);
    living += streams_.size() - before;
    if (!goes_on) --living;
  }
}

void WatchLoad::OpenNext() {
  Stream* const stream = streams_.emplace_back(std::make_unique<Stream>()).get();
  stream->call = stub_.PrepareCall(&stream->context, kMethod, &queue_);
  stream->call->StartCall(stream);
}

bool WatchLoad::GoOn(Stream* stream, bool ok) {
  if (stream->act == Stream::Act::kFinish) {
    ended_.fetch_add(1, std::memory_order_relaxed);
    return false;
  }
  if (!ok) {
    stream->act = Stream::Act::kFinish;
    stream->call->Finish(&stream->status, stream);
    return true;
  }
  if (stream->act == Stream::Act::kStart) {
    stream->act = Stream::Act::kRequest;
    stream->call->WriteLast(request_, grpc::WriteOptions(), stream);
    return true;
  }
  if (stream->act == Stream::Act::kRead) {
    messages_.fetch_add(1, std::memory_order_relaxed);
    if (!stream->has_message) {
      stream->has_message = true;
      open_.fetch_add(1, std::memory_order_relaxed);
      if (static_cast<int>(streams_.size()) < watches_ && !closing_.load(std::memory_order_relaxed)) OpenNext();
    }
  }
  stream->act = Stream::Act::kRead;
  stream->call->Read(&stream->message, stream);
  return true;
}

}  // namespace muster::bench
