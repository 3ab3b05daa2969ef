"""Compiler options: warnings are errors in our code and silent in generated code."""

OURS = [
    "-Wall",
    "-Wextra",
    "-Werror",
    "-Wshadow",
    "-Wnon-virtual-dtor",
    "-Wno-missing-field-initializers",
    # g++ 12 reports it inside std::variant and std::optional of strings that are initialised; the sanitizers look instead.
    "-Wno-maybe-uninitialized",
]

THEIRS = ["-w"]

# In every program of a sanitizer build.
SUPPRESSIONS = select({
    "//tools/bazel:sanitized": ["//tools/bazel:sanitizer_suppressions"],
    "//conditions:default": [],
})

def muster_library(name, copts = [], **kwargs):
    native.cc_library(name = name, copts = OURS + copts, **kwargs)

def muster_binary(name, copts = [], deps = [], **kwargs):
    native.cc_binary(name = name, copts = OURS + copts, deps = deps + SUPPRESSIONS, **kwargs)

def muster_test(name, copts = [], deps = [], size = "small", **kwargs):
    """A GoogleTest program. Tests that need root or cgroups say tags = ["local", "exclusive"]. All may use base/test_run.h."""
    native.cc_test(
        name = name,
        copts = OURS + copts,
        size = size,
        deps = deps + ["//base:test_run", "@system//:gtest_main"] + SUPPRESSIONS,
        **kwargs
    )

def static_binary(name, copts = [], linkopts = [], deps = [], **kwargs):
    """Linked fully static, except in sanitizer builds, where that is impossible."""
    native.cc_binary(
        name = name,
        copts = OURS + copts,
        linkopts = linkopts + select({
            "//tools/bazel:sanitized": [],
            "//conditions:default": ["-static"],
        }),
        # Archives for ld, which worker binaries need for their linker script, and which has no --start-lib.
        features = select({
            "//tools/bazel:sanitized": [],
            "//conditions:default": ["fully_static_link", "-supports_start_end_lib"],
        }),
        deps = deps + SUPPRESSIONS,
        **kwargs
    )
