// The comments of work.proto, which the generated descriptors leave out.
#ifndef MUSTER_WORKER_CORE_WORK_COMMENTS_H_
#define MUSTER_WORKER_CORE_WORK_COMMENTS_H_

#include <memory>
#include <string>

#include "google/protobuf/descriptor.h"

namespace muster {

// Owns a second copy of the descriptors, with comments, read from the descriptor set that is embedded in the binary.
class WorkComments {
 public:
  WorkComments();

  // The comment above a field, in one line; "" for one that work.proto does not have.
  std::string Of(const google::protobuf::FieldDescriptor& field) const;

 private:
  google::protobuf::DescriptorPool pool_;
};

}  // namespace muster

#endif  // MUSTER_WORKER_CORE_WORK_COMMENTS_H_
