// The simdjson header, read with NDEBUG whatever the including file was compiled with: its assertions abort the
// process on what a hostile server can send. Installed as simdjson.h by scripts/deps.sh.
#pragma once
#pragma push_macro("NDEBUG")
#undef NDEBUG
#define NDEBUG 1
#include <cassert>
#include "simdjson_unguarded.h"
#pragma pop_macro("NDEBUG")
#include <cassert>  // brings the includer's own assert back
