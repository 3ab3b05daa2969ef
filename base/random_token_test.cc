#include "base/random_token.h"

#include <gtest/gtest.h>

#include <set>

namespace muster {
namespace {

TEST(RandomToken, HasTwoDigitsPerByteAndNeverRepeats) {
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) {
    const absl::StatusOr<std::string> token = RandomToken(16);
    ASSERT_TRUE(token.ok()) << token.status();
    EXPECT_EQ(token->size(), 32u);
    EXPECT_EQ(token->find_first_not_of("0123456789abcdef"), std::string::npos);
    EXPECT_TRUE(seen.insert(*token).second);
  }
}

TEST(RandomToken, RefusesWhatGetrandomMightCut) { EXPECT_FALSE(RandomToken(257).ok()); }

}  // namespace
}  // namespace muster
