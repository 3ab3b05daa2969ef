// A worker binary that can only be a janitor, for tests.
#include "worker/janitor/janitor.h"

int main(int argc, char** argv) { return muster::JanitorMain(argc, argv); }
