// A unix socket with nothing on it.
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

#include "tests/bench/bare/bare.h"

namespace muster::bench {
namespace {

constexpr int kBufferBytes = 1 << 20;
constexpr size_t kRequestBytes = 16;

struct Ends {
  int client;
  int server;
};

Ends SocketPair() {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) Fail("socketpair");
  for (const int end : ends) {
    setsockopt(end, SOL_SOCKET, SO_SNDBUFFORCE, &kBufferBytes, sizeof(kBufferBytes));
  }
  return {ends[0], ends[1]};
}

bool ReadFully(int fd, char* bytes, size_t size) {
  for (size_t done = 0; done < size;) {
    const ssize_t got = read(fd, bytes + done, size - done);
    if (got <= 0) return false;
    done += got;
  }
  return true;
}

bool WriteFully(int fd, const char* bytes, size_t size) {
  for (size_t done = 0; done < size;) {
    const ssize_t put = write(fd, bytes + done, size - done);
    if (put <= 0) return false;
    done += put;
  }
  return true;
}

// Inherited by children; the two ends never run at once for long, since each waits for the other.
void RunAtFifo(int priority) {
  const sched_param parameters = {.sched_priority = priority};
  if (sched_setscheduler(0, SCHED_FIFO, &parameters) != 0) Fail("sched_setscheduler");
}

void Answer(int fd, size_t bytes) {
  std::string answer(bytes, 'a');
  char request[kRequestBytes];
  while (ReadFully(fd, request, sizeof(request)) && WriteFully(fd, answer.data(), answer.size())) {
  }
}

}  // namespace

int RoundTrip(const Arguments& arguments) {
  const size_t bytes = Number(arguments, 0);
  const uint32_t count = Number(arguments, 1);
  if (arguments.size() > 2) RunAtFifo(Number(arguments, 2));
  const Ends ends = SocketPair();
  Children server;
  server.Make(1, [&](uint32_t) { Answer(ends.server, bytes); });
  std::string answer(bytes, '\0');
  const char request[kRequestBytes] = {};
  std::vector<uint64_t> took_ns;
  for (uint32_t i = 0; i < count; ++i) {
    const uint64_t began_ns = MonotonicNs();
    if (!WriteFully(ends.client, request, sizeof(request)) || !ReadFully(ends.client, answer.data(), bytes)) {
      Fail("exchange over the socket");
    }
    took_ns.push_back(MonotonicNs() - began_ns);
  }
  std::sort(took_ns.begin(), took_ns.end());
  Say("p50_ns", took_ns[count / 2]);
  Say("p99_ns", took_ns[count * 99 / 100]);
  return 0;
}

int Bulk(const Arguments& arguments) {
  const size_t bytes = Number(arguments, 0);
  const uint32_t count = Number(arguments, 1);
  const Ends ends = SocketPair();
  Children server;
  server.Make(1, [&](uint32_t) {
    std::string message(bytes, 'm');
    char go;
    if (!ReadFully(ends.server, &go, 1)) return;
    for (uint32_t i = 0; i < count && WriteFully(ends.server, message.data(), bytes); ++i) {
    }
  });
  std::string message(bytes, '\0');
  const uint64_t began_ns = MonotonicNs();
  if (!WriteFully(ends.client, "g", 1)) Fail("write to the socket");
  for (uint32_t i = 0; i < count; ++i) {
    if (!ReadFully(ends.client, message.data(), bytes)) Fail("read from the socket");
  }
  Say("gb_per_s", static_cast<double>(bytes) * count / (MonotonicNs() - began_ns));
  return 0;
}

}  // namespace muster::bench
