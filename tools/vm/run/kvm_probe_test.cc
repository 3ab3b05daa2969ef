#include "tools/vm/run/kvm_probe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

namespace muster::vm {
namespace {

using ::testing::HasSubstr;

constexpr char kBoots[] = "echo 'muster-init: up uptime_ms=1000'\nread line\n";
constexpr char kHangs[] = "read line\n";
constexpr char kPanics[] = "echo '[ 1.0] Kernel panic - not syncing: VFS'\nread line\n";

// A script takes QEMU's place, and a plain file that of /dev/kvm.
class KvmProbeTest : public ::testing::Test {
 protected:
  KvmProbeTest() : folder_(::testing::TempDir() + "/kvm-probe-test") {
    std::filesystem::create_directories(folder_);
    std::ofstream(folder_ + "/kvm");
    probe_.cache = folder_ + "/cache";
    probe_.device = folder_ + "/kvm";
    probe_.limit = absl::Milliseconds(200);
    probe_.sample.root = folder_ + "/guests";
    probe_.sample.qemu = folder_ + "/qemu";
  }
  ~KvmProbeTest() override { std::filesystem::remove_all(folder_); }

  AcceleratorChoice ChooseUnder(const std::string& script) {
    std::ofstream(folder_ + "/qemu") << "#!/bin/sh\n" << script;
    chmod((folder_ + "/qemu").c_str(), 0755);
    return Choose();
  }
  AcceleratorChoice Choose() {
    const absl::StatusOr<AcceleratorChoice> choice = ChooseAccelerator("auto", probe_);
    EXPECT_TRUE(choice.ok()) << choice.status();
    return choice.value_or(AcceleratorChoice());
  }
  bool SomethingIsRemembered() const { return std::filesystem::exists(probe_.cache + "/kvm-probe"); }

  const std::string folder_;
  KvmProbe probe_;
};

TEST_F(KvmProbeTest, QemuThatIsNotThereSaysNothingAboutKvm) {
  probe_.sample.qemu = "/none";
  const AcceleratorChoice choice = Choose();
  EXPECT_EQ(choice.accelerator, Accelerator::kTcg);
  EXPECT_THAT(choice.reason, HasSubstr("for this run: under KVM: find program /none"));
  EXPECT_FALSE(SomethingIsRemembered());
}

TEST_F(KvmProbeTest, PanicSaysNothingAboutKvm) {
  const AcceleratorChoice choice = ChooseUnder(kPanics);
  EXPECT_EQ(choice.accelerator, Accelerator::kTcg);
  EXPECT_THAT(choice.reason, HasSubstr("Kernel panic - not syncing: VFS"));
  EXPECT_FALSE(SomethingIsRemembered());
}

TEST_F(KvmProbeTest, GuestOfTheUsersOwnThatHangsSaysNothingAboutKvm) {
  probe_.sample_is_own = true;
  EXPECT_EQ(ChooseUnder(kHangs).accelerator, Accelerator::kTcg);
  EXPECT_FALSE(SomethingIsRemembered());
}

TEST_F(KvmProbeTest, GuestThatHangsIsRemembered) {
  EXPECT_EQ(ChooseUnder(kHangs).accelerator, Accelerator::kTcg);
  const AcceleratorChoice again = ChooseUnder(kBoots);
  EXPECT_EQ(again.accelerator, Accelerator::kTcg);
  EXPECT_THAT(again.reason, HasSubstr("tried before"));
}

TEST_F(KvmProbeTest, GuestThatBootsIsRememberedWhoeversItIs) {
  probe_.sample_is_own = true;
  probe_.limit = absl::Seconds(30);
  EXPECT_EQ(ChooseUnder(kBoots).accelerator, Accelerator::kKvm);
  probe_.sample.qemu = "/none";
  EXPECT_EQ(Choose().accelerator, Accelerator::kKvm);
}

TEST_F(KvmProbeTest, WithoutTheDeviceNothingIsTried) {
  probe_.device = folder_ + "/none";
  EXPECT_THAT(Choose().reason, HasSubstr("/none cannot be opened"));
  EXPECT_FALSE(SomethingIsRemembered());
}

}  // namespace
}  // namespace muster::vm
