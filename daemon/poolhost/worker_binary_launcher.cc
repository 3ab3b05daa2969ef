#include "daemon/poolhost/worker_binary_launcher.h"

#include <unistd.h>

#include <algorithm>
#include <memory>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "daemon/poolhost/owned_host_process.h"

namespace muster {
namespace {

constexpr int kControlFd = 3;
// As worker/parts reads them.
constexpr char kIoDirectory[] = "MUSTER_IO_DIR=";
constexpr char kBlockDevices[] = "MUSTER_ALLOW_BLOCK_DEVICES=";

std::vector<std::string> OwnEnvironment() {
  std::vector<std::string> own;
  for (char** entry = environ; *entry != nullptr; ++entry) own.emplace_back(*entry);
  return own;
}

}  // namespace

std::vector<std::string> WorkerEnvironment(const WorkerIo& io, std::vector<std::string> inherited) {
  const auto is_of_io = [](const std::string& entry) {
    return absl::StartsWith(entry, kIoDirectory) || absl::StartsWith(entry, kBlockDevices);
  };
  inherited.erase(std::remove_if(inherited.begin(), inherited.end(), is_of_io), inherited.end());
  // Set in any case: an empty list would mean the caller's environment.
  inherited.push_back(absl::StrCat(kIoDirectory, io.directory));
  if (io.block_devices) inherited.push_back(absl::StrCat(kBlockDevices, "1"));
  return inherited;
}

absl::StatusOr<LaunchedHost> WorkerBinaryLauncher::Launch() {
  ASSIGN_OR_RETURN(auto ends, control::Channel::MakePair());
  SpawnOptions options;
  options.program = worker_binary_;
  options.arguments = {"muster-worker", "--pool-host", "--control-fd", std::to_string(kControlFd)};
  options.environment = WorkerEnvironment(io_, OwnEnvironment());
  options.descriptors = {{kControlFd, ends.second.get()}};
  options.new_session = true;
  options.fixed_layout = true;
  ASSIGN_OR_RETURN(SpawnedProcess child, reaper_->Spawn(options));
  LaunchedHost host;
  host.process = std::make_unique<OwnedHostProcess>(std::move(child), reaper_);
  host.channel = std::move(ends.first);
  return host;
}

}  // namespace muster
