// The chart of how cost grows with the number of workers.
#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "tests/bench/output.h"

namespace muster::bench {
namespace {

constexpr double kLeft = 80, kTop = 50, kWidth = 560, kHeight = 360;

struct Line {
  const char* value;  // as in "n100.spawn_ns"
  const char* label;
  const char* colour;
};
constexpr Line kLines[] = {{"spawn_ns", "spawn", "#1b6ca8"},
                           {"last_start_ns", "start (last worker)", "#c4572b"},
                           {"snapshot_ns", "snapshot", "#3a8a4f"},
                           {"stop_ns", "stop (last worker)", "#7d4fa0"},
                           {"collect_ns", "stop and collect", "#8a6d1d"}};
constexpr uint32_t kCounts[] = {1, 10, 100, 1000, 10'000};

struct Range {
  int low;  // powers of ten, in ns per worker
  int high;
};

double X(uint32_t workers) { return kLeft + kWidth * std::log10(workers) / 4; }
double Y(double ns, const Range& range) {
  return kTop + kHeight * (range.high - std::log10(ns)) / (range.high - range.low);
}

const Values* GrowthOf(const std::vector<Outcome>& outcomes) {
  for (const Outcome& outcome : outcomes) {
    if (outcome.name == "growth" && !outcome.medians.empty()) return &outcome.medians;
  }
  return nullptr;
}

// Where a line has a point; 0: it has none.
double ValueAt(const Values& medians, uint32_t workers, const Line& line) {
  const auto found = medians.find(absl::StrCat("n", workers, ".", line.value));
  return found == medians.end() ? 0 : found->second;
}

Range RangeOf(const Values& medians) {
  double low = 1e12, high = 1;
  for (const Line& line : kLines) {
    for (const uint32_t workers : kCounts) {
      const double ns = ValueAt(medians, workers, line);
      if (ns <= 0) continue;
      low = std::min(low, ns);
      high = std::max(high, ns);
    }
  }
  return {static_cast<int>(std::floor(std::log10(low))), static_cast<int>(std::ceil(std::log10(high)))};
}

std::string TimeLabel(int power) {
  const char* const unit = power >= 9 ? "s" : power >= 6 ? "ms" : power >= 3 ? "&#181;s" : "ns";
  return absl::StrFormat("%.0f %s", std::pow(10, power % 3), unit);
}

std::string Axes(const Range& range) {
  std::string svg;
  for (const uint32_t workers : kCounts) {
    absl::StrAppendFormat(&svg, "<line x1='%.1f' y1='%.1f' x2='%.1f' y2='%.1f' stroke='#ddd'/>\n", X(workers), kTop,
                          X(workers), kTop + kHeight);
    absl::StrAppendFormat(&svg, "<text x='%.1f' y='%.1f' text-anchor='middle'>%d</text>\n", X(workers),
                          kTop + kHeight + 20, workers);
  }
  for (int power = range.low; power <= range.high; ++power) {
    const double y = Y(std::pow(10, power), range);
    absl::StrAppendFormat(&svg, "<line x1='%.1f' y1='%.1f' x2='%.1f' y2='%.1f' stroke='#ddd'/>\n", kLeft, y,
                          kLeft + kWidth, y);
    absl::StrAppendFormat(&svg, "<text x='%.1f' y='%.1f' text-anchor='end'>%s</text>\n", kLeft - 8, y + 4,
                          TimeLabel(power));
  }
  return svg;
}

std::string Curve(const Values& medians, const Line& line, const Range& range) {
  std::string points, marks;
  double last_y = 0;
  for (const uint32_t workers : kCounts) {
    const double ns = ValueAt(medians, workers, line);
    if (ns <= 0) continue;
    last_y = Y(ns, range);
    absl::StrAppendFormat(&points, "%.1f,%.1f ", X(workers), last_y);
    absl::StrAppendFormat(&marks, "<circle cx='%.1f' cy='%.1f' r='3' fill='%s'/>\n", X(workers), last_y, line.colour);
  }
  return absl::StrFormat("<polyline points='%s' fill='none' stroke='%s' stroke-width='2'/>\n%s", points, line.colour,
                         marks);
}

std::string Legend() {
  std::string svg;
  double y = kTop + 10;
  for (const Line& line : kLines) {
    absl::StrAppendFormat(
        &svg, "<rect x='%.1f' y='%.1f' width='14' height='4' fill='%s'/><text x='%.1f' y='%.1f'>%s</text>\n",
        kLeft + kWidth + 20, y, line.colour, kLeft + kWidth + 40, y + 6, line.label);
    y += 22;
  }
  return svg;
}

}  // namespace

std::string Svg(const Machine& machine, const std::vector<Outcome>& outcomes) {
  const Values* const medians = GrowthOf(outcomes);
  if (medians == nullptr) return "";
  const Range range = RangeOf(*medians);
  std::string svg =
      "<svg xmlns='http://www.w3.org/2000/svg' width='840' height='480' viewBox='0 0 840 480' font-family='sans-serif' "
      "font-size='12'>\n<rect width='840' height='480' fill='white'/>\n";
  absl::StrAppendFormat(
      &svg, "<text x='%.1f' y='24' font-size='15'>Time per worker against the number of workers</text>\n", kLeft);
  absl::StrAppendFormat(&svg, "<text x='%.1f' y='40' fill='#666'>%s, %s, %d CPUs, %s</text>\n", kLeft, machine.date,
                        machine.kernel, machine.cpus, machine.cpu);
  absl::StrAppend(&svg, Axes(range));
  for (const Line& line : kLines) absl::StrAppend(&svg, Curve(*medians, line, range));
  absl::StrAppendFormat(&svg, "<text x='%.1f' y='%.1f' text-anchor='middle'>workers</text>\n", kLeft + kWidth / 2,
                        kTop + kHeight + 44);
  return absl::StrCat(svg, Legend(), "</svg>\n");
}

}  // namespace muster::bench
