#include "tools/vm/kernel/apt_archive.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace muster::vm {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(AptArchiveTest, DependenciesLoseVersionsAndAlternatives) {
  EXPECT_THAT(ParseDepends("Package: a\nPre-Depends: no\nDepends: dracut | initramfs-tools (>= 0.120), "
                           "linux-binary-7.2 (= 7.2-1), kmod:any\nSize: 1\n"),
              ElementsAre("dracut", "linux-binary-7.2", "kmod"));
  EXPECT_THAT(ParseDepends("Package: a\n"), IsEmpty());
}

}  // namespace
}  // namespace muster::vm
