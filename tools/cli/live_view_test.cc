#include "tools/cli/live_view.h"

#include <gtest/gtest.h>

namespace muster {
namespace {

v1::WatchUpdate Update(uint64_t taken_at_ns, std::vector<uint64_t> iterations) {
  v1::WatchUpdate update;
  update.set_taken_at_ns(taken_at_ns);
  for (const uint64_t delta : iterations) {
    update.add_iterations_delta(delta);
    update.add_states(v1::RUNNING);
  }
  return update;
}

LiveView TwoGroups(LiveView::Style style) {
  LiveView view({{"cg0 PipeIo", 2}, {"cg1 Mixed", 1}}, {0, 0, 1}, style);
  view.SetStart(1'000'000'000);
  return view;
}

TEST(LiveViewTest, EachGroupHasItsRateAndItsRunningWorkers) {
  LiveView view = TwoGroups(LiveView::Style::kPlain);
  v1::WatchUpdate update = Update(3'000'000'000, {100, 300, 50});
  update.set_states(1, v1::DEAD);
  EXPECT_EQ(view.Render(update),
            "   2.0s  cg0 PipeIo: 200 iterations/s, 1/2 workers running\n"
            "   2.0s  cg1 Mixed: 25 iterations/s, 1/1 workers running\n");
}

TEST(LiveViewTest, RatesCountFromTheUpdateBefore) {
  LiveView view = TwoGroups(LiveView::Style::kPlain);
  view.Render(Update(3'000'000'000, {0, 0, 0}));
  EXPECT_EQ(view.Render(Update(3'500'000'000, {0, 0, 50})),
            "   2.5s  cg0 PipeIo: 0 iterations/s, 2/2 workers running\n"
            "   2.5s  cg1 Mixed: 100 iterations/s, 1/1 workers running\n");
}

TEST(LiveViewTest, TerminalLinesOverwriteTheFormerOnes) {
  LiveView view = TwoGroups(LiveView::Style::kOverwrite);
  EXPECT_EQ(view.Render(Update(2'000'000'000, {0, 0, 0})).rfind("\r\x1b[K", 0), 0u);
  EXPECT_EQ(view.Render(Update(3'000'000'000, {0, 0, 0})).rfind("\x1b[2A\r\x1b[K", 0), 0u);
}

TEST(LiveViewTest, UpdateWithoutTimeBetweenCountsWithTheNext) {
  LiveView view = TwoGroups(LiveView::Style::kPlain);
  EXPECT_EQ(view.Render(Update(1'000'000'000, {5, 5, 5})), "");
  EXPECT_EQ(view.Render(Update(2'000'000'000, {5, 5, 5})),
            "   1.0s  cg0 PipeIo: 20 iterations/s, 2/2 workers running\n"
            "   1.0s  cg1 Mixed: 10 iterations/s, 1/1 workers running\n");
}

TEST(LiveViewTest, ShortUpdateOfAHostileDaemonIsSurvived) {
  LiveView view = TwoGroups(LiveView::Style::kPlain);
  EXPECT_NE(view.Render(Update(2'000'000'000, {7})), "");
}

TEST(LiveViewTest, GroupsOfAPoolAreLabelledByCgroupAndWork) {
  v1::WorkloadSpec spec;
  spec.mutable_work()->mutable_pipe_io();
  spec.set_cgroup("cg0");
  spec.add_composed()->mutable_work()->mutable_custom()->set_label("mine");
  v1::SpawnResponse response;
  response.add_workers();
  response.add_workers()->set_group_idx(1);
  LiveView view = LiveView::ForPool(spec, response.workers(), LiveView::Style::kPlain);
  EXPECT_EQ(view.Render(Update(1'000'000'000, {1, 1})),
            "   1.0s  cg0 PipeIo: 1 iterations/s, 1/1 workers running\n"
            "   1.0s  mine: 1 iterations/s, 1/1 workers running\n");
}

TEST(LiveViewTest, WorkThatIsNotSetIsTheDefaultOne) { EXPECT_EQ(WorkTypeName(v1::Work()), "SpinWait"); }

}  // namespace
}  // namespace muster
