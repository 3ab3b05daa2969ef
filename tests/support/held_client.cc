// A client that holds a lease and a started pool until it is killed: held_client ADDRESS SPEC_TEXT. Writes the pool's
// id and a newline to standard output when the workers run.
#include <stdio.h>
#include <unistd.h>

#include "client/client.h"
#include "google/protobuf/text_format.h"

int main(int argc, char** argv) {
  muster::v1::WorkloadSpec spec;
  if (argc != 3 || !google::protobuf::TextFormat::ParseFromString(argv[2], &spec)) return 64;
  muster::ClientOptions options;
  options.lease.grace = absl::Milliseconds(200);
  absl::StatusOr<muster::Client> client = muster::Client::Connect(argv[1], options);
  if (!client.ok()) {
    fprintf(stderr, "%s\n", client.status().ToString().c_str());
    return 69;
  }
  absl::StatusOr<muster::WorkloadHandle> handle = client->Spawn(spec);
  if (!handle.ok() || !handle->Start().ok()) {
    fprintf(stderr, "%s\n", handle.status().ToString().c_str());
    return 70;
  }
  printf("%s\n", handle->pool_id().c_str());
  fflush(stdout);
  while (true) pause();
}
