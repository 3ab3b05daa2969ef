#include "daemon/flags.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/error_detail.h"

namespace muster {
namespace {

using Words = std::vector<std::string>;

TEST(NormaliseArguments, FlagsMayBeWrittenWithDashes) {
  EXPECT_EQ(NormaliseArguments({"musterd", "--max-pools=3", "--ready-fd", "5", "--instance=a-b", "--no-such"}),
            (Words{"musterd", "--max_pools=3", "--ready_fd", "5", "--instance=a-b", "--no_such"}));
}

TEST(NormaliseArguments, SeveralListenBecomeOneList) {
  EXPECT_EQ(NormaliseArguments({"musterd", "--listen", "unix:///a-b", "--allow-exec", "--listen=tcp://127.0.0.1:0"}),
            (Words{"musterd", "--listen=unix:///a-b,tcp://127.0.0.1:0", "--allow_exec"}));
}

TEST(NormaliseArguments, ANegativeNumberIsNoFlag) {
  EXPECT_EQ(NormaliseArguments({"musterd", "--ready-fd", "-1"}), (Words{"musterd", "--ready_fd", "-1"}));
}

TEST(NormaliseArguments, AListenWithoutAnAddressIsLeftToTheParser) {
  EXPECT_EQ(NormaliseArguments({"musterd", "--listen"}), (Words{"musterd", "--listen"}));
}

class ConfigTest : public testing::Test {
 protected:
  // Flags can be parsed once in a process.
  static DaemonConfig Defaults() {
    static char name[] = "musterd";
    static char* arguments[] = {name, nullptr};
    static const DaemonConfig config = *ParseFlags(1, arguments);
    return config;
  }

  DaemonConfig config_ = Defaults();
};

TEST_F(ConfigTest, TheDefaultsAreLegalAndEveryOneIsNamedOnce) {
  EXPECT_TRUE(CheckConfig(config_).ok());
  EXPECT_EQ(config_.limits.max_worker_rt_priority, 98);
  std::vector<std::string> names;
  for (const NamedLimit& limit : AllLimits(config_)) {
    EXPECT_EQ(std::count(names.begin(), names.end(), limit.name), 0) << limit.name;
    EXPECT_FALSE(limit.unit.empty()) << limit.name;
    names.push_back(limit.name);
  }
}

TEST_F(ConfigTest, AWorkerIsNeverAboveControl) {
  config_.control_priority = 10;
  EXPECT_EQ(FieldOf(CheckConfig(config_)), "max_worker_rt_priority");
  config_.limits.max_worker_rt_priority = 9;
  EXPECT_TRUE(CheckConfig(config_).ok());
}

TEST_F(ConfigTest, APidOfNobodyOrForNothingIsRefused) {
  config_.parent_pid = 5;
  EXPECT_EQ(FieldOf(CheckConfig(config_)), "parent_pid");
  config_.die_with_parent = true;
  EXPECT_TRUE(CheckConfig(config_).ok());
  config_.parent_pid = -1;
  EXPECT_EQ(FieldOf(CheckConfig(config_)), "parent_pid");
}

TEST_F(ConfigTest, AnImpossibleNumberOfSpawnersIsRefused) {
  config_.spawners = 257;
  EXPECT_EQ(FieldOf(CheckConfig(config_)), "spawners");
  config_.spawners = 256;
  EXPECT_TRUE(CheckConfig(config_).ok());
}

TEST_F(ConfigTest, ALimitOfNothingIsRefusedByName) {
  config_.limits.max_pools = 0;
  EXPECT_EQ(FieldOf(CheckConfig(config_)), "max_pools");
  config_.limits.max_pools = 1;
  config_.service.max_call_time = absl::ZeroDuration();
  EXPECT_EQ(FieldOf(CheckConfig(config_)), "max_call_time");
}

TEST_F(ConfigTest, TheDefaultGraceIsWithinItsLimit) {
  config_.leases.grace = config_.leases.max_grace + absl::Seconds(1);
  EXPECT_EQ(FieldOf(CheckConfig(config_)), "lease_grace");
}

TEST_F(ConfigTest, TheIoDirectoryMustBeOne) {
  for (const char* wrong : {"tmp", "/no/such/place", "/dev/null"}) {
    config_.io_dir = wrong;
    const absl::Status status = CheckConfig(config_);
    EXPECT_EQ(FieldOf(status), "io_dir");
    EXPECT_NE(status.message().find(wrong), absl::string_view::npos) << status;
  }
  config_.io_dir = "/tmp";
  EXPECT_TRUE(CheckConfig(config_).ok());
}

TEST_F(ConfigTest, TlsByHalvesIsRefusedWithWhatIsMissing) {
  config_.tls = {.ca = "ca", .certificate = "cert", .key = "key"};
  EXPECT_TRUE(CheckConfig(config_).ok());
  config_.tls.ca = "";
  EXPECT_EQ(FieldOf(CheckConfig(config_)), "tls_client_ca");
  config_.tls = {.ca = "ca", .key = "key"};
  EXPECT_EQ(FieldOf(CheckConfig(config_)), "tls_cert");
  config_.tls = {.certificate = "cert"};
  EXPECT_EQ(FieldOf(CheckConfig(config_)), "tls_key");
}

TEST_F(ConfigTest, NobodyToListenToIsRefused) {
  config_.listen.clear();
  EXPECT_EQ(FieldOf(CheckConfig(config_)), "listen");
}

}  // namespace
}  // namespace muster
