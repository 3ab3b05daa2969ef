"""Tests against a real daemon: they need root, cgroups, and the machine to themselves."""

load("//tools/bazel:cc.bzl", "muster_test")

def live_test(name, size = "medium", tags = [], deps = [], **kwargs):
    muster_test(
        name = name,
        size = size,
        srcs = [name + ".cc"],
        tags = ["exclusive", "local"] + tags,
        deps = deps + ["//tests/support:live_test"],
        **kwargs
    )
