#include "tools/vm/qemu/command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_join.h"

namespace muster::vm {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

QemuCommand Command(TransportKind kind) {
  QemuCommand command;
  command.transport.kind = kind;
  command.transport.cid = 77;
  command.transport.device_program = "/opt/vhost-device-vsock";
  command.transport.device_socket = "/d/vhu.sock";
  command.transport.host_socket = "/d/v.sock";
  command.transport.host_port = 40001;
  command.kernel = "/k/vmlinux";
  command.initrd = "/d/image.cpio";
  return command;
}

std::string Line(const QemuCommand& command) { return absl::StrJoin(QemuArguments(command), " "); }

TEST(QemuCommandTest, EmulationHasOneThreadAndNoCmpxchg16b) {
  EXPECT_THAT(Line(Command(TransportKind::kVhostVsock)), HasSubstr("-accel tcg,thread=single -cpu qemu64,-cx16 "));
}

TEST(QemuCommandTest, ThreadsOfACoreNeedAnIntelCpu) {
  QemuCommand command = Command(TransportKind::kVhostVsock);
  command.shape.smt = true;
  EXPECT_THAT(Line(command), HasSubstr("-cpu qemu64,-cx16,vendor=GenuineIntel "));
}

TEST(QemuCommandTest, KvmPassesTheHostsCpu) {
  QemuCommand command = Command(TransportKind::kVhostVsock);
  command.accelerator = Accelerator::kKvm;
  EXPECT_THAT(Line(command), HasSubstr("-accel kvm -cpu host "));
}

TEST(QemuCommandTest, PanicEndsQemuAndTheConsoleIsOnItsStandardStreams) {
  const std::string line = Line(Command(TransportKind::kVhostVsock));
  EXPECT_THAT(line, HasSubstr("-no-reboot"));
  EXPECT_THAT(line, HasSubstr("panic=-1"));
  EXPECT_THAT(line, HasSubstr("-chardev stdio,id=console,signal=off -serial chardev:console"));
}

TEST(QemuCommandTest, DaemonListensOnVsockWhereThereIsOne) {
  const QemuCommand command = Command(TransportKind::kVhostVsock);
  EXPECT_THAT(Line(command), HasSubstr("-device vhost-vsock-pci,guest-cid=77"));
  EXPECT_THAT(KernelCommandLine(command), HasSubstr(" -- --daemon=--listen=vsock://any:7070"));
  EXPECT_EQ(ClientAddress(command.transport), "vsock://77:7070");
  EXPECT_THAT(DeviceArguments(command.transport), IsEmpty());
}

TEST(QemuCommandTest, DeviceInUserSpaceGetsASmallBuffer) {
  const QemuCommand command = Command(TransportKind::kVhostUserVsock);
  EXPECT_THAT(Line(command),
              HasSubstr("-chardev socket,id=vsock,path=/d/vhu.sock -device vhost-user-vsock-pci,chardev=vsock"));
  EXPECT_THAT(absl::StrJoin(DeviceArguments(command.transport), " "),
              HasSubstr("--vm guest-cid=77,socket=/d/vhu.sock,uds-path=/d/v.sock,tx-buffer-size=28672"));
  EXPECT_EQ(ClientAddress(command.transport), "vsock+unix:///d/v.sock:7070");
}

TEST(QemuCommandTest, ForwardedPortIsLoopbackOnlyAndRelayedToAUnixSocket) {
  const QemuCommand command = Command(TransportKind::kForwardedPort);
  EXPECT_THAT(Line(command), HasSubstr("user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:40001-:7070"));
  EXPECT_THAT(KernelCommandLine(command), HasSubstr(" -- --relay=7070 --daemon=--listen=unix:///run/musterd.sock"));
  EXPECT_EQ(ClientAddress(command.transport), "tcp://127.0.0.1:40001");
}

TEST(QemuCommandTest, KernelArgumentsStandBeforeThoseOfInit) {
  QemuCommand command = Command(TransportKind::kVhostVsock);
  command.kernel_arguments = "isolcpus=1";
  command.daemon_arguments = {"--allow-exec"};
  EXPECT_THAT(KernelCommandLine(command), HasSubstr("isolcpus=1 -- "));
  EXPECT_THAT(KernelCommandLine(command), HasSubstr(" --daemon=--allow-exec"));
}

TEST(QemuCommandTest, MusterdAsInitGetsItsArgumentsAsTheyAre) {
  QemuCommand command = Command(TransportKind::kVhostVsock);
  command.musterd_is_init = true;
  command.daemon_arguments = {"--allow-exec"};
  EXPECT_THAT(KernelCommandLine(command), HasSubstr(" -- --listen=vsock://any:7070 --allow-exec"));
}

TEST(QemuCommandTest, KernelDoesNotTestItsTimerOnABusyMachine) {
  EXPECT_THAT(KernelCommandLine(Command(TransportKind::kForwardedPort)), HasSubstr(" no_timer_check "));
}

TEST(TransportTest, AutoTakesTheBestThatIsThere) {
  const TransportRequest request = {"auto", "/d"};
  HostVsock host;
  EXPECT_EQ(ChooseTransport(request, host)->kind, TransportKind::kForwardedPort);
  EXPECT_NE(ChooseTransport(request, host)->host_port, 0);
  host.device_program = "/opt/device";
  EXPECT_EQ(ChooseTransport(request, host)->kind, TransportKind::kVhostUserVsock);
}

TEST(TransportTest, WhatIsAskedForAndMissingIsAnErrorWithItsReason) {
  EXPECT_THAT(std::string(ChooseTransport({"vhost-vsock", "/d"}, {}).status().message()),
              HasSubstr("/dev/vhost-vsock cannot be opened"));
  EXPECT_THAT(std::string(ChooseTransport({"vhost-device-vsock", "/d"}, {}).status().message()),
              HasSubstr("no such program"));
  EXPECT_EQ(ChooseTransport({"pigeon", "/d"}, {}).status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace muster::vm
