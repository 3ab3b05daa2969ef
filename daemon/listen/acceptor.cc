#include "daemon/listen/acceptor.h"

#include <pthread.h>

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/log.h"
#include "base/make_thread.h"
#include "base/status_macros.h"

namespace muster {
namespace {

// vsock(7): the machine itself, and what it runs on.
constexpr uint32_t kLocalCid = 1;
constexpr uint32_t kHostCid = 2;

// After an error of accept(2) that does not pass by itself, as having no descriptor left.
constexpr absl::Duration kPause = absl::Milliseconds(100);

struct Admit {
  const Admission& admission;

  bool operator()(const UnixPeer& peer) const { return peer.uid == 0 || peer.uid == admission.owner; }
  // The listener is on loopback only, or the peer has a TLS handshake before it.
  bool operator()(const TcpPeer&) const { return true; }
  bool operator()(const VsockPeer& peer) const {
    return peer.cid == kHostCid || (peer.cid == kLocalCid && admission.vsock_local);
  }
};

}  // namespace

absl::Status CheckAdmission(const PeerIdentity& peer, const Admission& admission) {
  if (std::visit(Admit{admission}, peer)) return absl::OkStatus();
  return absl::PermissionDeniedError(absl::StrCat("connection from ", FormatPeer(peer),
                                                  " refused: only root, the daemon's own user, and over vsock the "
                                                  "host may connect"));
}

Acceptor::Acceptor(Listener listener, Admission admission, Handler handler)
    : listener_(std::move(listener)), admission_(admission), handler_(std::move(handler)) {}

absl::StatusOr<std::unique_ptr<Acceptor>> Acceptor::Start(Listener listener, Admission admission, Handler handler) {
  std::unique_ptr<Acceptor> acceptor(new Acceptor(std::move(listener), admission, std::move(handler)));
  const std::string what = absl::StrCat("the listener on ", FormatAddress(acceptor->address()));
  ASSIGN_OR_RETURN(acceptor->thread_, MakeThread(what, [raw = acceptor.get()] { raw->Run(); }));
  pthread_setname_np(acceptor->thread_.native_handle(), "accept");
  return acceptor;
}

Acceptor::~Acceptor() {
  stopping_.Set();
  listener_.Stop();
  if (thread_.joinable()) thread_.join();
}

void Acceptor::Run() {
  bool told = false;
  while (true) {
    absl::StatusOr<AcceptedSocket> accepted = listener_.Accept(absl::InfiniteDuration());
    if (absl::IsCancelled(accepted.status())) return;
    if (!accepted.ok()) {
      // The condition lasts, so it is told once; the loop must not spin at its priority.
      if (!std::exchange(told, true)) LogWarning(accepted.status().message());
      if (stopping_.Wait(Deadline::After(kPause))) return;
      continue;
    }
    told = false;
    const absl::Status admitted = CheckAdmission(accepted->peer, admission_);
    if (admitted.ok()) {
      handler_(*std::move(accepted));
    } else {
      LogWarning(admitted.message());
    }
  }
}

}  // namespace muster
