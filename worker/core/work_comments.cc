#include "worker/core/work_comments.h"

#include <cstddef>

#include "absl/strings/ascii.h"
#include "google/protobuf/descriptor.pb.h"

namespace muster {

// A serialised FileDescriptorSet of work.proto and what it imports, dependencies first; made by the build.
extern const unsigned char kWorkDescriptorSet[];
extern const std::size_t kWorkDescriptorSetBytes;

WorkComments::WorkComments() {
  google::protobuf::FileDescriptorSet set;
  if (!set.ParseFromArray(kWorkDescriptorSet, static_cast<int>(kWorkDescriptorSetBytes))) return;
  for (const google::protobuf::FileDescriptorProto& file : set.file()) pool_.BuildFile(file);
}

std::string WorkComments::Of(const google::protobuf::FieldDescriptor& field) const {
  const google::protobuf::FieldDescriptor* const commented = pool_.FindFieldByName(field.full_name());
  google::protobuf::SourceLocation location;
  if (commented == nullptr || !commented->GetSourceLocation(&location)) return "";
  std::string text = location.leading_comments;
  absl::RemoveExtraAsciiWhitespace(&text);
  return text;
}

}  // namespace muster
