"""Fuzz targets as tests: fuzz.h says what one is."""

load("//tools/bazel:cc.bzl", "OURS", "SUPPRESSIONS")

def fuzz_test(name, deps = [], **kwargs):
    """<name>.cc, run over its seeds and over mutations of them."""
    native.cc_test(
        name = name,
        srcs = [name + ".cc"],
        copts = OURS,
        size = "small",
        deps = deps + [":standalone"] + SUPPRESSIONS,
        **kwargs
    )
