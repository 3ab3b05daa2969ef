"""proto_library for C++ with Debian's protoc and gRPC plugin."""

load("//tools/bazel:cc.bzl", "THEIRS")

def muster_proto(name, srcs, deps = [], grpc = False, visibility = ["//visibility:public"]):
    """Generates and compiles C++ for .proto files below //proto.

    Args:
      name: the cc_library to make.
      srcs: .proto files of this package.
      deps: other muster_proto targets whose files these import.
      grpc: also generate service stubs.
      visibility: of the cc_library.
    """
    outs = []
    for src in srcs:
        base = src[:-len(".proto")]
        outs += [base + ".pb.h", base + ".pb.cc"]
        if grpc:
            outs += [base + ".grpc.pb.h", base + ".grpc.pb.cc"]
    native.filegroup(
        name = name + "_protos",
        srcs = srcs + [dep + "_protos" for dep in deps],
        visibility = visibility,
    )
    tools = ["@system//:protoc"]
    plugin = ""
    if grpc:
        tools.append("@system//:grpc_cpp_plugin")
        plugin = "--plugin=protoc-gen-grpc=$(execpath @system//:grpc_cpp_plugin) --grpc_out=$(GENDIR)/proto "
    native.genrule(
        name = name + "_gen",
        srcs = srcs + [dep + "_protos" for dep in deps],
        outs = outs,
        tools = tools,
        cmd = ("$(execpath @system//:protoc) -Iproto -I/usr/include --cpp_out=$(GENDIR)/proto " + plugin +
               " ".join(["$(location %s)" % src for src in srcs])),
    )
    native.cc_library(
        name = name,
        srcs = [out for out in outs if out.endswith(".cc")],
        hdrs = [out for out in outs if out.endswith(".h")],
        copts = THEIRS,
        strip_include_prefix = "/proto",
        visibility = visibility,
        deps = deps + (["@system//:grpc"] if grpc else ["@system//:protobuf"]),
    )
