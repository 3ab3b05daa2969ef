#include "tests/bench/output.h"

#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include <map>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "base/file_io.h"

namespace muster::bench {
namespace {

std::string GoalText(const Goal& goal) {
  return absl::StrFormat("%s %.4g", goal.side == Goal::Side::kAtMost ? "<=" : ">=", goal.bound);
}

std::string Quoted(const std::string& text) {
  return absl::StrCat("\"", absl::StrReplaceAll(text, {{"\\", "\\\\"}, {"\"", "\\\""}, {"\n", "\\n"}, {"\t", " "}}),
                      "\"");
}

std::string JsonRow(const RowResult& result) {
  const auto number = [](std::string* out, double value) { absl::StrAppendFormat(out, "%.6g", value); };
  return absl::StrFormat(
      "{\"id\": %s, \"step\": %s, \"limit\": %s, \"goal\": %s, \"verdict\": %s, \"ratio\": %.6g, \"lower_quartile\": "
      "%.6g, "
      "\"upper_quartile\": %.6g, \"ours\": %.9g, \"against\": %.9g, \"pairs\": %d, \"disturbed\": %d, \"ratios\": "
      "[%s], \"note\": %s}",
      Quoted(result.row.id), Quoted(result.row.step), Quoted(result.row.limit), Quoted(GoalText(result.row.goal)),
      Quoted(std::string(VerdictName(result.verdict))), result.ratio.median, result.ratio.lower, result.ratio.upper,
      result.ours, result.against, result.pairs, result.disturbed, absl::StrJoin(result.ratios, ", ", number),
      Quoted(result.note));
}

std::string JsonValues(const Values& values) {
  std::vector<std::string> pairs;
  for (const auto& [name, value] : values) pairs.push_back(absl::StrFormat("%s: %.9g", Quoted(name), value));
  return absl::StrCat("{", absl::StrJoin(pairs, ", "), "}");
}

// Each in its turn, so that what follows from the order can be seen.
std::string JsonRounds(const std::vector<Round>& rounds) {
  std::vector<std::string> lines;
  for (const Round& round : rounds) {
    lines.push_back(
        absl::StrFormat("{\"foreign_share\": %.3g, \"values\": %s}", round.foreign_share, JsonValues(round.values)));
  }
  return absl::StrCat("[\n", absl::StrJoin(lines, ",\n"), "]");
}

}  // namespace

Machine ThisMachine() {
  Machine machine;
  char date[64] = {};
  const time_t now = time(nullptr);
  tm parts = {};
  strftime(date, sizeof(date), "%Y-%m-%d %H:%M UTC", gmtime_r(&now, &parts));
  machine.date = date;
  utsname name = {};
  if (uname(&name) == 0) machine.kernel = absl::StrCat(name.sysname, " ", name.release);
  machine.cpus = static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN));
  const absl::StatusOr<std::string> info = ReadFile("/proc/cpuinfo");
  if (!info.ok()) return machine;
  const size_t at = info->find("model name");
  const size_t colon = info->find(": ", at);
  if (at != std::string::npos && colon != std::string::npos) {
    machine.cpu = info->substr(colon + 2, info->find('\n', colon) - colon - 2);
  }
  return machine;
}

std::string TableHead() {
  return absl::StrFormat("%-20s %-72s %9s  %-19s %9s  %-7s %s\n", "row", "what, against what", "ratio", "middle half",
                         "goal", "verdict", "pairs");
}

std::string TableLine(const RowResult& result) {
  const std::string what = absl::StrCat(result.row.step, " / ", result.row.limit);
  if (result.pairs == 0) {
    return absl::StrFormat("%-20s %-72s %9s  %-19s %9s  %-7s %s\n", result.row.id, what, "-", "-",
                           GoalText(result.row.goal), VerdictName(result.verdict), result.note);
  }
  const std::string spread = absl::StrFormat("%.4g..%.4g", result.ratio.lower, result.ratio.upper);
  return absl::StrFormat("%-20s %-72s %9.4g  %-19s %9s  %-7s %d%s %s\n", result.row.id, what, result.ratio.median,
                         spread, GoalText(result.row.goal), VerdictName(result.verdict), result.pairs,
                         result.disturbed > 0 ? absl::StrCat("-", result.disturbed) : "", result.note);
}

std::string TableFoot(const std::vector<Outcome>& outcomes) {
  std::map<std::string, int> counts;
  for (const Outcome& outcome : outcomes) {
    for (const RowResult& result : outcome.rows) ++counts[std::string(VerdictName(result.verdict))];
  }
  std::string foot = absl::StrFormat(
      "\nratio: median over pairs of the same round. pairs: all, less those during which others took more than %.0f %% "
      "of the CPUs.\nnoisy: fewer than %d undisturbed pairs, or the goal lies within the middle half of the ratios "
      "(from "
      "%d pairs on: within the interval that holds their median with 95 %%): the machine was too noisy to tell.\n",
      kForeignShare * 100, kPairsForVerdict, kPairsForInterval);
  for (const auto& [verdict, count] : counts) absl::StrAppend(&foot, verdict, " ", count, "  ");
  return foot + "\n";
}

std::string Markdown(const Machine& machine, const std::vector<Outcome>& outcomes) {
  std::string text =
      absl::StrCat(machine.date, ", ", machine.kernel, ", ", machine.cpus, " x ", machine.cpu,
                   "\n\n| row | what | against | ratio | middle half | goal | verdict | pairs (disturbed) |\n"
                   "|---|---|---|---|---|---|---|---|\n");
  for (const Outcome& outcome : outcomes) {
    for (const RowResult& result : outcome.rows) {
      absl::StrAppendFormat(&text, "| %s | %s | %s | %.4g | %.4g to %.4g | %s | %s | %d (%d) |\n", result.row.id,
                            result.row.step, result.row.limit, result.ratio.median, result.ratio.lower,
                            result.ratio.upper, GoalText(result.row.goal), VerdictName(result.verdict), result.pairs,
                            result.disturbed);
    }
  }
  return text;
}

std::string Json(const Machine& machine, const std::vector<Outcome>& outcomes) {
  std::vector<std::string> rows, numbers, rounds;
  for (const Outcome& outcome : outcomes) {
    for (const RowResult& result : outcome.rows) rows.push_back(JsonRow(result));
    numbers.push_back(absl::StrCat(Quoted(outcome.name), ": ", JsonValues(outcome.medians)));
    rounds.push_back(absl::StrCat(Quoted(outcome.name), ": ", JsonRounds(outcome.rounds)));
  }
  return absl::StrCat("{\"date\": ", Quoted(machine.date), ", \"kernel\": ", Quoted(machine.kernel),
                      ", \"cpu\": ", Quoted(machine.cpu), ", \"cpus\": ", machine.cpus, ",\n\"rows\": [\n",
                      absl::StrJoin(rows, ",\n"), "\n],\n\"medians\": {\n", absl::StrJoin(numbers, ",\n"),
                      "\n},\n\"rounds\": {\n", absl::StrJoin(rounds, ",\n"), "\n}}\n");
}

}  // namespace muster::bench
