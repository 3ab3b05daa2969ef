// Early returns on absl::Status and absl::StatusOr; Debian's Abseil has none.
#ifndef MUSTER_BASE_STATUS_MACROS_H_
#define MUSTER_BASE_STATUS_MACROS_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#define MUSTER_CONCAT_INNER(a, b) a##b
#define MUSTER_CONCAT(a, b) MUSTER_CONCAT_INNER(a, b)

// Returns from the function when `expr` is not OK.
#define RETURN_IF_ERROR(expr)                      \
  do {                                             \
    absl::Status muster_status = (expr);           \
    if (!muster_status.ok()) return muster_status; \
  } while (false)

// Evaluates a StatusOr; returns its error, or puts its value into `lhs`.
#define ASSIGN_OR_RETURN(lhs, expr) ASSIGN_OR_RETURN_INNER(MUSTER_CONCAT(muster_or_, __LINE__), lhs, expr)
#define ASSIGN_OR_RETURN_INNER(tmp, lhs, expr)   \
  auto tmp = (expr);                             \
  if (!tmp.ok()) return std::move(tmp).status(); \
  lhs = *std::move(tmp)

#endif  // MUSTER_BASE_STATUS_MACROS_H_
