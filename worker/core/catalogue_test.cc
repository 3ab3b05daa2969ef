#include "worker/core/catalogue.h"

#include <sys/mman.h>
#include <unistd.h>

#include <set>
#include <string>

#include "base/unique_fd.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "muster/v1/options.pb.h"
#include "muster/v1/work.pb.h"

namespace muster {
namespace {

using ::testing::ElementsAre;
using ::testing::StartsWith;

const v1::WorkTypeInfo* Find(const v1::Catalogue& catalogue, const std::string& name) {
  for (const v1::WorkTypeInfo& info : catalogue.work_types()) {
    if (info.name() == name) return &info;
  }
  ADD_FAILURE() << name << " is not in the catalogue";
  static const v1::WorkTypeInfo kNone;
  return &kNone;
}

const v1::ParameterInfo* Parameter(const v1::WorkTypeInfo& info, const std::string& name) {
  for (const v1::ParameterInfo& parameter : info.parameters()) {
    if (parameter.name() == name) return &parameter;
  }
  ADD_FAILURE() << info.name() << " has no parameter " << name;
  static const v1::ParameterInfo kNone;
  return &kNone;
}

TEST(CatalogueTest, EveryArmOfWorkIsThereInOrder) {
  const v1::Catalogue catalogue = BuildCatalogue();
  const google::protobuf::Descriptor& work = *v1::Work::descriptor();
  ASSERT_EQ(catalogue.work_types_size(), work.field_count()) << "an arm without a folder, or the other way round";
  for (int i = 0; i < work.field_count(); ++i) {
    EXPECT_EQ(catalogue.work_types(i).field(), work.field(i)->name());
    EXPECT_EQ(catalogue.work_types(i).name(), work.field(i)->message_type()->name());
  }
}

TEST(CatalogueTest, EveryTypeSaysWhatItIs) {
  const v1::Catalogue catalogue = BuildCatalogue();
  for (const v1::WorkTypeInfo& info : catalogue.work_types()) {
    EXPECT_FALSE(info.summary().empty()) << info.name();
    EXPECT_GE(info.group_size(), 1u) << info.name();
    EXPECT_FALSE(info.units_per_iteration().empty()) << info.name();
    ASSERT_GE(info.clone_modes_size(), 1) << info.name();
    EXPECT_EQ(info.clone_modes(0), v1::FORK) << info.name();
  }
}

TEST(CatalogueTest, EveryParameterHasTheCommentOfTheProto) {
  const v1::Catalogue catalogue = BuildCatalogue();
  for (const v1::WorkTypeInfo& info : catalogue.work_types()) {
    std::set<std::string> names;
    for (const v1::ParameterInfo& parameter : info.parameters()) {
      EXPECT_FALSE(parameter.description().empty()) << info.name() << "." << parameter.name();
      EXPECT_FALSE(parameter.type().empty()) << info.name() << "." << parameter.name();
      EXPECT_TRUE(names.insert(parameter.name()).second) << info.name() << "." << parameter.name();
    }
  }
}

TEST(CatalogueTest, AParameterHasItsRule) {
  const v1::Catalogue catalogue = BuildCatalogue();
  const v1::WorkTypeInfo& pipe_io = *Find(catalogue, "PipeIo");
  ASSERT_EQ(pipe_io.parameters_size(), 1);
  const v1::ParameterInfo& burst = pipe_io.parameters(0);
  EXPECT_EQ(burst.name(), "burst_iters");
  EXPECT_EQ(burst.type(), "uint64");
  EXPECT_EQ(burst.default_value(), "1024");
  EXPECT_EQ(burst.unit(), "iterations");
  EXPECT_EQ(burst.min(), 0);
  EXPECT_EQ(burst.max(), 1'000'000'000);
  EXPECT_EQ(burst.description(), "Spin steps before each exchange.");
  EXPECT_EQ(pipe_io.group_size(), 2u);
  EXPECT_THAT(pipe_io.streams(), ElementsAre(v1::WAKE));
  EXPECT_THAT(pipe_io.clone_modes(), ElementsAre(v1::FORK, v1::THREAD));
}

TEST(CatalogueTest, TypesAndPathsAreReadable) {
  const v1::Catalogue catalogue = BuildCatalogue();
  EXPECT_EQ(Parameter(*Find(catalogue, "AluHot"), "width")->type(), "enum AluWidth");
  EXPECT_EQ(Parameter(*Find(catalogue, "Bursty"), "burst_duration")->type(), "Duration");
  const v1::WorkTypeInfo& sequence = *Find(catalogue, "Sequence");
  EXPECT_EQ(Parameter(sequence, "phases")->type(), "repeated Phase");
  EXPECT_EQ(Parameter(sequence, "phases[].spin.duration")->type(), "Duration");
  const v1::ParameterInfo& signal = *Parameter(*Find(catalogue, "Custom"), "program.stop_signal");
  EXPECT_EQ(signal.default_value(), "15");
  EXPECT_THAT(signal.description(), StartsWith("Signal that asks the program to stop."));
}

TEST(CatalogueTest, StreamsOfSomeParametersAreStreamsOfTheType) {
  const v1::Catalogue catalogue = BuildCatalogue();
  EXPECT_THAT(Find(catalogue, "Sequence")->streams(), ElementsAre(v1::WAKE, v1::ITERATION_COST));
  EXPECT_THAT(Find(catalogue, "Custom")->streams(), ElementsAre(v1::WAKE, v1::ITERATION_COST, v1::TIMER));
  EXPECT_THAT(Find(catalogue, "SpinWait")->streams(), ElementsAre());
}

TEST(CatalogueTest, IsWrittenAsOneMessage) {
  const UniqueFd fd(memfd_create("catalogue", MFD_CLOEXEC));
  ASSERT_TRUE(WriteCatalogue(fd.get()).ok());
  ASSERT_EQ(lseek(fd.get(), 0, SEEK_SET), 0);
  v1::Catalogue catalogue;
  ASSERT_TRUE(catalogue.ParseFromFileDescriptor(fd.get()));
  EXPECT_EQ(catalogue.SerializeAsString(), BuildCatalogue().SerializeAsString());
}

}  // namespace
}  // namespace muster
