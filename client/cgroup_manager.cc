#include "client/cgroup_manager.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "client/request_id.h"

namespace muster {

absl::StatusOr<v1::CreateCgroupResponse> CgroupManager::Create(const v1::CgroupSpec& spec, CgroupLifetime lifetime,
                                                               CallOptions options) const {
  RETURN_IF_ERROR(session_->lease->status());
  v1::CreateCgroupRequest request;
  request.set_request_id(NewRequestId());
  *request.mutable_authority() = session_->lease->authority();
  *request.mutable_spec() = spec;
  request.set_keep(lifetime == CgroupLifetime::kKept);
  return session_->connection->Call(&Connection::Stub::CreateCgroup, request, options.deadline(),
                                    absl::StrCat("creation of cgroup ", spec.name()));
}

absl::Status CgroupManager::Remove(absl::string_view name, CallOptions options) const {
  RETURN_IF_ERROR(session_->lease->status());
  v1::RemoveCgroupRequest request;
  request.set_request_id(NewRequestId());
  *request.mutable_authority() = session_->lease->authority();
  request.set_name(std::string(name));
  return session_->connection
      ->Call(&Connection::Stub::RemoveCgroup, request, options.deadline(), absl::StrCat("removal of cgroup ", name))
      .status();
}

}  // namespace muster
