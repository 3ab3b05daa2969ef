#include "daemon/cgroup/settings.h"

#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

namespace muster {
namespace {

absl::StatusOr<std::vector<SettingWrite>> Resolve(const std::string& settings, v1::CgroupKind kind = v1::DOMAIN) {
  v1::CgroupSpec spec;
  spec.set_kind(kind);
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(settings, spec.mutable_settings())) << settings;
  return ResolveSettings(spec, "spec", {CpuSet::Parse("0-3").value(), CpuSet::Parse("0").value()});
}

std::string Value(const std::string& settings) {
  const absl::StatusOr<std::vector<SettingWrite>> writes = Resolve(settings);
  if (!writes.ok()) return writes.status().ToString();
  return writes->size() == 1 ? (*writes)[0].file + "=" + (*writes)[0].value : "not one write";
}

void ExpectRefused(const std::string& settings, const std::string& field) {
  const absl::Status status = Resolve(settings).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << settings;
  EXPECT_EQ(status.message().find("spec.settings." + field + ": "), 0u) << status;
}

TEST(SettingsTest, EachSettingIsOneWriteInTheKernelsWords) {
  EXPECT_EQ(Value("cpuset_cpus: '0,1,3'"), "cpuset.cpus=0-1,3");
  EXPECT_EQ(Value("cpuset_mems: '0'"), "cpuset.mems=0");
  EXPECT_EQ(Value("cpu_weight: 200"), "cpu.weight=200");
  EXPECT_EQ(Value("cpu_max_quota { nanos: 50000000 }"), "cpu.max=50000 100000");
  EXPECT_EQ(Value("cpu_max_quota { seconds: 2 } cpu_max_period { seconds: 1 }"), "cpu.max=2000000 1000000");
  EXPECT_EQ(Value("cpu_max_period { nanos: 10000000 }"), "cpu.max=max 10000");
  EXPECT_EQ(Value("memory_max_bytes: 1048576"), "memory.max=1048576");
  EXPECT_EQ(Value("memory_high_bytes: 524288"), "memory.high=524288");
  EXPECT_EQ(Value("io_weight: 10000"), "io.weight=10000");
  EXPECT_EQ(Value("pids_max: 4194304"), "pids.max=4194304");
}

TEST(SettingsTest, ValuesOutOfRangeNameTheField) {
  ExpectRefused("cpu_weight: 0", "cpu_weight");
  ExpectRefused("cpu_weight: 10001", "cpu_weight");
  ExpectRefused("io_weight: 0", "io_weight");
  ExpectRefused("io_weight: 10001", "io_weight");
  ExpectRefused("pids_max: 0", "pids_max");
  ExpectRefused("pids_max: 4194305", "pids_max");
  ExpectRefused("memory_max_bytes: 0", "memory_max_bytes");
  ExpectRefused("memory_high_bytes: 18446744073709551615", "memory_high_bytes");
  ExpectRefused("cpu_max_quota { nanos: 999999 }", "cpu_max_quota");
  ExpectRefused("cpu_max_quota { seconds: -1 }", "cpu_max_quota");
  ExpectRefused("cpu_max_quota { nanos: 1000001 }", "cpu_max_quota");
  ExpectRefused("cpu_max_quota { seconds: 315576000000 }", "cpu_max_quota");
  ExpectRefused("cpu_max_period { seconds: 1 nanos: 1000 }", "cpu_max_period");
  ExpectRefused("cpu_max_quota { seconds: 1 } cpu_max_period { }", "cpu_max_period");
}

TEST(SettingsTest, CpusAndNodesMustExist) {
  ExpectRefused("cpuset_cpus: '0-4'", "cpuset_cpus");
  ExpectRefused("cpuset_cpus: 'x'", "cpuset_cpus");
  ExpectRefused("cpuset_cpus: ''", "cpuset_cpus");
  ExpectRefused("cpuset_mems: '1'", "cpuset_mems");
}

TEST(SettingsTest, ThreadedTakesCpuCpusetAndPidsOnly) {
  EXPECT_TRUE(Resolve("cpu_weight: 1 cpuset_cpus: '0' pids_max: 9 cpu_max_quota { seconds: 1 }", v1::THREADED).ok());
  for (const char* settings : {"memory_max_bytes: 4096", "memory_high_bytes: 4096", "io_weight: 1"}) {
    const absl::Status status = Resolve(settings, v1::THREADED).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << settings;
    EXPECT_NE(status.message().find("THREADED_ROOT"), absl::string_view::npos) << status;
    EXPECT_TRUE(Resolve(settings, v1::THREADED_ROOT).ok());
  }
}

TEST(SettingsTest, SameSettingsInOtherWordsAreEqual) {
  EXPECT_EQ(Resolve("cpuset_cpus: '0,1,2'").value(), Resolve("cpuset_cpus: ' 0-2'").value());
  EXPECT_FALSE(Resolve("cpu_weight: 1").value() == Resolve("cpu_weight: 2").value());
}

}  // namespace
}  // namespace muster
