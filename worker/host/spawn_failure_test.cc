// Spawns that fail half-way: a clear error, nothing left, and the next one works.
#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "base/file_io.h"
#include "base/test_run.h"
#include "gtest/gtest.h"
#include "worker/host/testing/pool_host_test_base.h"

namespace muster::host {
namespace {

constexpr int kExhausted = static_cast<int>(absl::StatusCode::kResourceExhausted);

// Fails the clones from the `first`-th of the calling process on; the helpers count for themselves.
class FailingCloner : public Cloner {
 public:
  FailingCloner(int first, int error_number) : left_(first), errno_(error_number) {}

  pid_t Clone(const CloneRequest& request) override {
    if (left_-- <= 0) return -errno_;
    return kernel_.Clone(request);
  }

 private:
  KernelCloner kernel_ = *KernelCloner::Create();
  int left_;
  const int errno_;
};

// Its children stop before they have done anything.
class HangingCloner : public Cloner {
 public:
  pid_t Clone(const CloneRequest& request) override {
    const pid_t pid = kernel_.Clone(request);
    if (pid == 0) raise(SIGSTOP);
    return pid;
  }

 private:
  KernelCloner kernel_ = *KernelCloner::Create();
};

// Options of a pool host that has a limit.
HostOptions WithLimit(__rlimit_resource resource, rlim_t value) {
  HostOptions options;
  options.in_host = [resource, value] {
    const rlimit limit = {value, value};
    if (setrlimit(resource, &limit) != 0) _exit(1);
  };
  return options;
}

class SpawnFailureTest : public PoolHostTestBase {
 protected:
  static void ExpectNothingLeft(const HostDriver& host) {
    const std::string children = absl::StrCat("/proc/", host.pid(), "/task/", host.pid(), "/children");
    EXPECT_TRUE(Eventually([&] { return ReadFile(children).value_or("?").empty(); })) << *ReadFile(children);
  }
};

TEST_F(SpawnFailureTest, NoMemoryForAProcessIsToldWithTheCallAndTheWorker) {
  FailingCloner cloner(3, ENOMEM);
  HostDriver host({.cloner = &cloner});
  const control::Reply reply = host.Spawn("num_workers: 5");
  EXPECT_EQ(reply.code(), kExhausted);
  EXPECT_NE(reply.message().find("clone3 of worker 3"), std::string::npos) << reply.message();
  EXPECT_NE(reply.message().find("ENOMEM"), std::string::npos) << reply.message();
  ExpectNothingLeft(host);
}

TEST_F(SpawnFailureTest, NoMoreProcessesIsExhaustionToo) {
  FailingCloner cloner(2, EAGAIN);
  HostDriver host({.cloner = &cloner});
  const control::Reply reply = host.Spawn("num_workers: 5");
  EXPECT_EQ(reply.code(), kExhausted);
  EXPECT_NE(reply.message().find("EAGAIN"), std::string::npos) << reply.message();
  EXPECT_NE(reply.message().find("pids.max"), std::string::npos) << reply.message();
  ExpectNothingLeft(host);
}

TEST_F(SpawnFailureTest, AFailureInAHelperEndsThePoolAndAllHelpers) {
  FailingCloner cloner(40, ENOMEM);
  HostDriver host({.cloner = &cloner});
  const control::Reply reply = host.Spawn({.spec = "num_workers: 200", .spawners = 2});
  EXPECT_EQ(reply.code(), kExhausted);
  EXPECT_NE(reply.message().find("clone3 of worker"), std::string::npos) << reply.message();
  ExpectNothingLeft(host);
}

TEST_F(SpawnFailureTest, NoHelperAtAllIsAnErrorToo) {
  FailingCloner cloner(1, EAGAIN);
  HostDriver host({.cloner = &cloner});
  EXPECT_EQ(host.Spawn({.spec = "num_workers: 200", .spawners = 2}).code(), kExhausted);
  ExpectNothingLeft(host);
}

TEST_F(SpawnFailureTest, NoProcessForThreadsIsAnError) {
  FailingCloner cloner(0, ENOMEM);
  HostDriver host({.cloner = &cloner});
  EXPECT_EQ(host.Spawn("num_workers: 5 clone_mode: THREAD").code(), kExhausted);
  ExpectNothingLeft(host);
}

TEST_F(SpawnFailureTest, NoDescriptorForAPipeIsToldWithTheCallAndTheWorker) {
  HostDriver host(WithLimit(RLIMIT_NOFILE, 11));
  const control::Reply reply = host.Spawn("num_workers: 4 composed { num_workers: 2 work { pipe_io {} } }");
  EXPECT_EQ(reply.code(), kExhausted);
  EXPECT_NE(reply.message().find("worker 4"), std::string::npos) << reply.message();
  EXPECT_NE(reply.message().find("pipe2"), std::string::npos) << reply.message();
  EXPECT_NE(reply.message().find("EMFILE"), std::string::npos) << reply.message();
  ExpectNothingLeft(host);
  EXPECT_EQ(host.Spawn("num_workers: 2").code(), 0) << "the next one works, on the same pool host";
}

TEST_F(SpawnFailureTest, NoDescriptorForAThreadsPipeIsTold) {
  if (kUnderAsan) {
    GTEST_SKIP()
        << "the undefined-behaviour sanitizer opens pipes of its own to look at memory, and takes EMFILE for a finding";
  }
  HostDriver host(WithLimit(RLIMIT_NOFILE, 14));
  const control::Reply reply = host.Spawn("num_workers: 64 work { pipe_io {} } clone_mode: THREAD");
  EXPECT_EQ(reply.code(), kExhausted);
  EXPECT_NE(reply.message().find("EMFILE"), std::string::npos) << reply.message();
  ExpectNothingLeft(host);
}

TEST_F(SpawnFailureTest, NoMoreThreadsIsToldWithTheCallAndTheWorker) {
  HostDriver host(WithLimit(RLIMIT_NPROC, 3));
  // The limit does not bind root.
  const control::Reply reply = host.Spawn("num_workers: 8 pcomm { name: 'leader' uid: 54321 }");
  EXPECT_EQ(reply.code(), kExhausted);
  EXPECT_NE(reply.message().find("pthread_create of worker"), std::string::npos) << reply.message();
  ExpectNothingLeft(host);
}

TEST_F(SpawnFailureTest, TheNextSpawnOnTheSameHostWorks) {
  HostDriver host;
  EXPECT_NE(host.Spawn("num_workers: 3 work { pipe_io {} }").code(), 0);
  EXPECT_EQ(host.Spawn("num_workers: 4 work { pipe_io {} }").code(), 0);
  EXPECT_NE(host.Spawn("num_workers: 4").code(), 0) << "one pool per host";
}

TEST_F(SpawnFailureTest, ADeadlineThatPassesNamesWhoIsMissing) {
  HangingCloner cloner;
  HostDriver host({.cloner = &cloner});
  const control::Reply reply = host.Spawn({.spec = "num_workers: 3", .timeout = absl::Milliseconds(20)});
  EXPECT_EQ(reply.code(), static_cast<int>(absl::StatusCode::kDeadlineExceeded));
  EXPECT_NE(reply.message().find("3 of 3 workers"), std::string::npos) << reply.message();
  ExpectNothingLeft(host);
}

TEST_F(SpawnFailureTest, AKillDuringASpawnEndsIt) {
  HangingCloner cloner;
  HostDriver host({.cloner = &cloner});
  control::Request kill_request;
  kill_request.mutable_kill()->set_reap_budget_ns(3'000'000'000);
  const uint64_t spawning = host.SendSpawn({.spec = "num_workers: 100"});
  const uint64_t killed = host.Send(kill_request);
  EXPECT_EQ(host.Await(killed).code(), 0);
  EXPECT_EQ(host.Await(spawning).code(), static_cast<int>(absl::StatusCode::kAborted));
  EXPECT_EQ(host.AwaitEnd(), 0);
}

TEST_F(SpawnFailureTest, AKillEndsTheHelpersOfASpawn) {
  // Helpers are clones too, and hang at once.
  HangingCloner cloner;
  HostDriver host({.cloner = &cloner});
  const uint64_t spawning = host.SendSpawn({.spec = "num_workers: 100", .spawners = 2});
  EXPECT_EQ(host.Kill().code(), 0);
  EXPECT_EQ(host.Await(spawning).code(), static_cast<int>(absl::StatusCode::kAborted));
}

TEST_F(SpawnFailureTest, AHangUpDuringASpawnEndsIt) {
  HangingCloner cloner;
  HostDriver host({.cloner = &cloner});
  host.SendSpawn({.spec = "num_workers: 100"});
  host.HangUp();
  EXPECT_EQ(host.AwaitEnd(), 0);
}

// ---- What is refused before anything is made ----

struct Refusal {
  const char* spec;
  int code;
  const char* field;
  const char* text;
};

class RefusalTest : public SpawnFailureTest, public testing::WithParamInterface<Refusal> {};

TEST_P(RefusalTest, NamesTheFieldAndMakesNothing) {
  HostDriver host;
  const control::Reply reply = host.Spawn(GetParam().spec);
  EXPECT_EQ(reply.code(), GetParam().code) << reply.message();
  EXPECT_EQ(reply.field(), GetParam().field);
  EXPECT_NE(reply.message().find(GetParam().text), std::string::npos) << reply.message();
  ExpectNothingLeft(host);
}

constexpr int kInvalid = static_cast<int>(absl::StatusCode::kInvalidArgument);
constexpr int kPrecondition = static_cast<int>(absl::StatusCode::kFailedPrecondition);

INSTANTIATE_TEST_SUITE_P(
    Specs, RefusalTest,
    testing::Values(
        Refusal{"num_workers: 3 work { pipe_io {} }", kInvalid, "num_workers", "divisible by 2, got 3"},
        Refusal{"composed { num_workers: 1 } composed { num_workers: 4 work { futex_fan_out { fan_out: 4 } } }",
                kInvalid, "composed[1].num_workers", "divisible by 5, got 4"},
        Refusal{"composed { work { custom { label: 'x' } } }", kInvalid, "composed[0].work.custom.form", "choose"},
        Refusal{"work { custom { function { name: 'nobody' } } }", kInvalid, "work.custom.function.name", "nobody"},
        Refusal{"work { custom { program { path: 'sh' } } }", kInvalid, "work.custom.program.path", "absolute"},
        Refusal{"work { custom { program { path: '/bin/true' } } }", kPrecondition, "", "--allow-exec"},
        Refusal{"clone_mode: THREAD work { custom { program { path: '/bin/true' } } }", kInvalid, "work.custom.program",
                "clone_mode FORK"},
        Refusal{"affinity { exact { cpus: '0-' } }", kInvalid, "affinity", "0-"}));

}  // namespace
}  // namespace muster::host
