// What every good report has in common.
#ifndef MUSTER_TESTS_GUEST_SOUND_REPORT_H_
#define MUSTER_TESTS_GUEST_SOUND_REPORT_H_

#include "muster/v1/muster.pb.h"

namespace muster {

// What holds for every worker that lived to its stop.
void ExpectSound(const v1::WorkerReport& report);

}  // namespace muster

#endif  // MUSTER_TESTS_GUEST_SOUND_REPORT_H_
