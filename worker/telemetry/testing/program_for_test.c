/* A Custom program in C: counts into the telemetry until it is asked to stop by SIGINT; exits with 7 then. With the argument
 * "deaf" it ignores SIGINT and SIGTERM. */
#include <signal.h>
#include <string.h>

#include "worker/telemetry/muster_telemetry.h"

static volatile sig_atomic_t stop_asked = 0;

static void on_stop(int signal_number) {
  (void)signal_number;
  stop_asked = 1;
}

int main(int argc, char** argv) {
  struct muster_telemetry* const telemetry = muster_telemetry_open();
  const int deaf = argc > 1 && strcmp(argv[1], "deaf") == 0;
  signal(SIGINT, deaf ? SIG_IGN : on_stop);
  if (deaf) signal(SIGTERM, SIG_IGN);
  while (!stop_asked) muster_telemetry_add(telemetry, 1, 10);
  return telemetry != NULL ? 7 : 8;
}
