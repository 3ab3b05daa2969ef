#include "worker/host/worker_main.h"

#include <stdio.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/resource.h>

#include "absl/strings/numbers.h"
#include "absl/strings/string_view.h"
#include "base/janitor_protocol.h"
#include "base/version.h"
#include "worker/core/catalogue.h"
#include "worker/host/pool_host.h"
#include "worker/janitor/janitor.h"

namespace muster {
namespace {

constexpr int kUsageExit = 64;

int Usage() {
  fputs(
      "usage: muster-worker --pool-host --control-fd N\n"
      "       muster-worker --janitor INSTANCE\n"
      "       muster-worker --catalogue\n"
      "       muster-worker --version\n"
      "musterd starts the first two.\n",
      stderr);
  return kUsageExit;
}

int CatalogueMain() {
  const absl::Status written = WriteCatalogue(STDOUT_FILENO);
  if (written.ok()) return 0;
  fprintf(stderr, "muster-worker: %s\n", std::string(written.message()).c_str());
  return 1;
}

// musterd wants this process to be laid out so; programs that workers become are as anybody's.
void RandomizeAddressesAgain() {
  const int now = personality(0xffffffff);
  if (now != -1 && (now & ADDR_NO_RANDOMIZE) != 0) personality(static_cast<unsigned long>(now & ~ADDR_NO_RANDOMIZE));
}

int PoolHostMain(int argc, char** argv) {
  int fd = -1;
  if (argc != 4 || strcmp(argv[2], "--control-fd") != 0 || !absl::SimpleAtoi(argv[3], &fd) || fd < 0) return Usage();
  RandomizeAddressesAgain();
  return host::RunPoolHost(fd);
}

// musterd guards itself against real-time loops of its own with RLIMIT_RTTIME, which an exec keeps; workers may loop.
void LiftRealTimeLimit() {
  rlimit limit;
  if (getrlimit(RLIMIT_RTTIME, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_RTTIME, &limit);
}

}  // namespace

int WorkerMain(int argc, char** argv) {
  LiftRealTimeLimit();
  const absl::string_view mode = argc > 1 ? argv[1] : "";
  if (mode == "--pool-host") return PoolHostMain(argc, argv);
  if (mode == kJanitorFlag) return JanitorMain(argc, argv);
  if (argc == 2 && mode == "--catalogue") return CatalogueMain();
  if (argc == 2 && mode == "--version") return printf("muster-worker %s\n", kVersion) > 0 ? 0 : 1;
  return Usage();
}

}  // namespace muster
