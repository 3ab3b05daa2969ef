"""Tests in a guest: each boots one of its own, and needs QEMU and the machine to itself."""

load("//tools/bazel:cc.bzl", "muster_test")

def guest_test(name, data = [], deps = [], tags = [], **kwargs):
    """every_kernel among the tags: `tools/test --long` runs it on several kernels."""
    muster_test(
        name = name,
        size = "large",
        srcs = [name + ".cc"],
        data = data + [
            "//daemon:musterd-static",
            "//tools/vm/init:muster-guest-init",
            "//worker:muster-worker",
        ],
        tags = ["exclusive", "guest", "local", "no_sanitizer"] + tags,
        testonly = True,
        deps = deps + ["//tests/guest:guest_fixture"],
        **kwargs
    )
