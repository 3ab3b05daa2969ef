// What the thread sanitizer must not report: accesses made by Debian's libgrpc, its TLS libraries, libabsl and libupb.
// They are not instrumented, so it sees their accesses only through the calls that it intercepts (memmove, close,
// epoll_wait), and none of the locks around them. A frame of such a library stands in a report only where the library
// itself made the access: the sanitizer's stacks hold instrumented functions and the caller of an intercepted one, so
// handlers of ours that gRPC calls are not covered. Where a blocking call of a client takes its result, the reader is
// gRPC's header, compiled with us, and the writer the library.
//
// Linked into every program of a sanitizer build, so that the children of a test know it as well.
extern "C" const char* __tsan_default_suppressions() {
  return "race:libgrpc.so\n"
         "race:libgrpc++.so\n"
         "race:libgrpc++_reflection.so\n"
         "race:libgpr.so\n"
         "race:libabsl_\n"
         "race:libupb.so\n"
         "race:libcrypto.so\n"
         "race:libssl.so\n"
         "race:^grpc::internal::CallOpClientRecvStatus::FinishOp\n";
}

// Debian's libcares forgets ten bytes of the first lookup of a process.
extern "C" const char* __lsan_default_suppressions() { return "leak:libcares.so\n"; }
