#include "worker/work/testing/work_types_doc.h"

#include <algorithm>
#include <map>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/file_io.h"
#include "gtest/gtest.h"
#include "worker/arena/histogram.h"
#include "worker/core/catalogue.h"

namespace muster {
namespace {

// The document's sections of one level by their headings ("### SpinWait" → what stands below it).
std::map<std::string, std::string> Sections(const std::string& text, const std::string& mark) {
  std::map<std::string, std::string> sections;
  for (size_t at = text.find(mark); at != std::string::npos;) {
    const size_t line_end = text.find('\n', at + 1);
    const size_t next = text.find(mark, line_end);
    const size_t name_at = at + mark.size();
    sections[text.substr(name_at, line_end - name_at)] = text.substr(line_end, next - line_end);
    at = next;
  }
  return sections;
}

class WorkTypesDocTest : public testing::Test {
 protected:
  void SetUp() override {
    const absl::StatusOr<std::string> read = ReadFile("docs/work-types.md");
    ASSERT_TRUE(read.ok()) << read.status();
    text_ = *read;
  }
  std::string text_;
};

TEST_F(WorkTypesDocTest, HasOneEntryPerTypeWithItsFactsParametersAndNeeds) {
  const std::map<std::string, std::string> entries = Sections(text_, "\n### ");
  const v1::Catalogue catalogue = BuildCatalogue();
  for (const v1::WorkTypeInfo& info : catalogue.work_types()) {
    const auto entry = entries.find(info.name());
    if (entry == entries.end()) {
      ADD_FAILURE() << "no entry for " << info.name();
      continue;
    }
    for (const std::string& piece : {DocFacts(info), DocParameters(info)}) {
      EXPECT_TRUE(absl::StrContains(entry->second, piece)) << info.name() << " should say:\n" << piece;
    }
    for (const v1::NeedInfo& need : info.needs()) {
      EXPECT_TRUE(absl::StrContains(entry->second, need.need()))
          << info.name() << " should name the need " << need.need();
    }
    EXPECT_TRUE(absl::StrContains(entry->second, "\n**One iteration.** ")) << info.name();
    EXPECT_TRUE(absl::StrContains(entry->second, "\n**Reading the result.** ")) << info.name();
  }
  for (const auto& [name, text] : entries) {
    const std::string& entry = name;
    EXPECT_TRUE(std::any_of(catalogue.work_types().begin(), catalogue.work_types().end(),
                            [&](const v1::WorkTypeInfo& info) { return info.name() == entry; }))
        << "an entry for " << name << ", which is no type";
  }
}

// The document's own formula, as code: a reader in any language follows it.
uint64_t FloorByTheDocument(uint32_t index) {
  if (index < 128) return index;
  const uint32_t shift = index / 64 - 1;
  return uint64_t{index % 64 + 64} << shift;
}

TEST_F(WorkTypesDocTest, StatesTheBoundsOfTheHistogramsBuckets) {
  const std::map<std::string, std::string> sections = Sections(text_, "\n## ");
  const auto histograms = sections.find("Histograms");
  ASSERT_NE(histograms, sections.end());
  EXPECT_TRUE(absl::StrContains(histograms->second, absl::StrCat(arena::kHistogramBuckets, " buckets")));
  EXPECT_TRUE(absl::StrContains(histograms->second, "(index mod 64 + 64) * 2^(index div 64 - 1)"));
  for (uint32_t index = 0; index < arena::kHistogramBuckets; ++index) {
    ASSERT_EQ(FloorByTheDocument(index), arena::BucketFloor(index)) << index;
  }
}

}  // namespace
}  // namespace muster
