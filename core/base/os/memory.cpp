#include "core/base/os/memory.h"

#include <string.h>

namespace fleetauth::os {

void wipe(void *memory, std::size_t size) noexcept {
  if (size != 0) explicit_bzero(memory, size);
}

// All these registers belong to the callee, so a call may leave them empty.
[[gnu::noinline]] void wipe_registers() noexcept {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f")) {
    asm volatile(".irp n,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31\n\tvpxord %zmm\\n,%zmm\\n,%zmm\\n\n.endr");
  }
  if (__builtin_cpu_supports("avx")) {
    asm volatile("vzeroall");
  } else {
    asm volatile(".irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n\tpxor %xmm\\n,%xmm\\n\n.endr");
  }
#elif defined(__aarch64__)
  asm volatile(".irp n,0,1,2,3,4,5,6,7,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31\n\tmovi v\\n\\().2d,#0\n.endr");
#endif
}

}  // namespace fleetauth::os
