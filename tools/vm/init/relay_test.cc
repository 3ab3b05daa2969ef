#include "tools/vm/init/relay.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <thread>

#include "base/unique_fd.h"

namespace muster::guest {
namespace {

struct Pair {
  Pair() {
    int ends[2];
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    near.Reset(ends[0]);
    far.Reset(ends[1]);
  }
  UniqueFd near;
  UniqueFd far;
};

TEST(RelayTest, BytesAndTheEndOfFileArePassedOn) {
  Pair in;
  Pair out;
  std::thread copier([&] { CopyStream(in.far.get(), out.near.get()); });
  EXPECT_EQ(write(in.near.get(), "hello", 5), 5);
  shutdown(in.near.get(), SHUT_WR);
  std::string got;
  char buffer[16];
  for (ssize_t n = read(out.far.get(), buffer, sizeof(buffer)); n > 0; n = read(out.far.get(), buffer, sizeof(buffer)))
    got.append(buffer, n);
  copier.join();
  EXPECT_EQ(got, "hello");
}

TEST(RelayTest, ReaderThatHasGoneEndsTheWriter) {
  signal(SIGPIPE, SIG_IGN);
  Pair in;
  Pair out;
  out.far.Reset();
  std::thread copier([&] { CopyStream(in.far.get(), out.near.get()); });
  EXPECT_EQ(write(in.near.get(), "x", 1), 1);
  copier.join();
  char byte;
  EXPECT_EQ(read(in.near.get(), &byte, 1), 0);
}

}  // namespace
}  // namespace muster::guest
