#include "worker/parts/memory_region.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <cerrno>
#include <cstdint>
#include <vector>

namespace muster {
namespace {

size_t ResidentPages(const MemoryRegion& region) {
  std::vector<unsigned char> pages(region.pages());
  EXPECT_EQ(mincore(region.data(), region.size(), pages.data()), 0);
  size_t resident = 0;
  for (const unsigned char page : pages) resident += page & 1;
  return resident;
}

TEST(MemoryRegion, IsRoundedUpToWholePages) {
  EXPECT_EQ(MemoryRegion::Map(0)->size(), 4096u);
  EXPECT_EQ(MemoryRegion::Map(1)->pages(), 1u);
  EXPECT_EQ(MemoryRegion::Map(4097)->pages(), 2u);
}

TEST(MemoryRegion, DroppedPagesAreNotResidentAndReadAsZero) {
  absl::StatusOr<MemoryRegion> region = MemoryRegion::Map(16 * 4096);
  ASSERT_TRUE(region.ok());
  region->data()[0] = std::byte{7};
  region->data()[5 * 4096] = std::byte{7};
  EXPECT_EQ(ResidentPages(*region), 2u);
  region->DropPages();
  EXPECT_EQ(ResidentPages(*region), 0u);
  EXPECT_EQ(region->data()[0], std::byte{0});
}

TEST(MemoryRegion, IsUnmappedWithItsOwner) {
  void* where = nullptr;
  {
    absl::StatusOr<MemoryRegion> region = MemoryRegion::Map(4096);
    ASSERT_TRUE(region.ok());
    where = region->data();
  }
  unsigned char page;
  EXPECT_EQ(mincore(where, 4096, &page), -1);
  EXPECT_EQ(errno, ENOMEM);
}

TEST(MemoryRegion, SaysWhatItCouldNotMap) {
  EXPECT_FALSE(MemoryRegion::Map(SIZE_MAX).ok());
  const absl::Status status = MemoryRegion::Map(uint64_t{1} << 60).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted) << status;
  EXPECT_NE(status.message().find("1152921504606846976 bytes"), absl::string_view::npos) << status;
}

}  // namespace
}  // namespace muster
