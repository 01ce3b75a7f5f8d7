#include "core/base/os/memory.h"

#include <string.h>

namespace fleetauth::os {

void wipe(void *memory, std::size_t size) noexcept {
  if (size != 0) explicit_bzero(memory, size);
}

// The compiler is told which registers are emptied: where it sees a caller too, it may keep that one's values in any other.
#if defined(__x86_64__)

#define FLEETAUTH_LOWER_REGISTERS \
  "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15"

namespace {

[[gnu::noinline, gnu::target("avx512f")]] void wipe_upper_registers() noexcept {
  asm volatile(".irp n,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31\n\tvpxord %%zmm\\n,%%zmm\\n,%%zmm\\n\n.endr" ::
                   : "xmm16", "xmm17", "xmm18", "xmm19", "xmm20", "xmm21", "xmm22", "xmm23", "xmm24", "xmm25", "xmm26", "xmm27", "xmm28",
                     "xmm29", "xmm30", "xmm31");
}

}  // namespace

[[gnu::noinline]] void wipe_registers() noexcept {
  if (__builtin_cpu_supports("avx512f")) wipe_upper_registers();
  if (__builtin_cpu_supports("avx")) {
    asm volatile("vzeroall" ::: FLEETAUTH_LOWER_REGISTERS);
  } else {
    asm volatile(".irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n\tpxor %%xmm\\n,%%xmm\\n\n.endr" ::: FLEETAUTH_LOWER_REGISTERS);
  }
}

#elif defined(__aarch64__)

[[gnu::noinline]] void wipe_registers() noexcept {
  asm volatile(".irp n,0,1,2,3,4,5,6,7,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31\n\tmovi v\\n\\().2d,#0\n.endr" ::
                   : "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v16", "v17", "v18", "v19", "v20", "v21", "v22", "v23", "v24", "v25",
                     "v26", "v27", "v28", "v29", "v30", "v31");
}

#else

void wipe_registers() noexcept {}

#endif

}  // namespace fleetauth::os
