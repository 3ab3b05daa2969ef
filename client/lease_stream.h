// The stream of a lease, read by a thread that stays out of the way of calls.
#ifndef MUSTER_CLIENT_LEASE_STREAM_H_
#define MUSTER_CLIENT_LEASE_STREAM_H_

#include <grpcpp/alarm.h>
#include <grpcpp/completion_queue.h>

#include <memory>

#include "client/call_traffic.h"
#include "client/connection.h"
#include "muster/v1/muster.grpc.pb.h"

namespace muster {

// One stream of OpenLease, for one thread. All arguments outlive it. Finish comes before the destructor.
class LeaseStream {
 public:
  LeaseStream(Connection::Stub* stub, grpc::ClientContext* context, const v1::OpenLeaseRequest& request,
              CallTraffic* traffic);
  ~LeaseStream();
  LeaseStream(const LeaseStream&) = delete;
  LeaseStream& operator=(const LeaseStream&) = delete;

  // The next event, waiting for it; during traffic it comes at most CallTraffic::kPause late. False: the stream is
  // over.
  bool Read(v1::LeaseEvent* event);
  // How it ended.
  grpc::Status Finish();

 private:
  // Waits for the operation that was begun last.
  bool Await();
  bool Next(std::chrono::system_clock::time_point deadline, bool* done, bool* ok);
  void Wake();

  CallTraffic* const traffic_;
  grpc::CompletionQueue queue_;
  grpc::Alarm alarm_;
  // The alarm was set and has not come out of the queue: it must not be set again. Handed over under the traffic's
  // lock.
  bool alarm_set_ = false;
  bool open_ = false;
  // Between the first event, for which somebody waits, and the end.
  bool idle_ = false;
  std::unique_ptr<grpc::ClientAsyncReader<v1::LeaseEvent>> reader_;
};

}  // namespace muster

#endif  // MUSTER_CLIENT_LEASE_STREAM_H_
