#include "client/lease_stream.h"

#include <chrono>

namespace muster {
namespace {

using SystemTime = std::chrono::system_clock::time_point;

}  // namespace

LeaseStream::LeaseStream(Connection::Stub* stub, grpc::ClientContext* context, const v1::OpenLeaseRequest& request,
                         CallTraffic* traffic)
    : traffic_(traffic), reader_(stub->AsyncOpenLease(context, request, &queue_, this)) {
  open_ = Await();
}

LeaseStream::~LeaseStream() {
  alarm_.Cancel();
  queue_.Shutdown();
  void* tag = nullptr;
  bool ok = false;
  while (queue_.Next(&tag, &ok)) {
  }
}

bool LeaseStream::Read(v1::LeaseEvent* event) {
  if (!open_) return false;
  reader_->Read(event, this);
  open_ = Await();
  idle_ = true;
  return open_;
}

grpc::Status LeaseStream::Finish() {
  grpc::Status status;
  idle_ = false;
  reader_->Finish(&status, this);
  Await();
  return status;
}

bool LeaseStream::Await() {
  bool done = false, ok = false;
  while (!done) {
    // The queue has what others have read for us; only without traffic this thread waits in it.
    if (!idle_ || traffic_->BeginWait([this] { Wake(); })) {
      Next(SystemTime::max(), &done, &ok);
    } else if (!Next(std::chrono::system_clock::now(), &done, &ok)) {
      traffic_->Pause();
    }
  }
  return ok;
}

// False: nothing has come. `done`: what came is the operation, and not the alarm.
bool LeaseStream::Next(SystemTime deadline, bool* done, bool* ok) {
  void* tag = nullptr;
  const grpc::CompletionQueue::NextStatus came = queue_.AsyncNext(&tag, ok, deadline);
  traffic_->EndWait();
  if (came != grpc::CompletionQueue::GOT_EVENT) return false;
  *done = tag == this;
  if (!*done) alarm_set_ = false;
  return true;
}

void LeaseStream::Wake() {
  if (alarm_set_) return;
  alarm_set_ = true;
  alarm_.Set(&queue_, gpr_now(GPR_CLOCK_MONOTONIC), &alarm_);
}

}  // namespace muster
