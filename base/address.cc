#include "base/address.h"

#include <sys/un.h>

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/status_macros.h"

namespace muster {
namespace {

constexpr char kForms[] = "unix:///path, tcp://host:port, vsock://CID:PORT, or vsock+unix:///path:PORT";

absl::Status Wrong(absl::string_view text, absl::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat("address \"", text, "\": ", why));
}

// The part before and the part behind the last colon.
absl::StatusOr<std::pair<std::string, absl::string_view>> SplitPort(absl::string_view text, absl::string_view rest) {
  const size_t colon = rest.rfind(':');
  if (colon == absl::string_view::npos) return Wrong(text, "the port is missing; write :PORT at the end");
  return std::make_pair(std::string(rest.substr(0, colon)), rest.substr(colon + 1));
}

absl::StatusOr<uint32_t> ParseNumber(absl::string_view text, absl::string_view digits, uint32_t max) {
  uint32_t value = 0;
  if (digits.find_first_not_of("0123456789") != absl::string_view::npos || !absl::SimpleAtoi(digits, &value) ||
      value > max) {
    return Wrong(text, absl::StrCat("\"", digits, "\" is not a number from 0 to ", max));
  }
  return value;
}

absl::Status CheckPath(absl::string_view text, absl::string_view path) {
  constexpr size_t kMaxPath = sizeof(sockaddr_un::sun_path) - 1;
  if (path.empty() || path[0] != '/') {
    return Wrong(text, "the path must be absolute: three slashes, as in unix:///run/muster.sock");
  }
  if (path.find('\0') != absl::string_view::npos) return Wrong(text, "the path holds a NUL byte");
  if (path.size() > kMaxPath) {
    return Wrong(text, absl::StrCat("the path has ", path.size(), " bytes and a socket's may have ", kMaxPath,
                                    "; choose a shorter one"));
  }
  return absl::OkStatus();
}

absl::StatusOr<Address> ParseUnix(absl::string_view text, absl::string_view rest) {
  RETURN_IF_ERROR(CheckPath(text, rest));
  return UnixAddress{std::string(rest)};
}

absl::StatusOr<Address> ParseTcp(absl::string_view text, absl::string_view rest) {
  ASSIGN_OR_RETURN(const auto parts, SplitPort(text, rest));
  absl::string_view host = parts.first;
  if (absl::StartsWith(host, "[") && absl::EndsWith(host, "]")) {
    host = host.substr(1, host.size() - 2);
  } else if (absl::StrContains(host, ":")) {
    return Wrong(text, "an IPv6 host stands in brackets, as in tcp://[::1]:7070");
  }
  if (host.empty()) return Wrong(text, "the host is missing; write tcp://127.0.0.1:PORT");
  ASSIGN_OR_RETURN(const uint32_t port, ParseNumber(text, parts.second, 65535));
  return TcpAddress{std::string(host), static_cast<uint16_t>(port)};
}

// The all-ones value means "any" to the kernel, for a CID and for a port alike.
constexpr uint32_t kMaxVsock = 0xfffffffe;

absl::StatusOr<Address> ParseVsock(absl::string_view text, absl::string_view rest) {
  ASSIGN_OR_RETURN(const auto parts, SplitPort(text, rest));
  VsockAddress address;
  if (parts.first != "any") {
    ASSIGN_OR_RETURN(address.cid, ParseNumber(text, parts.first, kMaxVsock));
  }
  ASSIGN_OR_RETURN(address.port, ParseNumber(text, parts.second, kMaxVsock));
  return address;
}

absl::StatusOr<Address> ParseHybrid(absl::string_view text, absl::string_view rest) {
  ASSIGN_OR_RETURN(const auto parts, SplitPort(text, rest));
  RETURN_IF_ERROR(CheckPath(text, parts.first));
  ASSIGN_OR_RETURN(const uint32_t port, ParseNumber(text, parts.second, kMaxVsock));
  return HybridVsockAddress{parts.first, port};
}

struct Formatter {
  std::string operator()(const UnixAddress& a) const { return absl::StrCat("unix://", a.path); }
  std::string operator()(const TcpAddress& a) const {
    const bool v6 = absl::StrContains(a.host, ":");
    return absl::StrCat("tcp://", v6 ? "[" : "", a.host, v6 ? "]" : "", ":", a.port);
  }
  std::string operator()(const VsockAddress& a) const {
    return absl::StrCat("vsock://", a.cid == VsockAddress::kAnyCid ? "any" : absl::StrCat(a.cid), ":", a.port);
  }
  std::string operator()(const HybridVsockAddress& a) const {
    return absl::StrCat("vsock+unix://", a.path, ":", a.port);
  }
};

}  // namespace

absl::StatusOr<Address> ParseAddress(absl::string_view text) {
  absl::string_view rest = text;
  if (absl::ConsumePrefix(&rest, "unix://")) return ParseUnix(text, rest);
  if (absl::ConsumePrefix(&rest, "tcp://")) return ParseTcp(text, rest);
  if (absl::ConsumePrefix(&rest, "vsock+unix://")) return ParseHybrid(text, rest);
  if (absl::ConsumePrefix(&rest, "vsock://")) return ParseVsock(text, rest);
  return Wrong(text, absl::StrCat("write ", kForms));
}

std::string FormatAddress(const Address& address) { return std::visit(Formatter(), address); }

}  // namespace muster
